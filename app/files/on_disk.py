"""What was written is on the disk itself, and there after a power cut."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from pathlib import Path

_FULL = getattr(fcntl, "F_FULLFSYNC", None)
"""Of macOS, whose fsync leaves the bytes in the drive's own memory."""
_CANNOT = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF})
"""What network disks say to a folder that is to be synced; they need not be."""


def sync(handle: int) -> None:
    """Wait until every byte of ``handle`` is on the disk. Raises OSError."""
    if _FULL is not None:
        with contextlib.suppress(OSError):  # a disk that does not know how
            fcntl.fcntl(handle, _FULL)
            return
    os.fsync(handle)


def sync_folder(folder: Path) -> None:
    """Wait until the names in ``folder`` are on the disk. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        sync(handle)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    finally:
        os.close(handle)


def sync_names(folder: Path) -> None:
    """As ``sync_folder``, for ``folder`` and every folder below it, the deepest first."""
    for place, _, _ in os.walk(folder, topdown=False):
        sync_folder(Path(place))


def begin_writing(handle: int, start: int, count: int) -> None:
    """Have the system begin to write these bytes to the disk, so that ``sync`` finds little to do.

    Does not wait; where the system has no such wish, nothing happens. (On Linux the advice that
    bytes are not needed begins their writing; they stay in memory until they are written.)
    """
    advise = getattr(os, "posix_fadvise", None)
    if advise is not None:
        with contextlib.suppress(OSError):
            advise(handle, start, count, os.POSIX_FADV_DONTNEED)
