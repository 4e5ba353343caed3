"""Foreign weights become models of ours: a file from elsewhere, or a checkpoint just downloaded."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from app.convert.importing import Brought
from app.core.card import Origin, Receipt
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
    with brought(file, folders, report, cancelled) as found:
        if found is None:
            return None
        staging, made = found
        # 2. Its name, and its receipt
        root = folders.installed
        folder = receipts.folder_of(root, _free_id(root, file.stem), "file")
        receipt = Receipt(
            id=folder.parent.name,
            title=_title(file.stem),
            kind=made.kind,
            family=made.family,
            origin=Origin.FILE,
            source=_title(file.name),
            files=made.files,
            installed=now(),
        )
        receipts.write(staging, receipt)
        # 3. Its place: a model from one moment to the next, or never
        _take_place(staging, folder)
        return Installed(folder, receipt)


@contextlib.contextmanager
def brought(
    file: Path, folders: Folders, report: Report, cancelled: IsCancelled
) -> Iterator[tuple[Path, Brought] | None]:
    """What has become of ``file``, and the hidden folder it is in; None when it was stopped.

    The folder is gone at the end, unless it was given another name. Raises as ``import_file`` does.
    """
    staging = folders.installed / f"{receipts.STAGING_PREFIX}{os.urandom(8).hex()}"
    try:
        made = import_file(file, staging, folders.resources, report, cancelled)
        yield None if made is None else (staging, made)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def now() -> str:
    """This moment as a receipt says it: ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _take_place(staging: Path, folder: Path) -> None:
    """Never over what is there."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging.rename(folder)
    except OSError as error:
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
