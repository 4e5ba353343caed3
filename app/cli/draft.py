"""From the words of ``easel generate`` to a draft and a model."""

from __future__ import annotations

import argparse
import re
from dataclasses import replace
from pathlib import Path

from app.cli.arguments import UsageError
from app.cli.program import Program
from app.core.adapter import of_kind
from app.core.card import Kind
from app.core.errors import ModelMissing, RecipeProblem
from app.core.model import Model, ModelFormat
from app.core.recipe import Draft, LoraUse, Start


def choose_model(wanted: str | None, program: Program) -> Model:
    """The model called ``wanted``, or in the folder ``wanted``; None is the one to offer.

    Raises RecipeProblem when there is none of that name, else as ``Program.model`` does.
    """
    models = program.models()
    for model in models:
        if wanted is not None and wanted.lower() in (model.id.lower(), model.title.lower()):
            return model
    if wanted is None or "/" in wanted or wanted.startswith((".", "~")) or _exists(wanted):
        try:
            return program.model(wanted)
        except (ValueError, RuntimeError, OSError) as error:  # a NUL, no such user, too long
            raise ModelMissing(str(wanted)) from error
    raise RecipeProblem("model", wanted[:80], ", ".join(model.id for model in models))


def for_engine(model: Model, engine: str | None, program: Program) -> Model:
    """``model`` as the engine ("torch", "coreml") draws with it; None: as it is.

    Raises UsageError where it is not there in that form.
    """
    if engine == "coreml" and model.format is not ModelFormat.COREML:
        for other in program.models():
            if other.twin is not None and other.twin.id == model.id:
                return other
        raise UsageError(
            f"“{model.title}” has not been converted to Core ML. Type “easel convert {model.id}” "
            "first."
        )
    if engine == "torch" and model.format is not ModelFormat.DIFFUSERS:
        if model.twin is None:
            raise UsageError(f"“{model.title}” is there for Core ML only. Leave out --engine.")
        return model.twin
    return model


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except (ValueError, OSError):
        return False


def read_draft(asked: argparse.Namespace, program: Program, model: Model) -> Draft:
    """What was asked of ``model``, with starting picture and mask kept in Easel's own folder.

    Raises UsageError, RecipeProblem, PictureUnreadable, FolderNotWritable, NoSpace.
    """
    if asked.start is None and (asked.mask is not None or asked.strength is not None):
        raise UsageError(
            f"{'--mask' if asked.mask is not None else '--strength'} needs a starting picture. "
            "Add --start FILE."
        )
    return Draft(
        prompt=asked.prompt,
        negative_prompt=asked.negative,
        size=asked.size,
        steps=_whole("steps", asked.steps),
        guidance=_number("guidance", asked.guidance),
        seed=_whole("seed", asked.seed),
        scheduler=asked.scheduler,
        count=_whole("count", asked.count) or (1 if asked.count is None else 0),
        start=None if asked.start is None else _start(asked, program),
        loras=tuple(_lora(text, model) for text in asked.lora),
        vae=None if asked.vae is None else _id(asked.vae, Kind.VAE, model),
    )


def _lora(text: str, model: Model) -> LoraUse:
    """An id or a title, with a weight after a colon; a title may have colons of its own."""
    name, colon, tail = text.rpartition(":")
    if not colon or _id(text, Kind.LORA, model) != text:
        return LoraUse(_id(text, Kind.LORA, model))
    return LoraUse(_id(name, Kind.LORA, model), _number("weight", tail) or 0.0)


def _id(name: str, kind: Kind, model: Model) -> str:
    """The id of what is called ``name``; ``name`` where nothing is, which ``resolve`` tells."""
    for adapter in of_kind(model.adapters, kind):
        if name.lower() in (adapter.id.lower(), adapter.title.lower()):
            return adapter.id
    return name


def _start(asked: argparse.Namespace, program: Program) -> Start:
    strength = _number("strength", asked.strength)
    picture = program.keep_start(Path(asked.start))
    start = Start(str(picture.file), picture.sha256)
    if strength is not None:
        start = replace(start, strength=strength)
    if asked.mask is not None:
        mask = program.keep_start(Path(asked.mask))
        if mask.size != picture.size:
            raise RecipeProblem("mask", str(mask.size), "same size as the start")
        start = replace(start, mask=str(mask.file), mask_sha256=mask.sha256)
    return start


def _whole(field: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"\s*[+-]?[0-9]{1,30}\s*", text):
        raise RecipeProblem(field, text[:80], "a whole number")
    return int(text)


def _number(field: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(text.strip().replace(",", "."))
    except ValueError as error:
        raise RecipeProblem(field, text[:80], "a number") from error
