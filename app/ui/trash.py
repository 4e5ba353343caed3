"""Moves files to the Trash and back."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QFile, QStandardPaths

from app.core.errors import EaselError, FolderNotWritable, PictureUnreadable


@dataclass(frozen=True, slots=True)
class Trashed:
    """A file that was at ``file`` and is at ``now``."""

    file: Path
    now: Path


def to_trash(file: Path, own: Path | None = None) -> Trashed:
    """Move ``file`` to the Trash; where there is none to be had, to the folder ``own``.

    Raises PictureUnreadable ("missing"), FolderNotWritable. Any thread.
    """
    moved = QFile(str(file))
    if not moved.exists():
        raise PictureUnreadable(str(file), "missing")
    # Qt makes the Trash where there is none, but not the folder it goes into.
    data = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericDataLocation)
    with contextlib.suppress(OSError):
        Path(data).mkdir(parents=True, exist_ok=True)
    if moved.moveToTrash():
        return Trashed(file, Path(moved.fileName()))
    if own is None:
        raise FolderNotWritable(str(file.parent), moved.errorString())
    return _aside(file, own)


def to_trash_all(files: list[Path], own: Path) -> tuple[list[Trashed], EaselError | None]:
    """All that can be; and why the first one that cannot be stays. Raises nothing."""
    done, problem = [], None
    for file in files:
        try:
            done.append(to_trash(file, own))
        except EaselError as error:
            problem = problem or error
    return done, problem


def out_of_trash(trashed: Trashed) -> Path:
    """Put the file back where it was. Raises PictureUnreadable ("missing"), FolderNotWritable."""
    target = trashed.file
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            raise FolderNotWritable(str(target.parent), "a file is in the way")
        shutil.move(trashed.now, target)
    except FileNotFoundError as error:
        raise PictureUnreadable(str(trashed.now), "missing") from error
    except OSError as error:
        raise FolderNotWritable(str(target.parent), (error.strerror or "").lower()) from error
    # Linux notes beside the Trash where a file came from; a note without its file is litter.
    note = trashed.now.parent.parent / "info" / f"{trashed.now.name}.trashinfo"
    with contextlib.suppress(OSError):
        note.unlink(missing_ok=True)
    return target


def _aside(file: Path, own: Path) -> Trashed:
    """A folder of its own for each, so that no two names meet."""
    try:
        place = own / secrets.token_hex(4)
        place.mkdir(parents=True)
        now = place / file.name
        shutil.move(file, now)
    except OSError as error:
        raise FolderNotWritable(str(file.parent), (error.strerror or "").lower()) from error
    return Trashed(file, now)
