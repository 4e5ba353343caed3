"""Draw Things' pictures: JSON as Exif's UserComment, in XMP or in Exif, and a text beside it.

The form is that of ``Libraries/ImageGenerator/Sources/ImageConverter.swift`` of
draw-things-community: "c" is the prompt, "uc" the negative one, "v2" the whole configuration again;
the text has the prompt, the negative prompt behind a "-", and a line of settings.
"""

from __future__ import annotations

from typing import Any

from app.core.recipe import Draft
from app.library import settings_text
from app.library.found_recipe import (
    FoundLora,
    FoundRecipe,
    json_object,
    listed,
    real,
    scheduler_of,
    size_of,
    whole,
)
from app.library.metadata import Said

PROGRAM = "Draw Things"


def read(said: Said) -> FoundRecipe | None:
    """The recipe; None where Draw Things did not draw it."""
    for text in (said.xmp.comment, said.comment):
        data = json_object(text)
        if data is not None and "c" in data and ("uc" in data or "v2" in data):
            return _of_json(data)
    if said.xmp.tool == PROGRAM:
        return _of_text(said.xmp.description)
    return None


def _of_json(data: dict[str, Any]) -> FoundRecipe:
    rest = dict(data)
    rest.pop("v2", None)
    loras = []
    for entry in rest.pop("lora", None) or ():
        if isinstance(entry, dict) and isinstance(entry.get("model"), str):
            weight = real(entry.get("weight"))
            loras.append(FoundLora(entry["model"], 1.0 if weight is None else weight))
    scheduler, spacing = _scheduler(str(rest.pop("sampler", "")))
    draft = Draft(
        prompt=str(rest.pop("c")),
        negative_prompt=str(rest.pop("uc", "")),
        size=size_of(str(rest.pop("size", ""))),
        steps=whole(rest.pop("steps", None)),
        guidance=real(rest.pop("scale", None)),
        seed=whole(rest.pop("seed", None)),
        scheduler=scheduler,
    )
    strength = real(rest.pop("strength", None))
    return FoundRecipe(
        program=PROGRAM,
        draft=draft,
        model=str(rest.pop("model", "")),
        loras=tuple(loras[: settings_text.MAX_LORAS]),
        strength=None if strength is None or strength >= 1 else strength,
        unknown=listed([("sampler", spacing), *rest.items()]),
    )


def _of_text(text: str) -> FoundRecipe | None:
    body, _, last = text.rstrip().rpartition("\n")
    rest = settings_text.pairs(last)
    if len(rest) < 3:
        return None
    prompt, _, negative = body.partition("\n-")
    scheduler, spacing = _scheduler(rest.pop("Sampler", ""))
    strength = real(rest.pop("Strength", None))
    draft = Draft(
        prompt=prompt,
        negative_prompt=negative,
        size=size_of(rest.pop("Size", "")),
        steps=whole(rest.pop("Steps", None)),
        guidance=real(rest.pop("Guidance Scale", None)),
        seed=whole(rest.pop("Seed", None)),
        scheduler=scheduler,
    )
    return FoundRecipe(
        program=PROGRAM,
        draft=draft,
        model=rest.pop("Model", ""),
        strength=None if strength is None or strength >= 1 else strength,
        unknown=listed([("Sampler", spacing), *rest.items()]),
    )


_SPACINGS = ("Trailing", "AYS", "Substep")


def _scheduler(name: str) -> tuple[Any, str]:
    """Theirs end in the spacing of their steps: "Euler A Trailing"."""
    for ending in _SPACINGS:
        if name.endswith(f" {ending}"):
            found, _ = scheduler_of(name.removesuffix(f" {ending}"), "karras")
            return found, ending
    return scheduler_of(name)
