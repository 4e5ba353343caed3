"""What a folder of Core ML models says of itself: ``coreml.json``, the contract of its two sides.

``app.convert`` writes it, ``app.engine.coreml`` draws by it. Folders of other makers have none; the
engine works theirs out from the files (``metadata.json`` of compiled models, the package's own
description). Layout of a folder::

    coreml.json
    TextEncoder.mlpackage  TextEncoder2.mlpackage  Unet.mlpackage
    VAEDecoder.mlpackage   VAEEncoder.mlpackage    SafetyChecker.mlpackage
    tokenizer/  tokenizer_2/      as in a diffusers folder
    golden/unet.npz ...           inputs by name, answers as "out:" + name
    licence texts, and a notice that the weights were modified by conversion
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from app.core.model import Family

FORMAT = 1
FILE_NAME = "coreml.json"


class Part(StrEnum):
    """The models of a folder; the value is the key in the manifest."""

    UNET = "unet"
    TEXT_ENCODER = "text_encoder"
    TEXT_ENCODER_2 = "text_encoder_2"
    VAE_DECODER = "vae_decoder"
    VAE_ENCODER = "vae_encoder"
    SAFETY_CHECKER = "safety_checker"


STEMS: Mapping[Part, str] = {
    Part.UNET: "Unet",
    Part.TEXT_ENCODER: "TextEncoder",
    Part.TEXT_ENCODER_2: "TextEncoder2",
    Part.VAE_DECODER: "VAEDecoder",
    Part.VAE_ENCODER: "VAEEncoder",
    Part.SAFETY_CHECKER: "SafetyChecker",
}
"""File names without ending, as in the folders that Apple's tools make."""


class Units(StrEnum):
    """What Core ML may run a model on (``MLComputeUnits``)."""

    CPU = "cpu"
    CPU_AND_GPU = "cpu and gpu"
    ALL = "all"
    CPU_AND_NEURAL_ENGINE = "cpu and neural engine"


class Attention(StrEnum):
    """How the UNet's attention is written down; see ``app.convert.coreml.surgery``."""

    SPLIT_EINSUM = "split_einsum"
    SPLIT_EINSUM_V2 = "split_einsum_v2"
    SDPA = "sdpa"


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """One input or output: its fixed shape, and "float16", "float32" or "int32"."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """One function of a package: "main", or one of several over the same weights (macOS 15).

    For a UNet, ``height`` and ``width`` are pixels of the picture and ``batch`` is 1 or 2
    (negative, then positive).
    """

    name: str
    inputs: tuple[FeatureSpec, ...]
    outputs: tuple[FeatureSpec, ...]
    height: int = 0
    width: int = 0
    batch: int = 1


@dataclass(frozen=True, slots=True)
class PartSpec:
    """One model: ``file`` in the folder, ``sha256`` of its weight file.

    ``bits`` per weight: 16, or 8, 6, 4 where palettized. ``units``: where it may run, best first.
    ``golden``: an .npz in the folder, "" where there is none yet. ``target``: least macOS.
    """

    file: str
    functions: tuple[FunctionSpec, ...]
    units: tuple[Units, ...]
    sha256: str = ""
    bits: int = 16
    attention: Attention | None = None
    golden: str = ""
    target: int = 14


@dataclass(frozen=True, slots=True)
class CoreMLManifest:
    """``scheduler`` is the source's scheduler_config.json. ``latent_scale`` and ``latent_shift``:
    ``latents = (moments - shift) * scale`` (diffusers' scaling_factor, shift_factor).
    ``latent_channels`` of the VAE; ``factor``: pixels a latent stands for, a side.

    ``source``: what it was made from, in words; ``source_files``: SHA-256 by file of the source.
    ``licence``: name of the licence; its text is in ``licence_file``. ``changes``: what
    conversion changed ("fused LoRA x at 1.0", "6-bit k-means").
    ``time_cond_dim``: width of an LCM's guidance embedding (``timestep_cond``), 0: none.
    ``hidden_layer``: which of the text encoder's hidden states conditions the UNet, counted from
    the end (1: the last, with final norm; 2: the one before, as SDXL does).
    ``vae_kind``: "kl" where the encoder's answer is mean and log variance, "plain" where latents.
    """

    title: str
    family: Family
    parts: Mapping[Part, PartSpec]
    scheduler: Mapping[str, Any]
    latent_channels: int
    latent_scale: float
    factor: int
    latent_shift: float = 0.0
    vae_kind: str = "kl"
    hidden_layer: int = 1
    time_cond_dim: int = 0
    max_tokens: int = 77
    source: str = ""
    source_files: Mapping[str, str] = field(default_factory=dict)
    licence: str = ""
    licence_file: str = ""
    changes: tuple[str, ...] = ()


def to_json(manifest: CoreMLManifest) -> str:
    """The text of coreml.json."""
    return json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> CoreMLManifest:
    """Raises ValueError, TypeError or KeyError for anything that is not a manifest."""
    data = json.loads(text)
    if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
        raise ValueError("not a manifest of this format")
    data["family"] = Family(data["family"])
    data["parts"] = {Part(name): _part(part) for name, part in data["parts"].items()}
    data["changes"] = tuple(data.get("changes", ()))
    return CoreMLManifest(**data)


def _part(data: dict[str, Any]) -> PartSpec:
    data["functions"] = tuple(_function(one) for one in data["functions"])
    data["units"] = tuple(Units(one) for one in data["units"])
    if data.get("attention") is not None:
        data["attention"] = Attention(data["attention"])
    return PartSpec(**data)


def _function(data: dict[str, Any]) -> FunctionSpec:
    for side in ("inputs", "outputs"):
        data[side] = tuple(
            FeatureSpec(one["name"], tuple(int(n) for n in one["shape"]), one["dtype"])
            for one in data[side]
        )
    return FunctionSpec(**data)
