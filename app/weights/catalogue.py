"""The shelf: each file of ``models/catalog`` is one model that can be installed.

Standard library only: the window's process reads it at start. A card is checked as if a stranger
had written it, because one wrong byte count or path would be found by a person, much later.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from app.core.card import CardFile, Kind, ModelCard
from app.core.errors import CardProblem
from app.core.model import Family
from app.files.disk_names import clash
from app.weights.licences import KNOWN
from app.weights.paths import is_safe_path

MAX_CARD_BYTES = 1_000_000
MAX_FILE_BYTES = 100 * 2**30
"""No file of a Stable Diffusion is near it: a larger number is a slip of the pen."""

_Member = TypeVar("_Member", Kind, Family)

_ID = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_REVISION = re.compile(r"[0-9a-f]{40}|main")
_SHA256 = re.compile(r"[0-9a-f]{64}")

_TEXTS = ("id", "title", "summary", "kind", "family", "repository", "revision", "licence")
_NUMBERS = ("memory", "disk")
_OPTIONAL: dict[str, type] = {
    "needs": list,
    "subfolder": str,
    "unpack": bool,
    "withheld": str,
    "gated": bool,
}
_FILE_KEYS = frozenset({"path", "bytes", "sha256", "shipped"})
_ALONE = (Kind.CHECKPOINT,)
"""Kinds that are one file. So is a card to unpack."""

_NON_COMMERCIAL = frozenset(
    {
        "stabilityai/sd-turbo",
        "stabilityai/sdxl-turbo",
        "stabilityai/stable-video-diffusion-img2vid",
        "stabilityai/stable-video-diffusion-img2vid-xt",
    }
)
"""Under Stability AI's research licence, or nobody can tell. A person may add one by name."""


def shelf(folder: Path) -> tuple[ModelCard, ...]:
    """The cards of ``folder`` that can be installed, by title. Raises CardProblem."""
    return tuple(card for card in catalogue(folder) if not card.withheld)


def catalogue(folder: Path) -> tuple[ModelCard, ...]:
    """Every card of ``folder``, the withheld ones too, by title.

    A file that says ``built_in = true`` describes a model that comes with Easel: it is no card and
    is left out. Raises CardProblem for the first card that is not right.
    """
    if not folder.is_dir():
        raise CardProblem(folder.name, "the catalogue is missing")
    # 1. Each file for itself
    cards = []
    for file in sorted(folder.glob("*.toml")):
        document = _document(file)
        if document.get("built_in") is not True:
            cards.append(_card(file, document))
    # 2. What they say of each other
    known = {card.id: card for card in cards}
    for card in cards:
        for need in card.needs:
            if need == card.id or need not in known:
                raise CardProblem(card.id, f"it needs {need}, which is no other card")
            if known[need].withheld and not card.withheld:
                raise CardProblem(card.id, f"it needs {need}, which is withheld")
    return tuple(sorted(cards, key=lambda card: card.title))


def shipped_file(resources: Path, card: ModelCard, file: CardFile) -> Path:
    """Where a file of ``card`` that comes with Easel lies, below ``resources``."""
    return resources / "models" / card.id / file.path


