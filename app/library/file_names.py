"""The name of a picture's file, from a template: by its day, the words of its prompt, its seed."""

from __future__ import annotations

import string
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.core.errors import TemplateProblem
from app.core.recipe import Recipe

MAX_BYTES = 200
"""Of the whole name in UTF-8. File systems allow 255; the rest is for " 2" and for copies."""

ROOM = MAX_BYTES - len(".jpeg") - len(" 99999")
"""Bytes for a stem or a folder."""

MAX_SLUG = 80
"""Characters. More than anyone reads in a file list."""


DEFAULT = "{date}/{words}-{seed}"
"""What pictures are called where nothing else is asked for."""

PLACEHOLDERS = (
    "date",
    "time",
    "year",
    "month",
    "day",
    "words",
    "seed",
    "model",
    "size",
    "steps",
    "guidance",
    "scheduler",
)
"""What may stand in braces: 2026-11-23, 14-05-59, 2026, 11, 23, the words of the prompt, the seed,
the model's id, 512x768, 20, 7.5, euler-a. A slash makes a folder."""

_MAX_TEMPLATE = 200
_MAX_FOLDERS = 8
_LIKELY = 24
"""Bytes that a placeholder other than the words may take before it is cut."""


@dataclass(frozen=True, slots=True)
class Template:
    """How pictures are named. Raises TemplateProblem when it is made of what cannot be one."""

    text: str = DEFAULT

    def __post_init__(self) -> None:
        reason = _problem(self.text)
        if reason:
            raise TemplateProblem(self.text[:_MAX_TEMPLATE], reason)

    def name(self, recipe: Recipe, created: datetime) -> tuple[Path, str]:
        """The folder of a picture (relative) and the stem of its file.

        Each part takes at most ``MAX_BYTES`` in UTF-8, room for a suffix and a number included.
        """
        values = {
            "date": created.strftime("%Y-%m-%d"),
            "time": created.strftime("%H-%M-%S"),
            "year": created.strftime("%Y"),
            "month": created.strftime("%m"),
            "day": created.strftime("%d"),
            "seed": str(recipe.seed),
            "model": slug(recipe.model),
            "size": str(recipe.size),
            "steps": str(recipe.steps),
            "guidance": f"{recipe.guidance:g}",
            "scheduler": slug(recipe.scheduler.value),
        }
        values = {key: _cut(value, _LIKELY, _LIKELY) for key, value in values.items()}
        *folders, stem = (_filled(part, values, recipe.prompt) for part in self.text.split("/"))
        return Path(*folders), stem


def slug(text: str) -> str:
    """The letters and digits of ``text`` in lower case, in any script, joined by hyphens.

    "picture" when there are none (a prompt of emoji).
    """
    words: list[str] = [""]
    for char in unicodedata.normalize("NFC", text.lower()):
        kind = unicodedata.category(char)
        if kind[0] in "LN" or (kind[0] == "M" and words[-1]):
            words[-1] += char
        elif kind != "Cf" and words[-1] and char not in "'’":  # joiners and direction marks
            words.append("")
    return "-".join(word for word in words if word) or "picture"


def _cut(name: str, chars: int, size: int) -> str:
    """``name`` in ``chars`` characters and ``size`` bytes, cut at a hyphen if one is near."""
    kept = name[:chars].encode()[:size].decode("utf-8", "ignore")
    if kept == name:
        return kept
    if not name[len(kept) :].startswith("-"):
        whole = kept.rpartition("-")[0]
        kept = whole if len(whole) > len(kept) // 2 else kept
    return kept.strip("-") or "picture"


def _filled(part: str, values: dict[str, str], prompt: str) -> str:
    """One part of the template; the words get the room that the rest leaves."""
    fields = [name for _, name, _, _ in string.Formatter().parse(part) if name is not None]
    rest = part.format_map(values | {"words": ""})
    words = ""
    if "words" in fields:
        room = (ROOM - len(rest.encode())) // fields.count("words")
        words = _cut(slug(prompt), MAX_SLUG, max(room, 0))
    return _cut(part.format_map(values | {"words": words}), ROOM, ROOM).strip(". ") or "picture"


def _problem(text: str) -> str:
    """Why ``text`` is no template; "" when it is one."""
    if len(text) > _MAX_TEMPLATE or text.count("/") > _MAX_FOLDERS:
        return "too long"
    if any(not c.isprintable() or c in '\\:*?"<>|' for c in text):
        return "character"
    try:
        fields = [field for field in string.Formatter().parse(text) if field[1] is not None]
    except ValueError:
        return "braces"
    if any(spec or conversion for _, _, spec, conversion in fields):
        return "braces"
    if any(name not in PLACEHOLDERS for _, name, _, _ in fields):
        return "placeholder"
    parts = text.split("/")
    if any(not part.strip(". ") for part in parts):
        return "empty name"
    if any(part[0] in ". " or part[-1] in ". " for part in parts):
        return "dot or space"
    return "" if fields else "always the same"
