"""Foreign weights become models of ours: a file from elsewhere, or a checkpoint just downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from app.convert.importing import Brought
from app.core.card import CardFile, Origin, Receipt
from app.core.folders import Folders
from app.files.atomic_file import world_error
from app.jobs.importing import import_file
from app.weights import receipts
from app.weights.receipts import Installed

Report = Callable[[object], None]
IsCancelled = Callable[[], bool]


def bring(file: Path, folders: Folders, report: Report, cancelled: IsCancelled) -> Installed | None:
    """Bring in a model file from elsewhere; None when it was stopped.

    Raises ImportRefused, NoSpace, FolderNotWritable.
    """
    # 1. In a child of its own, into a folder that nobody takes for a model
    file = file.expanduser().absolute()
    staging = _staging(folders)
    brought = import_file(file, staging, folders.resources, report, cancelled)
    if brought is None:
        return None
    # 2. Its name, and its receipt
    root = folders.installed
    folder = receipts.folder_of(root, _free_id(root, file.stem), "file")
    receipt = Receipt(
        id=folder.parent.name,
        title=_title(file.stem),
        kind=brought.kind,
        family=brought.family,
        origin=Origin.FILE,
        source=_title(file.name),
        files=brought.files,
        installed=now(),
    )
    _take_place(staging, folder)
    receipts.write(folder, receipt)
    return Installed(folder, receipt)


def unfold(
    folder: Path, checkpoint: CardFile, folders: Folders, report: Report, cancelled: IsCancelled
) -> Brought | None:
    """Turn the downloaded ``checkpoint`` in ``folder`` into a diffusers folder in its place.

    None when it was stopped. Raises as ``bring`` does.
    """
    staging = _staging(folders)
    brought = import_file(folder / checkpoint.path, staging, folders.resources, report, cancelled)
    if brought is not None:
        shutil.rmtree(folder)
        _take_place(staging, folder)
    return brought


def now() -> str:
    """This moment as a receipt says it: ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _staging(folders: Folders) -> Path:
    return folders.installed / f"{receipts.STAGING_PREFIX}{os.urandom(8).hex()}"


def _take_place(staging: Path, folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging.rename(folder)
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise world_error(error, folder, 0) from error


def _free_id(root: Path, stem: str) -> str:
    """A folder's name made of ``stem`` that no model has yet."""
    letters = "".join(c if c.isascii() and (c.isalnum() or c in ".-") else "-" for c in stem)
    base = letters.strip(".-")[:60].lower() or "model"
    number, name = 1, base
    while (root / name).exists():
        number += 1
        name = f"{base}-{number}"
    return name


def _title(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text).strip()[:100] or "Model"
