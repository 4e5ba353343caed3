"""Unpacks a zip from elsewhere into a new folder: all of it, or nothing.

What a Mac's Finder adds to a zip (``__MACOSX``, ``.DS_Store``) is left out; every other entry has
to be a plain file or folder with a name that stays inside.
"""

from __future__ import annotations

import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from app.core.errors import ImportRefused, NoSpace
from app.files.atomic_file import free_bytes, world_error
from app.files.disk_names import clash, is_safe_part
from app.files.zip_reading import entry_opened, opened_zip

MAX_FILES = 5_000
MAX_BYTES = 24 * 2**30
"""Of all files together. The largest published folder (SDXL, half precision) takes 7 GB."""
MAX_RATIO = 60
"""How many times larger than packed an entry may be. A model's text is packed 20 times."""
FREE_OF_RATIO = 1 << 20
"""Bytes that any entry may hold, however well they are packed."""
HEADROOM = 2**30
"""Bytes left free on the disk beyond what is unpacked."""

_CHUNK = 1 << 20
_FINDER = "__MACOSX"

Report = Callable[[int, int], None]
"""Told the bytes done so far and the bytes in all, after each MiB."""
IsCancelled = Callable[[], bool]


def unpack(file: Path, staging: Path, report: Report, cancelled: IsCancelled) -> bool:
    """Unpack ``file`` into ``staging``, which does not exist yet. False when it was cancelled.

    On anything but True, ``staging`` does not exist after it either. Raises ImportRefused, NoSpace,
    FolderNotWritable.
    """
    with opened_zip(file) as zipped:
        # 1. Every entry has a name that stays inside, and sizes that make sense
        entries = _entries(file, zipped)
        total = sum(entry.file_size for entry in entries.values())
        free = free_bytes(staging.parent)
        if free < total + HEADROOM:
            raise NoSpace(str(staging.parent), total + HEADROOM, free)
        # 2. One file after the other; zipfile proves each one's checksum at its end
        whole = False
        try:
            staging.mkdir(parents=True)
        except OSError as error:
            raise world_error(error, staging.parent, total) from error
        try:
            done = 0
            for path, entry in entries.items():
                for size in _written(zipped, entry, staging, path):
                    done += size
                    report(done, total)
                    if cancelled():
                        return False
            whole = True
        finally:
            if not whole:
                shutil.rmtree(staging, ignore_errors=True)
    return True


def _entries(file: Path, zipped: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files by their path, with "/"."""
    found: dict[str, zipfile.ZipInfo] = {}
    packed = 0
    for entry in zipped.infolist():
        parts = entry.filename.removesuffix("/").split("/")
        if parts[0] == _FINDER or parts[-1] == ".DS_Store":
            continue
        if entry.filename != entry.orig_filename or not all(is_safe_part(part) for part in parts):
            raise ImportRefused(str(file), "unsafe names")
        _check_kind(file, entry)
        if not entry.is_dir():
            if entry.filename in found:
                raise ImportRefused(str(file), "unsafe names")
            found[entry.filename] = entry
            packed += entry.compress_size
    if clash(found):
        raise ImportRefused(str(file), "unsafe names")
    # Entries that lie over each other hold more together than the file does
    if packed > file.stat().st_size:
        raise ImportRefused(str(file), "hostile")
    if len(found) > MAX_FILES or sum(one.file_size for one in found.values()) > MAX_BYTES:
        raise ImportRefused(str(file), "too large")
    if not found:
        raise ImportRefused(str(file), "unknown format")
    return found


def _check_kind(file: Path, entry: zipfile.ZipInfo) -> None:
    """A link, a device, an encrypted entry or a bomb is refused."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or entry.flag_bits & 0x1:
        raise ImportRefused(str(file), "hostile")
    if entry.file_size > FREE_OF_RATIO + MAX_RATIO * entry.compress_size:
        raise ImportRefused(str(file), "hostile")


def _written(
    zipped: zipfile.ZipFile, entry: zipfile.ZipInfo, staging: Path, path: str
) -> Iterator[int]:
    """Write one entry; gives the bytes of each chunk. Raises FolderNotWritable, NoSpace."""
    target = staging / path
    with entry_opened(zipped, entry) as source:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            into = target.open("xb")
        except OSError as error:
            raise world_error(error, staging.parent, entry.file_size) from error
        with into:
            while chunk := source.read(_CHUNK):
                try:
                    into.write(chunk)
                except OSError as error:
                    raise world_error(error, staging.parent, entry.file_size) from error
                yield len(chunk)
