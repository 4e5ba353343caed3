"""Understands folders of Core ML models that others made: Apple's published ones and their kin.

They have no coreml.json. Names and interfaces are those of apple/ml-stable-diffusion; the family
shows in the width of the text that the UNet takes, the rest of the settings are the family's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.core.coreml_manifest import (
    FILE_NAME,
    STEMS,
    Attention,
    CoreMLManifest,
    FeatureSpec,
    FunctionSpec,
    Part,
    PartSpec,
    Units,
    to_json,
)
from app.core.errors import ModelIncomplete, ModelMissing, ModelUnsupported
from app.core.model import Family
from app.engine.coreml.chunks import FIRST_CHUNK, SECOND_CHUNK
from app.engine.coreml.compiled import COMPILED
from app.engine.coreml.descriptions import Described, describe
from app.files.atomic_file import write_over

PACKAGE = ".mlpackage"
MAX_DEPTH = 4
"""How far below an unpacked folder the models may lie: ``original/compiled`` is 2."""

_FAMILIES = {768: Family.SD1, 1024: Family.SD2, 2048: Family.SDXL}
_SCALES = {Family.SD1: 0.18215, Family.SD2: 0.18215, Family.SDXL: 0.13025}
_WANTED = (Part.UNET, Part.TEXT_ENCODER, Part.VAE_DECODER)
_WORDS = ("vocab.json", "merges.txt")
_NEURAL_FIRST = (Units.CPU_AND_NEURAL_ENGINE, Units.CPU_AND_GPU, Units.CPU)
_NO_NEURAL = (Units.CPU_AND_GPU, Units.CPU)
_PALETTE = re.compile(rb"lut = tensor<\w+,\s*\[(\d+)\]>")
_PALETTIZED = b"constexpr_lut_to_dense"
_GUESSED_BITS = 6
"""Of a palettized package: what is published has 6, and only the compiled form says so."""

_SCHEDULER: Mapping[str, Any] = {
    "_class_name": "PNDMScheduler",
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "epsilon",
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
    "timestep_spacing": "leading",
    "trained_betas": None,
}
"""The schedule that all of Stable Diffusion 1.x, 2.x and SDXL was trained with."""


def adopt(folder: Path) -> CoreMLManifest:
    """Write the coreml.json of a folder that has none, and return what it says.

    Raises as ``understand``, and FolderNotWritable, NoSpace.
    """
    manifest = understand(folder)
    write_over(folder / FILE_NAME, to_json(manifest).encode("utf-8"))
    return manifest


def find_folder(root: Path) -> Path:
    """The folder at or below ``root`` that holds the models: a zip has one or two around them.

    Of several, the one for the Neural Engine; of its compiled form and its packages, the compiled.
    Raises ModelMissing, ModelIncomplete.
    """
    if not root.is_dir():
        raise ModelMissing(str(root))
    found, level = [], [root]
    for _ in range(MAX_DEPTH):
        found += [folder for folder in level if (folder / FILE_NAME).is_file() or _models(folder)]
        level = [
            below
            for folder in level
            for below in sorted(folder.iterdir())
            if below.is_dir() and below.suffix not in (COMPILED, PACKAGE)
        ]
    if not found:
        raise ModelIncomplete(str(root), (STEMS[Part.UNET] + COMPILED,))
    return min(found, key=lambda folder: _order(folder.relative_to(root)))


def understand(folder: Path) -> CoreMLManifest:
    """What coreml.json would say of ``folder``, whose files hold the models themselves.

    Raises ModelIncomplete for all that is missing at once, ModelUnsupported for another family,
    ModelDamaged.
    """
    # 1. Which models are there, and what they say of themselves
    files = _models(folder)
    _check_whole(folder, files)
    about = {part: describe(file) for part, file in files.items()}
    if files[Part.UNET].stem == FIRST_CHUNK:
        second = describe(folder / f"{SECOND_CHUNK}{files[Part.UNET].suffix}")
        about[Part.UNET] = _joined(about[Part.UNET], second)
    # 2. The family, by the text that the UNet takes
    family = _family(folder, about)
    # 3. What its pictures are made of
    sample = _input(folder, about[Part.UNET], "sample")
    factor = _factor(about[Part.VAE_DECODER])
    parts = {part: _part(folder, family, part, files[part], about[part], factor) for part in files}
    return CoreMLManifest(
        title=_title(folder, files[Part.UNET]),
        family=family,
        parts=parts,
        scheduler=_scheduler(family, sample),
        latent_channels=sample.shape[1],
        latent_scale=_SCALES[family],
        factor=factor,
        vae_kind=_vae_kind(about.get(Part.VAE_ENCODER), sample.shape[1]),
        hidden_layer=2 if family is Family.SDXL else 1,
        max_tokens=_input(folder, about[Part.TEXT_ENCODER], "input_ids").shape[-1],
        source="published Core ML models",
    )


def _models(folder: Path) -> dict[Part, Path]:
    """The models in ``folder`` by part; a compiled one before a package, chunks before a whole."""
    found: dict[Part, Path] = {}
    names = sorted(folder.iterdir(), key=lambda one: (one.suffix == COMPILED, "Chunk" in one.stem))
    for file in names:
        part = _part_of(file)
        if part is not None:
            found[part] = file
    return found


def _part_of(file: Path) -> Part | None:
    if file.suffix not in (COMPILED, PACKAGE):
        return None
    if file.stem == FIRST_CHUNK:
        return Part.UNET
    for part, stem in STEMS.items():
        if file.stem == stem or (part is Part.TEXT_ENCODER_2 and file.stem == "TextEncoder.2"):
            return part
        if file.stem.startswith("Stable_Diffusion_version_") and file.stem.endswith(f"_{part}"):
            return part
    return None


def _order(place: Path) -> tuple[bool, bool, int, str]:
    name = place.as_posix()
    return ("split_einsum" not in name, "packages" in name, len(place.parts), name)


def _check_whole(folder: Path, files: Mapping[Part, Path]) -> None:
    missing = [f"{STEMS[part]}{COMPILED}" for part in _WANTED if part not in files]
    unet = files.get(Part.UNET)
    if unet is not None and unet.stem == FIRST_CHUNK:
        second = f"{SECOND_CHUNK}{unet.suffix}"
        missing += [second] if not (folder / second).is_dir() else []
    missing += [name for name in _WORDS if not (folder / name).is_file()]
    if missing:
        raise ModelIncomplete(str(folder), tuple(missing))


def _joined(first: Described, second: Described) -> Described:
    """Both halves of a UNet as one: what neither gets from the other goes in."""
    one, two = first.functions[0], second.functions[0]
    between = {feature.name for feature in one.outputs}
    known = {feature.name for feature in one.inputs}
    more = tuple(f for f in two.inputs if f.name not in between | known)
    whole = FunctionSpec(one.name, one.inputs + more, two.outputs)
    return Described((whole,), first.program + second.program, max(first.target, second.target))


def _family(folder: Path, about: Mapping[Part, Described]) -> Family:
    text = _input(folder, about[Part.UNET], "encoder_hidden_states")
    width = text.shape[1] if len(text.shape) == 4 else 0
    family = _FAMILIES.get(width)
    if family is None:
        raise ModelUnsupported(str(folder), f"a UNet that takes text {width} wide")
    if family is Family.SDXL and Part.TEXT_ENCODER_2 not in about:
        raise ModelIncomplete(str(folder), (f"{STEMS[Part.TEXT_ENCODER_2]}{COMPILED}",))
    return family


def _input(folder: Path, model: Described, name: str) -> FeatureSpec:
    for feature in model.functions[0].inputs:
        if feature.name == name and len(feature.shape) >= 2:
            return feature
    raise ModelUnsupported(str(folder), f"a model that takes no {name}")


def _factor(decoder: Described) -> int:
    """8 where the decoder's answer has no shape, as in a package."""
    function = decoder.functions[0]
    takes, gives = function.inputs[0].shape, function.outputs[0].shape
    return gives[-1] // takes[-1] if len(gives) == 4 and takes else 8


