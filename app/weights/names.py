"""A card's names, before anything is made of them: none may lead out of the folder."""

from __future__ import annotations

import re

from app.core.card import ModelCard
from app.core.errors import CardProblem
from app.files.disk_names import clash
from app.weights.paths import is_safe_path

PART = ".part"
"""What a file is called, beside its place, until it is whole."""

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")


def check_card(card: ModelCard) -> None:
    """Raises CardProblem for a card that cannot be fetched safely."""
    # 1. Where the files come from
    if not _REPOSITORY.fullmatch(card.repository) or ".." in card.repository:
        raise CardProblem(card.id, "its repository is not a name on the hub")
    if not is_safe_path(card.revision) or (card.subfolder and not is_safe_path(card.subfolder)):
        raise CardProblem(card.id, "a name in it leads out of its repository")
    # 2. Where each goes, and how it is proven
    for file in card.files:
        if not is_safe_path(file.path):
            raise CardProblem(card.id, f"{file.path[:80]!r} is no name for a file of a model")
        if file.bytes < 0 or not _SHA256.fullmatch(file.sha256):
            raise CardProblem(card.id, f"the size or the checksum of {file.path} is not known")
    # 3. No two in one place, not even on their way
    twin = clash(path for file in card.files for path in (file.path, file.path + PART))
    if twin:
        raise CardProblem(card.id, f"two of its files share the place of {twin}")
