"""The bytes of a file that have arrived so far, in ``<name>.part`` beside its place."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

from app.core.card import CardFile
from app.weights.names import PART

PIECE = 1 << 20


class Part:
    """``file`` on its way into ``folder``. Opening it reads again what earlier runs left.

    ``size`` is how many bytes are here, ``fresh`` whether all of them came in this run. Raises
    OSError, and whatever ``note`` (called with the bytes of each piece that was read) raises.
    """

    def __init__(self, folder: Path, file: CardFile, note: Callable[[int], None]) -> None:
        self.target = folder / file.path
        self.size = 0
        self._folder, self._file = folder, file
        self._path = self.target.with_name(self.target.name + PART)
        self._sum = hashlib.sha256()
        self.target.parent.mkdir(parents=True, exist_ok=True)
        # Never through a link: whoever planted one wants another file overwritten.
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._handle = os.open(self._path, flags, 0o666)
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
        self.fresh = self.size == 0

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

    def restart(self) -> None:
        """Let go of every byte."""
        os.ftruncate(self._handle, 0)
        os.lseek(self._handle, 0, os.SEEK_SET)
        self._sum, self.size, self.fresh = hashlib.sha256(), 0, True

    @property
    def whole(self) -> bool:
        return self.size == self._file.bytes

    @property
    def found(self) -> str:
        """The SHA-256 of what is here, in hex."""
        return self._sum.hexdigest()

    def finish(self) -> None:
        """Put it in its place, over what was there. After this a power cut finds it whole."""
        os.fsync(self._handle)
        self._path.replace(self.target)
        for place in (self.target.parent, *self.target.parent.parents):
            _sync_folder(place)
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


def _pieces(handle: int) -> Iterator[bytes]:
    while piece := os.read(handle, PIECE):
        yield piece


def _sync_folder(folder: Path) -> None:
    """Put the names themselves on the disk. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