def _part(
    folder: Path, family: Family, part: Part, file: Path, about: Described, factor: int
) -> PartSpec:
    functions = about.functions
    if part is Part.UNET:
        functions = tuple(_sized(folder, function, factor) for function in functions)
    return PartSpec(
        file=file.name,
        functions=functions,
        units=_units(family, part, about),
        bits=_bits(about.program),
        attention=_attention(about.program) if part is Part.UNET else None,
        target=about.target,
    )


def _sized(folder: Path, function: FunctionSpec, factor: int) -> FunctionSpec:
    batch, _, height, width = _input(folder, Described((function,), b"", 0), "sample").shape
    return replace(function, height=height * factor, width=width * factor, batch=batch)


def _units(family: Family, part: Part, about: Described) -> tuple[Units, ...]:
    """Published text encoders have crashed the GPU. The Neural Engine has drawn noise with SD 1.x
    and 2.x at other sizes than 512 x 512, and is slow with attention that is not split for it;
    SDXL's autoencoder, in fp32 where it is not mended, runs on the GPU."""
    if part in (Part.TEXT_ENCODER, Part.TEXT_ENCODER_2, Part.SAFETY_CHECKER):
        return (Units.CPU,)
    takes = about.functions[0].inputs[0]
    if part is Part.UNET:
        proven = family is Family.SDXL or takes.shape[-2:] == (64, 64)
        neural = proven and _attention(about.program) is Attention.SPLIT_EINSUM
    else:
        neural = takes.dtype != "float32"
    return _NEURAL_FIRST if neural else _NO_NEURAL


def _attention(program: bytes) -> Attention | None:
    """None for one that no unit is preferred for ("original", and what Xcode alone described)."""
    if b"scaled_dot_product_attention" in program:
        return Attention.SDPA
    return Attention.SPLIT_EINSUM if b"einsum" in program else None


def _bits(program: bytes) -> int:
    sizes = [int(size) for size in _PALETTE.findall(program)]
    if sizes:
        return max(1, (max(sizes) - 1).bit_length())
    return _GUESSED_BITS if _PALETTIZED in program else 16


def _scheduler(family: Family, sample: FeatureSpec) -> Mapping[str, Any]:
    """SD 2.x for 768 x 768 was trained to say v; SDXL is asked with another sampler."""
    if family is Family.SD2 and max(sample.shape[-2:]) >= 96:
        return {**_SCHEDULER, "prediction_type": "v_prediction"}
    if family is Family.SDXL:
        return {**_SCHEDULER, "_class_name": "EulerDiscreteScheduler"}
    return dict(_SCHEDULER)


def _vae_kind(encoder: Described | None, channels: int) -> str:
    """Mean and log variance are twice as many channels; an answer without a shape is that."""
    if encoder is None:
        return "kl"
    shape = encoder.functions[0].outputs[0].shape
    return "plain" if len(shape) == 4 and shape[1] == channels else "kl"


def _title(folder: Path, unet: Path) -> str:
    """ "Stable_Diffusion_version_org_name_unet" says it, else the folder does."""
    stem = unet.stem.removeprefix("Stable_Diffusion_version_").removesuffix("_unet")
    return stem.replace("_", " ") if stem != unet.stem else folder.name
