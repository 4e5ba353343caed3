"""Files that are either whole or not there, whatever happens while they are written."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from app.core.errors import FolderNotWritable, NoSpace
from app.files.on_disk import sync, sync_folder

PART_PREFIX = ".easel-"
PART_SUFFIX = ".part"
STALE_AFTER_S = 3600.0
"""A part this old was left by a program that was killed; no write takes an hour."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REASONS = {
    errno.EACCES: "permission",
    errno.EPERM: "permission",
    errno.EROFS: "read-only",
    errno.ENOTDIR: "not a folder",
    errno.EEXIST: "not a folder",
    errno.EISDIR: "a folder is in the way",
    errno.ENAMETOOLONG: "name too long",
    errno.EILSEQ: "name not allowed",
    errno.EINVAL: "name not allowed",
    errno.ENOENT: "gone",
}
_NO_LINKS = frozenset(
    {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
)


def write_new(folder: Path, stem: str, suffix: str, data: bytes) -> Path:
    """Write ``data`` to a new file of ``folder`` and return it; makes the folder.

    The name is ``stem + suffix``, or with " 2", " 3"... before the suffix where that is taken;
    two programs that ask at the same time get two names. Nothing is ever overwritten. Raises
    FolderNotWritable, NoSpace.
    """
    with _typed_errors(folder, len(data)), _part(folder, data) as part:
        number = 1
        while True:
            target = folder / f"{stem}{suffix if number == 1 else f' {number}{suffix}'}"
            if _claim(part, target):
                _sync_names(folder)
                return target
            number += 1


def write_over(file: Path, data: bytes, *, durable: bool = True) -> None:
    """Write ``data`` to ``file``, in place of what was there; makes the folder.

    Anyone who looks finds the old content or the new. A link is followed, so that the file it
    points at is the one replaced. Without ``durable`` a power cut may leave an empty file, and
    nothing waits for the disk: for what can be made again. Raises FolderNotWritable, NoSpace.
    """
    with _typed_errors(file.parent, len(data)):
        target = Path(os.path.realpath(file))
        with _part(target.parent, data, durable=durable) as part:
            part.replace(target)
            if durable:
                _sync_names(target.parent)


def check_writable(folder: Path) -> None:
    """Write a byte into ``folder`` and take it away again; makes the folder.

    Raises FolderNotWritable, NoSpace.
    """
    with _typed_errors(folder, 1), _part(folder, b"?"):
        pass


def sweep(folder: Path) -> None:
    """Remove what killed programs left in ``folder``. Raises nothing."""
    with contextlib.suppress(OSError):
        for part in folder.glob(f"{PART_PREFIX}*{PART_SUFFIX}"):
            with contextlib.suppress(OSError):
                if time.time() - part.stat().st_mtime > STALE_AFTER_S:
                    part.unlink()


def world_error(error: OSError, folder: Path, needed: int) -> FolderNotWritable | NoSpace:
    """What ``error`` means for a write of ``needed`` bytes into ``folder``."""
    if error.errno in _FULL:
        return NoSpace(str(folder), needed, free_bytes(folder))
    reason = _REASONS.get(error.errno or 0) or (error.strerror or str(error)).lower()
    return FolderNotWritable(str(folder), reason)


def free_bytes(folder: Path) -> int:
    """Bytes free where ``folder`` is or would be; 0 where the system does not say."""
    for place in (folder, *folder.parents):
        with contextlib.suppress(OSError):
            return shutil.disk_usage(place).free
    return 0


@contextlib.contextmanager
def _typed_errors(folder: Path, needed: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise world_error(error, folder, needed) from error
    except ValueError as error:  # a NUL in the path
        raise FolderNotWritable(str(folder), "name not allowed") from error


@contextlib.contextmanager
def _part(folder: Path, data: bytes, *, durable: bool = True) -> Iterator[Path]:
    """A hidden file of ``folder`` that holds ``data``, on the disk; gone at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{PART_PREFIX}{os.urandom(8).hex()}{PART_SUFFIX}"
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            if durable:
                sync(file.fileno())
        yield part
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _claim(part: Path, target: Path) -> bool:
    """Give ``part`` the name ``target``; false when it is taken."""
    try:
        os.link(part, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _claim_without_links(part, target)
    return True


def _claim_without_links(part: Path, target: Path) -> bool:
    """As ``_claim``, where the file system has no hard links (exFAT, some network disks).

    The name is reserved by a second, hidden name, so that two Easels cannot both see it free.
    """
    reserved = target.with_name(f"{PART_PREFIX}{target.name}{PART_SUFFIX}")
    try:
        os.close(os.open(reserved, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    try:
        if os.path.lexists(target):
            return False
        part.rename(target)
        return True
    finally:
        with contextlib.suppress(OSError):
            reserved.unlink()


def _sync_names(folder: Path) -> None:
    """The file itself is there already, and whole: this is only about how soon."""
    with contextlib.suppress(OSError):
        sync_folder(folder)
