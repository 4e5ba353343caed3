"""One Easel at a time works on a model: a lock that the system frees, however a process ends.

A folder itself is locked, so that no file is left in it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from app.core.errors import ModelInUse
from app.weights.events import Cancelled, OtherEasel

LOOK_S = 0.2
GLANCE_S = 0.02
_NO_LOCKS = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENOLCK, errno.EBADF})
_TRIES = 20


@contextlib.contextmanager
def alone(folder: Path, model: str, what: str = "downloading") -> Iterator[None]:
    """Hold ``folder``, which is made, for this process.

    Raises ModelInUse(``model``, ``what``) where another one holds it, OSError.
    """
    handle = _take(folder)
    if handle is None:
        raise ModelInUse(model, what)
    try:
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def after_others(
    folder: Path, report: Callable[[OtherEasel], None], cancelled: Cancelled
) -> Iterator[bool]:
    """As ``alone``, but wait for whoever holds ``folder``; false when cancelled meanwhile.

    Raises OSError.
    """
    told = False
    while (handle := _take(folder)) is None:
        if not told:
            report(OtherEasel())
            told = True
        if cancelled():
            yield False
            return
        time.sleep(LOOK_S)
    try:
        yield True
    finally:
        os.close(handle)


def is_held(folder: Path) -> bool:
    """Whether another process works on ``folder``. Makes nothing; raises nothing."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False


def _take(folder: Path) -> int | None:
    """A handle that holds ``folder``; None while another process does. Raises OSError."""
    for _ in range(_TRIES):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # taken away a moment ago
            continue
        try:
            _lock(handle)
        except BlockingIOError:
            os.close(handle)
            return None
        except OSError as error:  # some network disks have no locks
            if error.errno not in _NO_LOCKS:
                os.close(handle)
                raise
        # Whoever held it may have removed it: then this is a folder without a name.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.stat(folder), os.fstat(handle)):  # noqa: PTH116
                return handle
        os.close(handle)
    raise FileNotFoundError(errno.ENOENT, "taken away again and again", str(folder))


def _lock(handle: int) -> None:
    """Twice: ``is_held`` of another process has it for a moment too. Raises OSError."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(GLANCE_S)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
