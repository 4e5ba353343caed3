"""The bytes of a file that have arrived so far, in ``<name>.part`` beside its place."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

from app.core.card import CardFile
from app.files.on_disk import begin_writing, sync, sync_folder
from app.weights.names import PART

PIECE = 1 << 20
STRETCH = 16 << 20
"""So many bytes after each other begin their way to the disk while more are coming."""


class Part:
    """``file`` on its way into ``folder``. Opening it reads again what earlier runs left.

    ``size`` is how many bytes are here, ``begun_anew`` how often they had to be let go. Raises
    OSError, and whatever ``note`` (called with the bytes of each piece that was read) raises.
    """

    def __init__(self, folder: Path, file: CardFile, note: Callable[[int], None]) -> None:
        self.target = folder / file.path
        self.size = self.begun_anew = 0
        self._folder, self._file = folder, file
        self._path = self.target.with_name(self.target.name + PART)
        self._sum = hashlib.sha256()
        self._begun = 0
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self._handle = _opened(self._path)
        try:
            if os.fstat(self._handle).st_size > file.bytes:
                os.ftruncate(self._handle, 0)
            for piece in _pieces(self._handle):
                self._sum.update(piece)
                self.size += len(piece)
                note(len(piece))
        except BaseException:
            os.close(self._handle)
            raise

    def __enter__(self) -> Part:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._handle)

    def add(self, piece: bytes) -> None:
        """Put ``piece`` at the end."""
        rest = memoryview(piece)
        while rest:
            written = os.write(self._handle, rest)
            self._sum.update(rest[:written])
            self.size += written
            rest = rest[written:]
        if self.size - self._begun >= STRETCH:
            begin_writing(self._handle, self._begun, self.size - self._begun)
            self._begun = self.size

    def restart(self) -> None:
        """Let go of every byte."""
        self.begun_anew += self.size > 0
        os.ftruncate(self._handle, 0)
        os.lseek(self._handle, 0, os.SEEK_SET)
        self._sum, self.size, self._begun = hashlib.sha256(), 0, 0

    @property
    def whole(self) -> bool:
        return self.size == self._file.bytes

    @property
    def found(self) -> str:
        """The SHA-256 of what is here, in hex."""
        return self._sum.hexdigest()

    def finish(self) -> None:
        """Put it in its place, over what was there. After this a power cut finds it whole."""
        sync(self._handle)
        self._path.replace(self.target)
        for place in (self.target.parent, *self.target.parent.parents):
            sync_folder(place)
            if place == self._folder:
                break

    def discard(self) -> None:
        """Remove it."""
        self._path.unlink(missing_ok=True)


def part_size(folder: Path, file: CardFile) -> int:
    """Bytes of ``file`` that an earlier run left; 0 where they are too many to be right."""
    try:
        size = (folder / (file.path + PART)).lstat().st_size
    except FileNotFoundError:
        return 0
    return size if size <= file.bytes else 0


def digest(path: Path, note: Callable[[int], None]) -> str:
    """The SHA-256 of a file in hex. Raises OSError, and whatever ``note`` raises."""
    found = hashlib.sha256()
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for piece in _pieces(handle):
            found.update(piece)
            note(len(piece))
    finally:
        os.close(handle)
    return found.hexdigest()


def _opened(path: Path) -> int:
    """A handle to read and write a file of our own: no link and no pipe."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    handle = os.open(path, flags, 0o666)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    return handle


def _pieces(handle: int) -> Iterator[bytes]:
    while piece := os.read(handle, PIECE):
        yield piece
