"""The models that a person has named: each a JSON file with its card and its licence's text.

Standard library only: the window's process reads them at start. They are read as if a stranger had
written them, because a stranger's repository is where they come from.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.core.card import CardFile, Kind, Licence, ModelCard
from app.core.errors import CardProblem
from app.core.model import Family
from app.files.atomic_file import world_error, write_over
from app.files.disk_names import clash
from app.weights.licences import licence_of
from app.weights.names import check_card
from app.weights.paths import is_safe_name, is_safe_path

SCHEMA_VERSION = 1
MAX_BYTES = 8_000_000

_KEYS = frozenset({"schema_version", "card", "licence"})
_CARD_KEYS = frozenset(ModelCard.__dataclass_fields__)
_FILE_KEYS = frozenset(CardFile.__dataclass_fields__)
_LICENCE_KEYS = frozenset({"id", "title", "text", "origin"})
_TEXTS = ("id", "title", "summary", "repository", "revision", "licence")


@dataclass(frozen=True, slots=True)
class Named:
    """A model that a person named: its card, and what it comes under."""

    card: ModelCard
    licence: Licence


class NamedModels:
    """The files of one folder, each called by the id of its card."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> tuple[Named, ...]:
        """By title; a file that is damaged or of a newer Easel is passed over. Raises nothing."""
        found = []
        for file in sorted(self._folder.glob("*.json")):
            with contextlib.suppress(OSError, ValueError, CardProblem, RecursionError):
                found.append(_read(file))
        return tuple(sorted(found, key=lambda named: named.card.title))

    def find(self, id: str) -> Named | None:
        """The named model with that id, or None."""
        return next((named for named in self.all() if named.card.id == id), None)

    def own_id(self, card: ModelCard, others: Iterable[str]) -> str:
        """An id for ``card`` that neither ``others`` nor another named repository has."""
        taken = set(others)
        taken |= {named.card.id for named in self.all() if named.card.repository != card.repository}
        if card.id not in taken:
            return card.id
        return f"{card.id}-{hashlib.sha256(card.repository.encode()).hexdigest()[:8]}"

    def forget(self, id: str) -> bool:
        """Take that model off the list; whether it was on it. Raises FolderNotWritable."""
        named = self.find(id)
        if named is None:
            return False
        try:
            (self._folder / f"{named.card.id}.json").unlink(missing_ok=True)
        except OSError as error:
            raise world_error(error, self._folder, 0) from error
        return True

    def keep(self, named: Named) -> None:
        """Keep ``named``, in place of one with its id. Raises FolderNotWritable, NoSpace."""
        text = named.licence
        data = {
            "schema_version": SCHEMA_VERSION,
            "card": asdict(named.card),
            "licence": {key: getattr(text, key) for key in sorted(_LICENCE_KEYS)},
        }
        file = self._folder / f"{named.card.id}.json"
        write_over(file, f"{json.dumps(data, indent=1)}\n".encode())


def _read(file: Path) -> Named:
    """Raises ValueError, OSError, CardProblem."""
    with file.open("rb") as opened:
        text = opened.read(MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise ValueError("too long")
    data = _object(json.loads(text), _KEYS)
    if data["schema_version"] != SCHEMA_VERSION:
        raise ValueError("another version")
    card = _card(_object(data["card"], _CARD_KEYS))
    if card.id != file.stem:
        raise ValueError("another name")
    row = _object(data["licence"], _LICENCE_KEYS)
    if not all(isinstance(value, str) for value in row.values()) or row["id"] != card.licence:
        raise ValueError("not its licence")
    return Named(card, licence_of(row["id"], row["title"], row["text"], row["origin"]))


def _card(row: dict[str, Any]) -> ModelCard:
    if not all(isinstance(row[key], str) for key in _TEXTS) or not is_safe_name(row["id"]):
        raise ValueError("not a card")
    if not is_safe_name(row["revision"]) or type(row["gated"]) is not bool:
        raise ValueError("not a card")
    if any(type(row[key]) is not int or row[key] < 0 for key in ("memory", "disk")):
        raise ValueError("not a number of bytes")
    if not isinstance(row["files"], list):
        raise ValueError("not files")
    card = ModelCard(
        **{key: row[key] for key in (*_TEXTS, "memory", "disk", "gated")},
        kind=Kind(row["kind"]),
        family=Family(row["family"]),
        files=tuple(_file(one) for one in row["files"]),
    )
    check_card(card)
    if not card.files or clash(file.path for file in card.files):
        raise ValueError("no files, or two in one place")
    return card


def _file(data: object) -> CardFile:
    row = _object(data, _FILE_KEYS)
    path, size, sha256 = row["path"], row["bytes"], row["sha256"]
    if not isinstance(path, str) or not is_safe_path(path):
        raise ValueError("not the name of a file")
    if type(size) is not int or not isinstance(sha256, str) or row["shipped"] is not False:
        raise ValueError("not a file of a model")
    return CardFile(path, size, sha256)


def _object(data: object, keys: frozenset[str]) -> dict[str, Any]:
    if not isinstance(data, dict) or set(data) != keys:
        raise ValueError("not the keys that were kept")
    return data
