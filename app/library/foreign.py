"""Recipes out of pictures that other programs drew, and out of our own.

What a file says is read within bounds (``metadata``); the forms of ComfyUI, InvokeAI, Fooocus and
NovelAI are then read by the library sd-parsers, a parser at a time: its own way into a file keeps
the last picture's text by the address of an object, and knows no bounds. AUTOMATIC1111's text and
Draw Things' JSON are read here (``settings_text``, ``draw_things``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.recipe import Draft
from app.library import comfy, draw_things, metadata, settings_text
from app.library.found_recipe import (
    MAX_JSON,
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
from app.library.picture_file import picture_of

if TYPE_CHECKING:
    from sd_parsers.data import PromptInfo, Sampler


def read_recipe(source: Path | bytes) -> FoundRecipe | None:
    """The recipe in a picture, whoever drew it; None where it says nothing of one.

    Raises PictureUnreadable: "missing", "permission", "not a picture", "too large".
    """
    said = metadata.read_bytes(source) if isinstance(source, bytes) else metadata.read(source)
    return recipe_in(said)


def recipe_in(said: Said) -> FoundRecipe | None:
    """As ``read_recipe``, of what was read already. Raises nothing."""
    for reader in (_easel, draw_things.read, _fooocus, _invoke, _novelai, _comfy, _web_ui):
        try:
            found = reader(said)
        except Exception:  # what stands in a foreign file can break any reader, ours included
            found = None
        if found is not None:
            return found
    return None


def _easel(said: Said) -> FoundRecipe | None:
    picture = picture_of(Path(), said)
    if picture is None:
        return None
    recipe = picture.recipe
    draft = Draft(
        prompt=recipe.prompt,
        negative_prompt=recipe.negative_prompt,
        size=recipe.size,
        steps=recipe.steps,
        guidance=recipe.guidance,
        seed=recipe.seed,
        scheduler=recipe.scheduler,
        start=recipe.start,
    )
    loras = tuple(FoundLora(lora.id, lora.weight) for lora in recipe.loras)
    strength = None if recipe.start is None else recipe.start.strength
    return FoundRecipe("Easel", draft, recipe.model, "", loras, strength, vae=recipe.vae or "")


def _web_ui(said: Said) -> FoundRecipe | None:
    """AUTOMATIC1111's and Forge's text, and that of many who write as they do."""
    for written in (said.texts.get("parameters", ""), said.comment, said.description):
        text = settings_text.read(written) if written else None
        if text is not None:
            return _of_settings(text)
    return None


_WEB_UI = ("Steps", "Sampler", "Schedule type", "CFG scale", "Seed", "Size", "Model", "Model hash")


def _of_settings(text: settings_text.Text) -> FoundRecipe:
    rest = dict(text.settings)
    steps, sampler, spacing, guidance, seed, size, model, hash = (
        rest.pop(name, "") for name in _WEB_UI
    )
    strength = real(rest.pop("Denoising strength", None))
    vae = rest.pop("VAE", "")
    if any(name.startswith("Hires") for name in rest):  # its own second pass, not a start
        strength = None
    scheduler, other_spacing = scheduler_of(sampler, spacing)
    version = rest.get("Version", "")
    draft = Draft(
        prompt=text.prompt,
        negative_prompt=text.negative_prompt,
        size=size_of(size),
        steps=whole(steps),
        guidance=real(guidance),
        seed=whole(seed),
        scheduler=scheduler,
    )
    program = "Easel" if version.startswith("Easel ") else "AUTOMATIC1111"
    if program == "Easel":
        del rest["Version"]
    loras = tuple(FoundLora(name, weight) for name, weight in text.loras)
    unknown = listed([("Schedule type", other_spacing), *rest.items()])
    return FoundRecipe(program, draft, model, hash, loras, strength, unknown, vae)


def _fooocus(said: Said) -> FoundRecipe | None:
    from sd_parsers.parsers import FooocusParser

    data = json_object(said.texts.get("parameters", "") or said.comment)
    if data is None or "base_model" not in data:
        return None
    data.setdefault("base_model_hash", None)
    info = FooocusParser().parse({"parameters": json.dumps(data)})
    rest = dict(info.metadata)
    loras = _pairs(rest.pop("loras", ()))
    for number in range(1, 20):
        rest.pop(f"lora_combined_{number}", None)
    sizes = str(rest.pop("resolution", "")).strip("() ").split(",")
    return _found("Fooocus", info, "x".join(part.strip() for part in sizes), rest, loras)


def _invoke(said: Said) -> FoundRecipe | None:
    from sd_parsers.parsers import InvokeAIParser

    texts = {
        key: said.texts[key]
        for key in ("invokeai_metadata", "sd-metadata", "Dream")
        if len(said.texts.get(key, "")) in range(1, MAX_JSON)
    }
    if not texts:
        return None
    loras: tuple[FoundLora, ...] = ()
    data = json_object(texts.get("invokeai_metadata", ""))
    if data is not None:
        loras = _invoke_loras(data.pop("loras", ()))
        model = data.get("model")
        # Version 4 calls a model's name "name", and sd-parsers 0.6 then loses the model.
        if isinstance(model, dict):
            model.setdefault("model_name", model.get("name"))
        texts = {"invokeai_metadata": json.dumps(data)}
    info = InvokeAIParser().parse(texts)
    rest = dict(info.metadata)
    size = f"{rest.pop('width', '')}x{rest.pop('height', '')}"
    found = _found("InvokeAI", info, size, rest, loras)
    model = data.get("model") if data is not None else None
    return found if not isinstance(model, dict) else _with_hash(found, model.get("hash"))


def _novelai(said: Said) -> FoundRecipe | None:
    from sd_parsers.parsers import NovelAIParser

    if said.texts.get("Software") != "NovelAI":
        return None
    data = json_object(said.texts.get("Comment", ""))
    if data is None:
        return None
    texts = {key: said.texts.get(key, "") for key in ("Description", "Source")}
    info = NovelAIParser().parse({"Comment": json.dumps(data), **texts})
    rest = dict(info.metadata)
    rest.pop("prompt", None)
    size = f"{rest.pop('width', '')}x{rest.pop('height', '')}"
    return _found("NovelAI", info, size, rest, (), model=texts["Source"])


def _comfy(said: Said) -> FoundRecipe | None:
    data = json_object(said.texts.get("prompt", ""))
    return None if data is None else comfy.read(data)


def _found(
    program: str,
    info: PromptInfo,
    size: str,
    rest: dict[Any, Any],
    loras: tuple[FoundLora, ...],
    model: str = "",
) -> FoundRecipe:
    """What sd-parsers has of one sampler; ``rest`` are settings beside it."""
    sampler: Sampler = info.samplers[0]
    rest = {**sampler.parameters, **rest}
    spacing = str(rest.pop("scheduler", "") or rest.pop("noise_schedule", "") or "")
    scheduler, other_spacing = scheduler_of(str(sampler.name), spacing)
    draft = Draft(
        prompt=", ".join(map(str, sampler.prompts)),
        negative_prompt=", ".join(map(str, sampler.negative_prompts)),
        size=size_of(size),
        steps=whole(rest.pop("steps", None)),
        guidance=real(rest.pop("cfg_scale", None)),
        seed=whole(rest.pop("seed", None)),
        scheduler=scheduler,
    )
    if sampler.model is not None:
        model = str(sampler.model.name or "") or model
    hash = "" if sampler.model is None else str(sampler.model.hash or "")
    unknown = listed([("schedule", other_spacing), *rest.items()])
    return FoundRecipe(program, draft, model, hash, loras, None, unknown)


def _with_hash(found: FoundRecipe, hash: object) -> FoundRecipe:
    return replace(found, model_hash=hash) if isinstance(hash, str) else found


def _pairs(items: object) -> tuple[FoundLora, ...]:
    """Fooocus: [[name, weight, hash], ...]."""
    return _each(items, lambda item: FoundLora(str(item[0]), real(item[1]) or 0.0))


def _invoke_loras(items: object) -> tuple[FoundLora, ...]:
    """{"model" or "lora": {"name" or "model_name": ...}, "weight": ...}."""

    def one(item: Mapping[str, Any]) -> FoundLora:
        model = item.get("model") or item["lora"]
        return FoundLora(str(model.get("name") or model["model_name"]), real(item["weight"]) or 0.0)

    return _each(items, one)


def _each(items: object, one: Callable[[Any], FoundLora]) -> tuple[FoundLora, ...]:
    found: list[FoundLora] = []
    listing: Iterable[object] = items if isinstance(items, list) else ()
    for item in listing:
        try:
            found.append(one(item))
        except (KeyError, IndexError, TypeError, AttributeError):
            continue
        if len(found) == settings_text.MAX_LORAS:
            break
    return tuple(found)
