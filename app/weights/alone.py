"""One process at a time in a folder."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from app.core.errors import ModelInUse
from app.files.atomic_file import world_error

_NO_LOCKS = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENOLCK, errno.EBADF})


@contextlib.contextmanager
def alone(title: str, folder: Path) -> Iterator[None]:
    """Hold ``folder`` for this process; makes it. The system lets go of it when the process dies.

    The folder itself is locked, so that no file is left in it; what lies in it is not. ``title`` is
    the model's. Raises ModelInUse, FolderNotWritable, NoSpace.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise world_error(error, folder, 0) from error
    try:
        _lock(handle, title, folder)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, title: str, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ModelInUse(title, "downloading") from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:  # some network disks have none
            raise world_error(error, folder, 0) from error
