"""Recipes and finished pictures for tests of what is kept."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from app.core.events import Finished, Pixels
from app.core.model import Family, Feature, Limits, Model
from app.core.placement import Placement
from app.core.recipe import Draft, How, LoraUse, Parent, Recipe, Scheduler, Size, Start
from app.core.recipe_json import to_json
from app.core.resolve import resolve

SIZE = Size(64, 64)

MODEL = Model(
    "m",
    "M",
    Family.SD1,
    "/nowhere",
    Limits(
        native=SIZE,
        shapes=(SIZE,),
        min_side=8,
        max_side=2048,
        side_step=8,
        max_tokens=75,
        features=frozenset(Feature),
    ),
)

AWKWARD = (
    "a red apple",
    "a \"quoted\" 'apple', with; semicolons: and, commas",
    "two\nlines\r\nand\ttabs",
    "\x01\x07\x1b[31m control \x7f",
    "an emoji 🍎 and a family 👨‍👩‍👧",
    "تفاحة حمراء",
    "苹果 と りんご",
    "Negative prompt: not one\nSteps: 99, Seed: 1",
    "<rdf:li>&amp; <b>bold</b> ]]>",
    "NUL \0 in the middle",
    "half a pair \ud83c alone",
    "a\u0301 combining, \ufeff mark, \u202e turned",
    "\uffff \U0010ffff",
    "word " * 10_000,
)
"""Prompts that some program somewhere has stumbled over."""


def recipe(prompt: str = "a red apple", seed: int = 17, **changes: object) -> Recipe:
    draft = Draft(prompt, seed=seed, **changes)  # type: ignore[arg-type]
    return resolve(draft, MODEL)[0]


def finished(width: int = 8, height: int = 8, seconds: float = 1.5) -> Finished:
    """A picture whose every pixel differs from its neighbour."""
    rgb = bytes(
        (x * 7 + y * 13 + c * 85) % 256
        for y in range(height)
        for x in range(width)
        for c in range(3)
    )
    return Finished("job", Pixels(width, height, rgb), Placement.CPU, seconds)


def fits_a_jpeg(of: Recipe) -> bool:
    """A JPEG has room for 65,000 bytes, and our JSON is ASCII with six bytes a foreign letter."""
    return len(to_json(of)) < 60_000


_TEXT = st.one_of(st.text(max_size=200), st.sampled_from(AWKWARD))
_PATHS = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=40)
_HASHES = st.text("0123456789abcdef", min_size=64, max_size=64)


@st.composite
def starts(draw: st.DrawFn) -> Start:
    mask = draw(st.none() | _PATHS)
    return Start(
        draw(_PATHS),
        draw(_HASHES),
        draw(st.floats(0.01, 1.0)),
        mask,
        None if mask is None else draw(_HASHES),
    )


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """Any recipe that ``resolve`` lets through."""
    draft = Draft(
        prompt=draw(_TEXT.filter(str.strip).filter(lambda text: text.replace("\0", " ").strip())),
        negative_prompt=draw(_TEXT),
        size=Size(draw(st.integers(1, 256)) * 8, draw(st.integers(1, 256)) * 8),
        steps=draw(st.integers(1, 150)),
        guidance=draw(st.floats(1.0, 30.0)),
        seed=draw(st.integers(0, 2**32 - 1)),
        scheduler=draw(st.sampled_from(Scheduler)),
        start=draw(st.none() | starts()),
        parent=draw(
            st.none()
            | st.builds(Parent, st.text("0123456789abcdef", min_size=32), st.sampled_from(How))
        ),
    )
    loras = draw(st.lists(st.builds(LoraUse, st.text(max_size=20), st.floats(-2, 2)), max_size=2))
    vae = draw(st.none() | st.text(max_size=20))
    return replace(resolve(draft, MODEL)[0], loras=tuple(loras), vae=vae)
