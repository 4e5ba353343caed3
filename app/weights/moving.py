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

HEADROOM = 2**30
"""Bytes left free on the other disk."""
_CHUNK = 1 << 20

Report = Callable[[Checking], None]


def copy_models(
    models: tuple[Installed, ...], root: Path, report: Report, cancelled: Cancelled
) -> bool:
    """Put a whole copy of each of ``models`` below ``root``; False when stopped, nothing kept.

    On the same disk a file gets a second name and is not read; on another one its hash is proven
    on the way. The same model that is there already, whole, stays. Raises ModelDamaged,
    ModelIncomplete, NoSpace, FolderNotWritable (also for a ``root`` inside a model, and where
    another model has the name of one of these).
    """
    # 1. What has to go there, and is there room?
    _check_root(models, root)
    wanted = [one for one in models if not _is_there(root, one)]
    total = sum(one.receipt.disk for one in wanted)
    if not _same_disk(models, root) and free_bytes(root) < total + HEADROOM:
        raise NoSpace(str(root), total + HEADROOM, free_bytes(root))
    # 2. Each model into a hidden folder, whole, then under its name
    done = 0
    for model in wanted:
        receipts.check(model.folder, model.receipt)
        staging = root / f"{receipts.STAGING_PREFIX}{os.urandom(8).hex()}"
        try:
            for file in model.receipt.files:
                if cancelled():
                    return False
                _copy_file(model.folder, staging, file, cancelled)
                done += file.bytes
                report(Checking(done, total, file.path))
            _copy_papers(model.folder, staging)
            receipts.move_in(staging, _place(root, model))
        except _Stopped:
            return False
        except OSError as error:
            raise world_error(error, root, total) from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return True


class _Stopped(Exception):
    pass


def _place(root: Path, model: Installed) -> Path:
    return receipts.folder_of(root, model.receipt.id, model.folder.name)


def _is_there(root: Path, model: Installed) -> bool:
    """Raises FolderNotWritable for another model of its name."""
    place = _place(root, model)
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


def _check_root(models: tuple[Installed, ...], root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise world_error(error, root, 0) from error
    if any(root.resolve().is_relative_to(model.folder.resolve()) for model in models):
        raise FolderNotWritable(str(root), "it lies inside a model")


def _same_disk(models: tuple[Installed, ...], root: Path) -> bool:
    disks = {model.folder.stat().st_dev for model in models}
    return disks <= {root.stat().st_dev}


def _copy_file(source: Path, target: Path, file: CardFile, cancelled: Cancelled) -> None:
    old, new = source / file.path, target / file.path
    new.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):  # another disk, or one without hard links
        os.link(old, new)
        return
    digest = hashlib.sha256()
    with old.open("rb") as reading, new.open("xb") as writing:
        while piece := reading.read(_CHUNK):
            if cancelled():
                raise _Stopped
            digest.update(piece)
            writing.write(piece)
        writing.flush()
        sync(writing.fileno())
    if digest.hexdigest() != file.sha256:
        raise ModelDamaged(str(old), "mismatch")


def _copy_papers(source: Path, target: Path) -> None:
    """The licence's text, and the receipt after it."""
    for name in (LICENCE_TEXT, RECEIPT):
        if (source / name).exists():
            write_over(target / name, (source / name).read_bytes())
