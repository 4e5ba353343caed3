"""A zip of somebody's Core ML models becomes a folder that Easel draws with, or nothing of it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.core.card import CardFile
from app.core.model import Family
from app.engine.coreml.published import adopt, find_folder
from app.files.unpacking import unpack
from app.weights import receipts
from app.weights.events import Checking, Packing
from app.weights.paths import is_safe_path

Report = Callable[[object], None]
IsCancelled = Callable[[], bool]

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Adopted:
    """``folder`` has the models and their coreml.json; ``files`` are all of it, with hashes."""

    folder: Path
    family: Family
    files: tuple[CardFile, ...]


@contextlib.contextmanager
def adopted(
    packed: Path, root: Path, report: Report, cancelled: IsCancelled
) -> Iterator[Adopted | None]:
    """What is in the zip ``packed``, in a hidden folder below ``root``; None when it was stopped.

    The folder is gone at the end, unless it was given another name. Raises ImportRefused, NoSpace,
    FolderNotWritable, ModelError.
    """
    staging = root / f"{receipts.STAGING_PREFIX}{os.urandom(8).hex()}"
    try:
        # 1. Out of the zip
        if not unpack(packed, staging, lambda done, all: report(Packing(done, all)), cancelled):
            yield None
            return
        # 2. Which of its folders it is, and what the models say of themselves
        folder = find_folder(staging)
        manifest = adopt(folder)
        # 3. What a receipt will say is there
        files = _hashed(folder, report, cancelled)
        yield None if files is None else Adopted(folder, manifest.family, files)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _hashed(folder: Path, report: Report, cancelled: IsCancelled) -> tuple[CardFile, ...] | None:
    """Each file by its path; None when stopped."""
    found = {
        path: file
        for file in sorted(folder.rglob("*"))
        if file.is_file() and is_safe_path(path := file.relative_to(folder).as_posix())
    }
    total, done, rows = sum(file.stat().st_size for file in found.values()), 0, []
    for path, file in found.items():
        digest, size = hashlib.sha256(), 0
        with file.open("rb") as opened:
            while piece := opened.read(_CHUNK):
                digest.update(piece)
                size += len(piece)
                report(Checking(done + size, total, path))
                if cancelled():
                    return None
        done += size
        rows.append(CardFile(path, size, digest.hexdigest()))
    return tuple(rows)
