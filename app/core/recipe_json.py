"""The one JSON form of a recipe, versioned: in pictures, the index, the journal, the clipboard."""

from __future__ import annotations

import json
import math
from typing import Any

from app.core.recipe import SEEDS, How, LoraUse, Parent, Recipe, Scheduler, Size, Start

VERSION = 1
MAX_SIDE = 16_384
MAX_STEPS = 10_000


def to_json(recipe: Recipe) -> str:
    """``recipe`` as one line of ASCII JSON with sorted keys: equal recipes give equal text."""
    return json.dumps(to_dict(recipe), sort_keys=True, separators=(",", ":"))


def from_json(text: str) -> Recipe:
    """The recipe in ``text``. Raises ValueError when it is none, or of a newer version."""
    try:
        data = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return from_dict(data)


def to_dict(recipe: Recipe) -> dict[str, Any]:
    """``recipe`` as plain JSON values; absent fields have their default."""
    data: dict[str, Any] = {
        "easel": VERSION,
        "prompt": recipe.prompt,
        "negative_prompt": recipe.negative_prompt,
        "model": recipe.model,
        "size": [recipe.size.width, recipe.size.height],
        "steps": recipe.steps,
        "guidance": recipe.guidance,
        "seed": recipe.seed,
        "scheduler": recipe.scheduler.value,
    }
    if recipe.start is not None:
        start = recipe.start
        data["start"] = {
            "file": start.file,
            "sha256": start.sha256,
            "strength": start.strength,
            "mask": start.mask,
            "mask_sha256": start.mask_sha256,
        }
    if recipe.loras:
        data["loras"] = [{"id": lora.id, "weight": lora.weight} for lora in recipe.loras]
    if recipe.vae is not None:
        data["vae"] = recipe.vae
    if recipe.parent is not None:
        data["parent"] = {"picture": recipe.parent.picture, "how": recipe.parent.how.value}
    return data


def from_dict(data: object) -> Recipe:
    """The recipe in ``data``. Raises ValueError when it is none, or of a newer version."""
    if not isinstance(data, dict):
        raise ValueError("not a JSON object")
    if data.get("easel") != VERSION:
        raise ValueError(f"recipe version {data.get('easel')!r}, this Easel reads {VERSION}")
    try:
        width, height = data["size"]
        start, vae, parent = data.get("start"), data.get("vae"), data.get("parent")
        recipe = Recipe(
            prompt=str(data["prompt"]),
            negative_prompt=str(data.get("negative_prompt", "")),
            model=str(data["model"]),
            size=Size(int(width), int(height)),
            steps=int(data["steps"]),
            guidance=float(data["guidance"]),
            seed=int(data["seed"]),
            scheduler=Scheduler(data["scheduler"]),
            start=None if start is None else _start(start),
            loras=tuple(LoraUse(str(x["id"]), float(x["weight"])) for x in data.get("loras", ())),
            vae=None if vae is None else str(vae),
            parent=None if parent is None else Parent(str(parent["picture"]), How(parent["how"])),
        )
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"not a recipe: {error}") from error
    if not _possible(recipe):
        raise ValueError("no model can draw this")
    return recipe


def _possible(recipe: Recipe) -> bool:
    """What holds for any model. The text may come from anywhere, a damaged file included."""
    strengths = [] if recipe.start is None else [recipe.start.strength]
    return (
        1 <= recipe.size.width <= MAX_SIDE
        and 1 <= recipe.size.height <= MAX_SIDE
        and 1 <= recipe.steps <= MAX_STEPS
        and 0 <= recipe.seed < SEEDS
        and math.isfinite(recipe.guidance)
        and all(0 < strength <= 1 for strength in strengths)
        and all(math.isfinite(lora.weight) for lora in recipe.loras)
    )


def _start(data: dict[str, Any]) -> Start:
    mask, mask_sha256 = data.get("mask"), data.get("mask_sha256")
    return Start(
        file=str(data["file"]),
        sha256=str(data["sha256"]),
        strength=float(data["strength"]),
        mask=None if mask is None else str(mask),
        mask_sha256=None if mask_sha256 is None else str(mask_sha256),
    )