def _document(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > MAX_CARD_BYTES:
            raise CardProblem(file.name, "the file is too long")
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CardProblem(file.name, "the file cannot be read") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CardProblem(file.name, "the file is not TOML") from error


def _card(file: Path, document: dict[str, Any]) -> ModelCard:
    # 1. Every key is there, known, and of its kind
    name = file.name
    _check_keys(name, document)
    # 2. Each value for itself
    if not _ID.fullmatch(document["id"]) or document["id"] != file.stem:
        raise CardProblem(name, "its id is not the file's name in a-z, 0-9, dots and dashes")
    name = document["id"]
    _check_values(name, document)
    # 3. The files, and what they add up to
    withheld = document.get("withheld", "")
    files = tuple(_file(name, row, bool(withheld)) for row in document["files"])
    card = ModelCard(
        id=name,
        title=document["title"],
        summary=document["summary"],
        kind=_member(name, Kind, document["kind"]),
        family=_member(name, Family, document["family"]),
        repository=document["repository"],
        revision=document["revision"],
        licence=document["licence"],
        files=files,
        memory=document["memory"],
        disk=document["disk"],
        needs=tuple(document.get("needs", ())),
        subfolder=document.get("subfolder", ""),
        unpack=document.get("unpack", False),
        withheld=withheld,
        gated=document.get("gated", False),
    )
    _check_files(card)
    return card


def _check_keys(name: str, document: dict[str, Any]) -> None:
    wanted = (*_TEXTS, *_NUMBERS, "files")
    missing = [key for key in wanted if key not in document]
    if missing:
        raise CardProblem(name, f"it does not say: {', '.join(missing)}")
    unknown = sorted(set(document) - set(wanted) - set(_OPTIONAL))
    if unknown:
        raise CardProblem(name, f"it says something unknown: {', '.join(unknown)}")
    types = dict.fromkeys(_TEXTS, str) | dict.fromkeys(_NUMBERS, int) | _OPTIONAL | {"files": list}
    for key, value in document.items():
        if type(value) is not types[key]:  # a bool is an int, and is not meant
            raise CardProblem(name, f"its {key} is not a {types[key].__name__}")


def _check_values(name: str, document: dict[str, Any]) -> None:
    for key in ("title", "summary"):
        if not document[key].strip() or not document[key].isprintable():
            raise CardProblem(name, f"its {key} is not one line of text")
    if "withheld" in document and not document["withheld"].strip():
        raise CardProblem(name, "it is withheld without a reason")
    if not _REPOSITORY.fullmatch(document["repository"]) or ".." in document["repository"]:
        raise CardProblem(name, "its repository is not like org/name")
    if not _REVISION.fullmatch(document["revision"]):
        raise CardProblem(name, "its revision is neither a commit nor main")
    if document["repository"].lower() in _NON_COMMERCIAL:
        raise CardProblem(name, "it is under a licence that is not for commercial use")
    if document["licence"] not in KNOWN:
        raise CardProblem(name, "Easel does not carry the text of its licence")
    if "subfolder" in document and not is_safe_path(document["subfolder"]):
        raise CardProblem(name, "its subfolder leads out of the repository")
    if any(document[key] <= 0 for key in _NUMBERS):
        raise CardProblem(name, "its memory or disk is not a number of bytes")
    needs = document.get("needs", [])
    if not all(isinstance(need, str) for need in needs) or len(set(needs)) != len(needs):
        raise CardProblem(name, "its needs are not different ids")


def _file(name: str, row: Any, withheld: bool) -> CardFile:
    """A row of ``files``. What is not proven is left out of it: 0 bytes and no hash."""
    if not isinstance(row, dict) or not isinstance(row.get("path"), str) or set(row) - _FILE_KEYS:
        raise CardProblem(name, "a row of its files is not a path with bytes and sha256")
    path, size, sha256 = row["path"], row.get("bytes", 0), row.get("sha256", "")
    if not is_safe_path(path):
        raise CardProblem(name, f"{path[:80]!r} is no name for a file of a model")
    if ("bytes" not in row or "sha256" not in row) and not withheld:
        raise CardProblem(name, f"{path} has no proven bytes and hash, and it is not withheld")
    if "bytes" in row and (type(size) is not int or not 0 < size <= MAX_FILE_BYTES):
        raise CardProblem(name, f"{path} has an impossible number of bytes")
    if "sha256" in row and not (isinstance(sha256, str) and _SHA256.fullmatch(sha256)):
        raise CardProblem(name, f"the hash of {path} is not 64 lower-case hex digits")
    if type(row.get("shipped", False)) is not bool:
        raise CardProblem(name, f"whether {path} is shipped is not said with true or false")
    return CardFile(path, size, sha256, row.get("shipped", False))


def _check_files(card: ModelCard) -> None:
    if not any(not file.shipped for file in card.files):
        raise CardProblem(card.id, "it has no file to download")
    twin = clash(file.path for file in card.files)
    if twin:
        raise CardProblem(card.id, f"{twin} is there twice, or where another needs a folder")
    if (card.unpack or card.kind in _ALONE) and len(card.files) != 1:
        raise CardProblem(card.id, "it is one file, and names more")
    if card.unpack and not card.files[0].path.endswith(".zip"):
        raise CardProblem(card.id, "only a zip can be unpacked")
    if card.disk < sum(file.bytes for file in card.files) and not card.unpack:
        raise CardProblem(card.id, "its disk is less than its files")


def _member(name: str, kind: type[_Member], text: str) -> _Member:
    try:
        return kind(text)
    except ValueError:
        raise CardProblem(name, f"Easel knows no {kind.__name__.lower()} called {text!r}") from None
