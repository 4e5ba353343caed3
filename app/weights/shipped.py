"""The files of a model that come with Easel itself, put beside those that were fetched."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path

from app.core.card import CardFile, ModelCard
from app.core.errors import CardProblem
from app.files.atomic_file import write_over
from app.weights.catalogue import shipped_file
from app.weights.transfer import stay_inside


def copy_shipped(
    card: ModelCard, folder: Path, resources: Path, only: Collection[str] | None = None
) -> None:
    """Put the shipped files of ``card`` (of the paths ``only``) into ``folder``, proven.

    Raises CardProblem (one is missing or damaged), FolderNotWritable, NoSpace.
    """
    for file in card.files:
        if file.shipped and (only is None or file.path in only):
            data = _proven(card, file, resources)
            stay_inside(card, folder, file)
            target = folder / file.path
            if target.is_symlink():  # which ``write_over`` would follow
                target.unlink()
            write_over(target, data)


def _proven(card: ModelCard, file: CardFile, resources: Path) -> bytes:
    try:
        data = shipped_file(resources, card, file).read_bytes()
    except OSError as error:
        raise CardProblem(card.id, f"{file.path}, which comes with Easel, is missing") from error
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise CardProblem(card.id, f"{file.path}, which comes with Easel, is damaged")
    return data
