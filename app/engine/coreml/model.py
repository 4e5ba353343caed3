"""Reads what a folder of Core ML models can draw, without opening one. Standard library only."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from app.core.coreml_manifest import (
    FILE_NAME,
    CoreMLManifest,
    FunctionSpec,
    Part,
    PartSpec,
    from_json,
)
from app.core.errors import ModelDamaged, ModelIncomplete, ModelMissing, ModelUnsupported
from app.core.model import Family, Feature, Limits, Model, ModelFormat
from app.core.recipe import Scheduler, Size
from app.engine.family_limits import Shape, limits_of
from app.engine.model_folder import read_json

TEXT_ENCODERS: Mapping[Family, tuple[Part, ...]] = {
    Family.SD1: (Part.TEXT_ENCODER,),
    Family.SD2: (Part.TEXT_ENCODER,),
    Family.SDXL: (Part.TEXT_ENCODER, Part.TEXT_ENCODER_2),
}
"""In the order in which their answers are joined."""

_LATENTS = {Part.UNET: "sample", Part.VAE_DECODER: "z"}
"""The inputs that are latents."""

_UNET_INPUTS = frozenset(
    ("sample", "timestep", "encoder_hidden_states", "time_ids", "text_embeds", "timestep_cond")
)
"""What the engine can tell a UNet; one that wants more (a ControlNet's) draws elsewhere."""


def read_manifest(folder: Path) -> CoreMLManifest:
    """What coreml.json in ``folder`` says. Raises ModelMissing, ModelIncomplete, ModelDamaged."""
    if not folder.is_absolute() or not folder.is_dir():
        raise ModelMissing(str(folder))
    file = folder / FILE_NAME
    read_json(file, folder)
    try:
        return from_json(file.read_text("utf-8"))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelDamaged(str(file), "mismatch") from error


def read_coreml_model(
    folder: Path,
    *,
    id: str | None = None,
    title: str | None = None,
    built_in: bool = False,
    limits: Limits | None = None,
    manifest: CoreMLManifest | None = None,
) -> Model:
    """The model in ``folder`` (absolute, existing); ``manifest`` where it is known already.

    ``id`` defaults to the folder's path, ``title`` and ``limits`` to what the manifest says.
    Raises ModelMissing, ModelIncomplete, ModelDamaged, ModelUnsupported.
    """
    known = manifest or read_manifest(folder)
    check_parts(folder, known)
    return Model(
        id=id or str(folder),
        title=title or known.title or folder.name,
        family=known.family,
        folder=str(folder),
        limits=limits or limits_of_manifest(known, folder),
        built_in=built_in,
        format=ModelFormat.COREML,
    )


def check_parts(folder: Path, manifest: CoreMLManifest) -> None:
    """Raise ModelIncomplete for what is missing, all at once, ModelUnsupported, ModelDamaged."""
    encoders = TEXT_ENCODERS[manifest.family]
    missing = []
    for part in (Part.UNET, *encoders, Part.VAE_DECODER):
        if part not in manifest.parts:
            missing.append(f"{part.value} in {FILE_NAME}")
    for spec in manifest.parts.values():
        place = PurePosixPath(spec.file)
        if place.is_absolute() or ".." in place.parts or not spec.functions:
            raise ModelDamaged(str(folder / FILE_NAME), "mismatch")
        if not (folder / spec.file).exists():
            missing.append(spec.file)
    for encoder in encoders:
        place_of = tokenizer_place(folder, encoder)
        pair = all((place_of / name).is_file() for name in ("vocab.json", "merges.txt"))
        if not pair and not (place_of / "tokenizer.json").is_file():
            missing.append(f"{place_of.name}/tokenizer.json")
    if missing:
        raise ModelIncomplete(str(folder), tuple(missing))
    for function in manifest.parts[Part.UNET].functions:
        shapes = {one.name: one.shape for one in function.inputs}
        unknown = sorted(shapes.keys() - _UNET_INPUTS)
        if unknown:
            raise ModelUnsupported(str(folder), f"a UNet that takes {unknown[0]}")
        channels = shapes.get("sample", (0, 0))[1]
        if channels != manifest.latent_channels:
            raise ModelUnsupported(str(folder), f"a UNet with {channels} input channels")


def tokenizer_place(folder: Path, encoder: Part) -> Path:
    """Where the tokenizer of a text encoder lies; published folders hold the words themselves, for
    both of SDXL's too."""
    place = folder / encoder.value.replace("text_encoder", "tokenizer")
    shared = not place.is_dir() and (folder / "vocab.json").is_file()
    return folder if shared else place


def limits_of_manifest(manifest: CoreMLManifest, folder: Path) -> Limits:
    """The limits of a model: the sizes that it was converted for, and no other.

    Raises ModelUnsupported when none of them can be drawn and decoded.
    """
    factor = manifest.factor
    decoded = set(sizes(manifest, Part.VAE_DECODER))
    shapes = tuple(size for size in sizes(manifest, Part.UNET) if size in decoded)
    if not shapes:
        raise ModelUnsupported(str(folder), "no size that all its parts are made for")
    native = shapes[0]
    sides = sorted({side for shape in shapes for side in (shape.width, shape.height)})
    features = {Feature.NEGATIVE_PROMPT}
    if set(shapes) <= set(sizes(manifest, Part.VAE_ENCODER)):
        features |= {Feature.IMAGE_TO_IMAGE, Feature.INPAINTING}
    if manifest.time_cond_dim:  # its guidance is a number that it is told: there is no other side
        features.discard(Feature.NEGATIVE_PROMPT)
    shape = Shape(factor, 0, native.width // factor, manifest.max_tokens - 2)
    limits = replace(
        limits_of(manifest.family, shape),
        native=native,
        shapes=shapes,
        shapes_only=True,
        min_side=sides[0],
        max_side=sides[-1],
        side_step=math.gcd(*sides),
        features=frozenset(features),
    )
    if manifest.scheduler.get("_class_name") != "LCMScheduler":
        return limits
    guidance = 8.0 if manifest.time_cond_dim else 1.0  # as the models' authors recommend
    return replace(
        limits, scheduler=Scheduler.LCM, steps=4, quick_steps=2, fine_steps=8, guidance=guidance
    )


def sizes(manifest: CoreMLManifest, part: Part) -> tuple[Size, ...]:
    """The sizes of picture that a part is there for, in its own order, each once."""
    spec = manifest.parts.get(part)
    functions = spec.functions if spec else ()
    return tuple(dict.fromkeys(size_of(one, part, manifest.factor) for one in functions))


def functions_for(spec: PartSpec, part: Part, factor: int, size: Size) -> Iterator[FunctionSpec]:
    """The functions of ``spec`` that work at ``size``."""
    return (one for one in spec.functions if size_of(one, part, factor) == size)


def size_of(function: FunctionSpec, part: Part, factor: int) -> Size:
    """The picture's size that the shapes of a function's inputs mean."""
    name = _LATENTS.get(part)
    for feature in function.inputs:
        if feature.name == name:
            return Size(feature.shape[-1] * factor, feature.shape[-2] * factor)
        if part is Part.VAE_ENCODER:
            return Size(feature.shape[-1], feature.shape[-2])
    return Size(0, 0)
