"""Models to another disk: everything is there, and proven, before the old place is given up."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from app.core.card import CardFile
from app.core.errors import (
    FolderNotWritable,
    ModelDamaged,
    ModelError,
    ModelIncomplete,
    NoSpace,
)
from app.files.atomic_file import free_bytes, world_error, write_over
from app.files.on_disk import sync
from app.weights import receipts
from app.weights.events import Cancelled, Checking
from app.weights.paths import LICENCE_TEXT, RECEIPT
from app.weights.receipts import Installed
from app.weights.unfinished import Unfinished

HEADROOM = 2**30
"""Bytes left free on the other disk."""
_CHUNK = 1 << 20

Report = Callable[[Checking], None]


def copy_models(
    models: tuple[Installed, ...],
    root: Path,
    report: Report,
    cancelled: Cancelled,
    begun: tuple[Unfinished, ...] = (),
    along: tuple[Path, ...] = (),
) -> bool:
    """Put a whole copy of each of ``models`` below ``root``; False when stopped, nothing kept.

    On the same disk a file gets a second name and is not read; on another one its hash is proven
    on the way. What has come of a download that was ``begun`` goes along as it is, and so do the
    folders ``along``, which lie as models do (``ID/NAME``). A model that is there already, the same
    and whole, stays. Raises ModelDamaged, ModelIncomplete, NoSpace,
    FolderNotWritable (also for a ``root`` inside a model, and where another model has the name of
    one of these).
    """
    # 1. What has to go there, and is there room?
    further = (*(one.folder for one in begun), *along)
    _check_root((*(one.folder for one in models), *further), root)
    wanted = [one for one in models if not _is_there(root, one)]
    parts = [folder for folder in further if not _place(root, folder).exists()]
    total = sum(one.receipt.disk for one in wanted) + sum(map(_bytes_in, parts))
    folders = (*(one.folder for one in wanted), *parts)
    if not _same_disk(folders, root) and free_bytes(root) < total + HEADROOM:
        raise NoSpace(str(root), total + HEADROOM, free_bytes(root))
    # 2. Each into a hidden folder, whole, then under its name
    copying = _Copying(root, total, report, cancelled)
    try:
        for model in wanted:
            receipts.check(model.folder, model.receipt)
            copying.copy_model(model)
        for folder in parts:
            copying.copy_folder(folder)
    except _Stopped:
        return False
    except OSError as error:
        raise world_error(error, root, total) from error
    else:
        copying.keep()
    finally:
        copying.end()
    return True


class _Stopped(Exception):
    pass


class _Copying:
    """What was put below ``root`` so far; ``end`` takes it away again unless it is to be kept."""

    def __init__(self, root: Path, total: int, report: Report, cancelled: Cancelled) -> None:
        self._root, self._total = root, total
        self._report, self._cancelled = report, cancelled
        self._done = 0
        self._placed: list[Path] = []
        self._staging = root / f"{receipts.STAGING_PREFIX}{os.urandom(8).hex()}"

    def copy_model(self, model: Installed) -> None:
        """Raises _Stopped, OSError, ModelDamaged."""
        for file in model.receipt.files:
            found = self._copy(model.folder / file.path, self._staging / file.path, file)
            if found and found != file.sha256:
                raise ModelDamaged(str(model.folder / file.path), "mismatch")
        for name in (LICENCE_TEXT, RECEIPT):  # the licence's text, and the receipt after it
            if (model.folder / name).exists():
                write_over(self._staging / name, (model.folder / name).read_bytes())
        self._put(model.folder)

    def copy_folder(self, folder: Path) -> None:
        """As it is. Raises _Stopped, OSError."""
        for file in sorted(folder.rglob("*")):
            if file.is_file() and not file.is_symlink():
                path = file.relative_to(folder)
                self._copy(file, self._staging / path, CardFile(str(path), file.stat().st_size, ""))
        self._put(folder)

    def keep(self) -> None:
        self._placed = []

    def end(self) -> None:
        for place in (self._staging, *self._placed):
            shutil.rmtree(place, ignore_errors=True)
            with contextlib.suppress(OSError):
                if place.parent != self._root:
                    place.parent.rmdir()

    def _put(self, folder: Path) -> None:
        self._placed.append(receipts.move_in(self._staging, _place(self._root, folder)))

    def _copy(self, old: Path, new: Path, file: CardFile) -> str:
        """Its SHA-256, or "" where it was given a second name and not read."""
        self._went(0, file.path)
        new.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):  # another disk, or one without hard links
            os.link(old, new)
            self._went(file.bytes, file.path)
            return ""
        digest = hashlib.sha256()
        with old.open("rb") as reading, new.open("xb") as writing:
            while piece := reading.read(_CHUNK):
                digest.update(piece)
                writing.write(piece)
                self._went(len(piece), file.path)
            writing.flush()
            sync(writing.fileno())
        return digest.hexdigest()

    def _went(self, count: int, path: str) -> None:
        if self._cancelled():
            raise _Stopped
        self._done += count
        if count:
            self._report(Checking(self._done, self._total, path))


def _place(root: Path, folder: Path) -> Path:
    """``ID/REVISION`` below ``root``."""
    return receipts.folder_of(root, folder.parent.name, folder.name)


def _bytes_in(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file())


def _is_there(root: Path, model: Installed) -> bool:
    """Raises FolderNotWritable for another model of its name."""
    place = _place(root, model.folder)
    try:
        found = receipts.read(place)
    except ModelError:  # none, or none that could be used
        return False
    if found.files != model.receipt.files:
        raise FolderNotWritable(str(place), "a folder is in the way")
    try:
        receipts.check(place, found)
    except ModelIncomplete:
        return False
    return True


def _check_root(folders: tuple[Path, ...], root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise world_error(error, root, 0) from error
    if any(root.resolve().is_relative_to(folder.resolve()) for folder in folders):
        raise FolderNotWritable(str(root), "it lies inside a model")


def _same_disk(folders: tuple[Path, ...], root: Path) -> bool:
    disks = {folder.stat().st_dev for folder in folders}
    return disks <= {root.stat().st_dev}
