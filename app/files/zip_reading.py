"""Zips from elsewhere, opened so that neither their lists nor their numbers can do harm."""

from __future__ import annotations

import contextlib
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from app.core.errors import ImportRefused

MAX_READ_BYTES = 4 * 2**20
"""The list of a zip's entries is read whole. A model's takes 0.1 MB."""

_STUMBLES = (ValueError, OverflowError, struct.error, RuntimeError)
"""What zipfile raises, besides BadZipFile, for numbers and names that make no sense."""


@contextlib.contextmanager
def opened_zip(file: Path) -> Iterator[zipfile.ZipFile]:
    """``file`` as a zip. Whatever zipfile says of it, then and later, is ImportRefused."""
    try:
        with file.open("rb") as opened:
            if opened.read(4) != b"PK\x03\x04":
                raise ImportRefused(str(file), "unknown format")
            opened.seek(0)
            with _directory_read(opened) as zipped:
                yield zipped
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ImportRefused(str(file), "missing") from error
    except (PermissionError, IsADirectoryError) as error:
        raise ImportRefused(str(file), "permission") from error
    except _TooLarge as error:
        raise ImportRefused(str(file), "too large") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise ImportRefused(str(file), "damaged") from error


def entry_opened(zipped: zipfile.ZipFile, entry: zipfile.ZipInfo) -> IO[bytes]:
    """Raises BadZipFile, also for the numbers that zipfile itself stumbles over."""
    try:
        return zipped.open(entry)
    except _STUMBLES as error:
        raise zipfile.BadZipFile from error


class _Bounded:
    """The file of a zip that nobody can be made to read into memory at once.

    ``zipfile`` asks for the whole list of entries in one read, of whatever size the file says.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(min(size, MAX_READ_BYTES + 1) if size >= 0 else MAX_READ_BYTES + 1)
        if len(data) > MAX_READ_BYTES:
            raise _TooLarge
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class _TooLarge(Exception):
    pass


def _directory_read(opened: IO[bytes]) -> zipfile.ZipFile:
    """Raises BadZipFile, as ``entry_opened`` does."""
    try:
        return zipfile.ZipFile(_Bounded(opened))
    except _STUMBLES as error:
        raise zipfile.BadZipFile from error
