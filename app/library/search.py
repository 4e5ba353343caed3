"""What is looked for in the library, and how it is put to the index."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

FIELDS = {
    "prompt": "prompt",
    "negative": "negative",
    "model": "model",
    "seed": "seed",
    "scheduler": "scheduler",
    "date": "date",
}
"""What may stand before a colon, and the column it means. Also "tag" and "is:favourite"."""

MAX_TERMS = 20
MAX_TERM = 100

_TERM = re.compile(r'(?:(\w+):)?(?:"([^"]*)"?|(\S+))')
# Han, kana and Hangul are written without spaces, or in words that grow: each counts as a word.
_ALONE = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
                    "\U00020000-\U0003ffff])")  # fmt: skip


class Sort(StrEnum):
    """In which order. Equal ones follow the time of their drawing."""

    NEWEST = "newest"
    OLDEST = "oldest"
    PROMPT = "prompt"
    MODEL = "model"
    SEED = "seed"


@dataclass(frozen=True, slots=True)
class Query:
    """``text`` as it was typed: all its words must be there, each may be the beginning of one.

    "red app" finds a red apple; "seed:17 model:xl", date:2026-11, tag:garden and is:favourite look
    in one place; words in quotes stand one after the other. ``tags`` must all be there.
    """

    text: str = ""
    favourites: bool = False
    tags: tuple[str, ...] = ()
    sort: Sort = Sort.NEWEST


@dataclass(frozen=True, slots=True)
class Asked:
    """A query taken apart; ``match`` is FTS5's language, "" where there is nothing to match."""

    match: str
    favourites: bool
    tags: tuple[str, ...]


def take_apart(query: Query) -> Asked:
    """``query`` as the index is asked. Any text can be typed; none is an error."""
    phrases: list[str] = []
    favourites, tags = query.favourites, list(query.tags)
    for found in list(_TERM.finditer(query.text))[:MAX_TERMS]:
        field, quoted, plain = (found[1] or "").lower(), found[2], found[3]
        text = (plain if quoted is None else quoted)[:MAX_TERM]
        if field == "tag":
            tags.append(text)
        elif field == "is" and text.lower() in ("favourite", "favorite"):
            favourites = True
        else:
            if field and field not in FIELDS:
                text = f"{field} {text}"
            phrase = _phrase(text, goes_on=quoted is None)
            if phrase:
                column = f"{FIELDS[field]} : " if field in FIELDS else ""
                phrases.append(f"{column}{phrase}")
    return Asked(" AND ".join(phrases), favourites, tuple(tags))


def spaced(text: str) -> str:
    """``text`` with spaces where a word of a script without spaces begins and ends."""
    return _ALONE.sub(r" \1 ", text)


def _phrase(text: str, *, goes_on: bool) -> str:
    """Words one after the other; the last may go on in what is found."""
    words = "".join(c if c.isalnum() or _is_mark(c) else " " for c in spaced(text)).split()
    return f'"{" ".join(words)}"{" *" if goes_on else ""}' if words else ""


def _is_mark(char: str) -> bool:
    """A sign over or under a letter belongs to it."""
    return "\u0300" <= char <= "\u036f"
