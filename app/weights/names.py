"""A card's names, before anything is made of them: none may lead out of the folder."""

from __future__ import annotations

import re
import unicodedata

from app.core.card import CardFile, ModelCard
from app.core.errors import CardProblem

PART = ".part"
LONGEST_NAME = 255 - len(PART)
"""In UTF-8 bytes: what file systems allow, less what a file is called until it is whole."""

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")


def check_card(card: ModelCard) -> None:
    """Raises CardProblem for a card that cannot be fetched safely."""
    if not _REPOSITORY.fullmatch(card.repository) or ".." in card.repository:
        raise CardProblem(card.id, "its repository is not a name on the hub")
    _check_path(card.id, card.revision)
    if card.subfolder:
        _check_path(card.id, card.subfolder)
    for file in card.files:
        _check_file(card.id, file)
    _check_apart(card)


def _check_file(card: str, file: CardFile) -> None:
    _check_path(card, file.path)
    if file.bytes < 0 or not _SHA256.fullmatch(file.sha256):
        raise CardProblem(card, f"the size or the checksum of {file.path} is not known")


def _check_path(card: str, path: str) -> None:
    if not path or "\\" in path or any(unicodedata.category(sign)[0] == "C" for sign in path):
        raise CardProblem(card, "a name in it has signs that no file of a model has")
    for name in path.split("/"):
        if name in ("", ".", ".."):
            raise CardProblem(card, "a name in it leads out of its folder")
        if len(name.encode("utf-8")) > LONGEST_NAME:
            raise CardProblem(card, "a name in it is too long")


def _check_apart(card: ModelCard) -> None:
    """No two files in one place: on a Mac "A" and "a" are the same name."""
    taken: set[str] = set()
    folders: set[str] = set()
    for file in card.files:
        path = unicodedata.normalize("NFC", file.path).casefold()
        if taken & {path, path + PART}:
            raise CardProblem(card.id, f"two of its files share the place of {file.path}")
        taken |= {path, path + PART}
        folders |= {path[:end] for end, sign in enumerate(path) if sign == "/"}
    if taken & folders:
        raise CardProblem(card.id, "a file in it is in the place of a folder")
