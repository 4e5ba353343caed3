"""Sentences for a scene: what people are likely to type for it."""

from __future__ import annotations

import random
from dataclasses import dataclass

from models.training.drawings import Noun
from models.training.palette import SPELLINGS

_STUFF = ("bread", "cheese", "coffee", "tea", "beer", "lightning", "fire", "earth", "saturn")
PLURAL = {"grapes", "fries", "french fries", "chips", "scissors", "glasses", "cherries", *_STUFF}
"""Words that take no article: plurals, stuffs and names."""

STYLES = ("cartoon",)

# People say more than a small model can follow. These words are said about pictures that they do
# not change, so that it learns to look past them.
_MEDIA = (
    *("a picture of", "a drawing of", "picture of", "a photo of", "photo of", "an image of"),
    *("an illustration of", "a painting of", "a sketch of", "an icon of", "a sticker of"),
)
_ADJECTIVES = (
    *("cute", "beautiful", "big", "small", "little", "happy", "pretty", "old", "new", "funny"),
    *("lovely", "simple", "shiny", "nice", "cool", "tiny", "fancy", "realistic", "colorful"),
)
_ENDINGS = (
    *(", high quality", ", detailed", ", digital art", ", 4k", ", minimalist", ", close up"),
    *(" in the garden", " at night", " in the park", " in the forest", " in the city"),
    *(" on the beach", " in winter", " for children", " by itself", " with a friend"),
)


@dataclass(frozen=True)
class Scene:
    """What is on one training picture; colour is None where the drawing has its own."""

    noun: Noun
    colour: str | None
    natural: str | None
    background: str


def article(words: str) -> str:
    """'a' or 'an' for the words that follow."""
    sounds_like_a = words.startswith(("uni", "ufo"))
    return "an" if words[0] in "aeiou" and not sounds_like_a else "a"


def describe(scene: Scene, draw: random.Random) -> str:
    """One caption of a scene."""
    name = scene.noun.word
    if scene.noun.also and draw.random() < 0.25:
        name = draw.choice(scene.noun.also)
    words = _with_style(_with_colour(name, scene, draw), draw)
    if draw.random() < 0.07:
        words = f"{draw.choice(_ADJECTIVES)} {words}"
    if name not in PLURAL and draw.random() < 0.6:
        words = f"{article(words)} {words}"
    if draw.random() < 0.14:
        words = f"{draw.choice(_MEDIA)} {words}"
    if draw.random() < 0.07:
        words += draw.choice(_ENDINGS)
    return _with_background(words, scene.background, draw)


def _with_colour(name: str, scene: Scene, draw: random.Random) -> str:
    if scene.colour is not None:
        return f"{_spelled(scene.colour, draw)} {name}"
    if scene.natural is not None and draw.random() < 0.3:
        return f"{_spelled(scene.natural, draw)} {name}"
    return name


def _with_style(words: str, draw: random.Random) -> str:
    return f"{draw.choice(STYLES)} {words}" if draw.random() < 0.1 else words


def _with_background(words: str, background: str, draw: random.Random) -> str:
    if background == "white" and draw.random() < 0.85:
        return words
    colour = _spelled(background, draw)
    if draw.random() < 0.8:
        return f"{words} on {article(colour)} {colour} background"
    return f"{words}, {colour} background"


def _spelled(colour: str, draw: random.Random) -> str:
    others = SPELLINGS.get(colour, [])
    return draw.choice(others) if others and draw.random() < 0.3 else colour
