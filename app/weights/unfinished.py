"""Downloads that were interrupted: what lies in a model's folder that has no receipt yet.

Standard library only: the window's process reads it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.core.card import ModelCard
from app.files.atomic_file import world_error
from app.weights import receipts
from app.weights.alone import is_held
from app.weights.part import part_size
from app.weights.paths import RECEIPT


@dataclass(frozen=True, slots=True)
class Unfinished:
    """``done`` of the bytes of ``card`` are in ``folder``."""

    card: ModelCard
    folder: Path
    done: int


def unfinished(root: Path, cards: Iterable[ModelCard]) -> tuple[Unfinished, ...]:
    """Those of ``cards`` of which something has arrived below ``root``, but not all.

    What another Easel is working on now is left out. Raises nothing.
    """
    found = []
    for card in cards:
        folder = receipts.folder_of(root, card.id, card.revision)
        if os.path.lexists(folder / RECEIPT) or is_held(folder.parent) or is_held(folder):
            continue
        done = sum(_here(folder, card))
        if done:
            found.append(Unfinished(card, folder, done))
    return tuple(found)


def discard(folder: Path) -> None:
    """Take away what an interrupted download left in ``folder``; a model is left alone.

    Raises FolderNotWritable.
    """
    if os.path.lexists(folder / RECEIPT) or not os.path.lexists(folder):
        return
    try:
        leaving = folder.with_name(f"{receipts.REMOVED_PREFIX}{os.urandom(8).hex()}")
        folder.rename(leaving)
        shutil.rmtree(leaving)
    except OSError as error:
        raise world_error(error, folder, 0) from error
    with contextlib.suppress(OSError):  # another revision is there
        folder.parent.rmdir()


def _here(folder: Path, card: ModelCard) -> Iterable[int]:
    """The bytes of each file of ``card`` that are there, whole or in part."""
    for file in card.files:
        if file.shipped:
            continue
        with contextlib.suppress(OSError):
            try:
                whole = (folder / file.path).lstat().st_size == file.bytes
            except FileNotFoundError:
                whole = False
            yield file.bytes if whole else part_size(folder, file)
