"""Words for the prompt by group, for models that know any word; and what typing "/" finds."""

from __future__ import annotations

import json
import logging
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.ui.words import Completions, Group, Offer, phrase_of

FILE = Path("words") / "prompts.json"
VERSION = 1
MOST_FOUND = 8

_SLASH = re.compile(r"(?:^|(?<=[\s,(]))/((?:[^\W\d_][\w'’-]*(?: [\w'’-]*)*)?)$")
_SAMPLES = 3

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tried:
    """A prompt that works, and one sentence on why."""

    prompt: str
    why: str


class Palette:
    """The words of each group in their order. False when there are none."""

    note = "Words to begin with; this model knows far more. Type / in the prompt to find one."

    def __init__(
        self, words: Mapping[Group, tuple[str, ...]], recipes: tuple[Tried, ...] = ()
    ) -> None:
        self._words = words
        self.recipes = recipes

    def __bool__(self) -> bool:
        return any(self._words.values())

    @property
    def groups(self) -> tuple[tuple[str, Group], ...]:
        """Title and group, in the order in which people look."""
        return tuple((group.value.capitalize(), group) for group in self._words)

    def of(self, group: Group) -> tuple[str, ...]:
        return self._words.get(group, ())

    def completions(self, text: str, cursor: int) -> Completions:
        """What a "/" that ends at ``cursor`` asks for; nothing anywhere else."""
        return found(self._words, text, cursor)

    def surprise(self, draw: random.Random) -> str:
        """A prompt of one subject and a word each of three other groups."""
        others = [group for group in self._words if group is not Group.SUBJECT]
        chosen = [draw.choice(self.of(group)) for group in draw.sample(others, min(3, len(others)))]
        return ", ".join([draw.choice(self.of(Group.SUBJECT)), *chosen])


def found(words: Mapping[Group, tuple[str, ...]], text: str, cursor: int) -> Completions:
    """Offers for a "/" and what follows it up to ``cursor``.

    A bare "/" offers the groups; letters the words of a group that begins so, then every word that
    has them at the beginning of one of its own.
    """
    slash = _SLASH.search(text[:cursor])
    if slash is None:
        return Completions()
    typed = slash[1].casefold().strip()
    if not typed:
        groups = (
            Offer(f"/{group.value}", group, ", ".join(listed[:_SAMPLES]))
            for group, listed in words.items()
            if listed
        )
        return Completions(slash.start(), cursor, tuple(groups), begun=0)
    grouped = [
        Offer(phrase_of(word, group), group)
        for group, listed in words.items()
        if group.value.startswith(typed)
        for word in listed
    ]
    named = [
        Offer(phrase_of(word, group), group)
        for group, listed in words.items()
        for word in listed
        if re.search(rf"(?:^|\W){re.escape(typed)}", word.casefold())
    ]
    offers = tuple(dict.fromkeys(grouped + named))[:MOST_FOUND]
    return Completions(slash.start(), cursor, offers, begun=0) if offers else Completions()


def read_palette(resources: Path) -> Palette:
    """The palette that came with the program; an empty one where it is missing."""
    try:
        data = json.loads((resources / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        log.warning("no words for prompts in %s", resources)
        return Palette({})
    if data["version"] != VERSION:
        raise ValueError(f"words of version {data['version']!r}")
    words = {Group(name): tuple(listed) for name, listed in data["groups"].items()}
    return Palette(words, tuple(Tried(one["prompt"], one["why"]) for one in data["recipes"]))
