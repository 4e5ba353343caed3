"""One window a person: a lock that the kernel frees, however the program ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.core.errors import EaselError


class Lock:
    """Holds ``file`` locked until ``release``, or until this process is gone."""

    def __init__(self, file: Path) -> None:
        """Take the lock. Raises AlreadyRunning, FolderNotWritable, NoSpace."""
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _world_error(error, file.parent) from None
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, str(os.getpid()).encode(), 0)
        except BlockingIOError:
            pid = _pid(os.pread(self._handle, 20, 0))
            os.close(self._handle)
            from app.core.errors import AlreadyRunning

            raise AlreadyRunning(pid) from None
        except OSError as error:
            os.close(self._handle)
            raise _world_error(error, file.parent) from None

    def release(self) -> None:
        """Let another window open. Idempotent."""
        handle, self._handle = self._handle, -1
        with contextlib.suppress(OSError):
            os.close(handle)


def _world_error(error: OSError, folder: Path) -> EaselError:
    # Imported by a fault only: the lock is taken before the window's first paint.
    from app.files.atomic_file import world_error

    return world_error(error, folder, 0)


def _pid(text: bytes) -> int:
    """0 where the other one has not written its number yet."""
    return int(text) if text.isdigit() else 0
