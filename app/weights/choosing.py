"""Which files of a repository on the hub Easel needs. Values in, values out: asks nobody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.core.card import Kind
from app.core.errors import CardProblem
from app.core.model import Family
from app.files.disk_names import clash
from app.weights.paths import is_safe_path

INDEX = "model_index.json"

_PIPELINES = {
    "StableDiffusionPipeline": ("unet", "vae", "text_encoder", "tokenizer", "scheduler"),
    "StableDiffusionXLPipeline": (
        "unet", "vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "scheduler",
    ),
}  # fmt: skip
"""What Easel draws with, and its parts. The safety checker is none of them."""
_PIPELINES["StableDiffusionImg2ImgPipeline"] = _PIPELINES["StableDiffusionPipeline"]
_PIPELINES["StableDiffusionXLImg2ImgPipeline"] = _PIPELINES["StableDiffusionXLPipeline"]

_STEMS = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model"}
_WITHOUT_WEIGHTS = ("tokenizer", "tokenizer_2", "scheduler")
_DESCRIPTIONS = (".json", ".txt")
_SHARD = r"-[0-9]{5}-of-[0-9]{5}\.safetensors"
_SD2_WIDTH = 1024
"""Of the text that the UNet attends to: 768 in Stable Diffusion 1.x."""
_SDXL_BYTES = 5_000_000_000
"""A single file this large holds an SDXL; those of 1.x and 2.x have 2 to 5 GB, all in fp16 less."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as the hub lists it. ``blob`` is git's SHA-1; ``sha256`` is "" where it has none."""

    path: str
    bytes: int
    blob: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a model is made of."""

    kind: Kind
    entries: tuple[Entry, ...]


def choose(name: str, entries: Iterable[Entry], index: Mapping[str, Any] | None) -> Chosen:
    """The files to get: a diffusers folder where there is an ``index``, else one checkpoint.

    Raises CardProblem for a repository that Easel cannot draw with.
    """
    entries = tuple(entries)
    if index is None:
        return Chosen(Kind.CHECKPOINT, (_single(name, entries),))
    parts = _PIPELINES.get(str(index.get("_class_name")))
    if parts is None:
        raise CardProblem(name, "it is not a model of a kind that Easel draws with")
    chosen = [entry for entry in entries if entry.path == INDEX]
    for part in parts:
        chosen += _part(name, part, entries)
    return Chosen(Kind.DIFFUSERS, tuple(sorted(chosen, key=lambda entry: entry.path)))


def check_names(name: str, entries: Iterable[Entry]) -> None:
    """Raises CardProblem where a path may not become a file here, or two would be one."""
    paths = [entry.path for entry in entries]
    for path in paths:
        if not is_safe_path(path):
            raise CardProblem(name, f"{path[:80]!r} is no name for a file of a model")
    if twin := clash(paths):
        raise CardProblem(name, f"{twin} is there twice, or where another needs a folder")


def family_of(chosen: Chosen, index: Mapping[str, Any] | None, unet: Mapping[str, Any]) -> Family:
    """By the pipeline and the configuration of the UNet; a checkpoint's by its size.

    A checkpoint is looked at again when it is unfolded.
    """
    if index is None:
        return Family.SDXL if chosen.entries[0].bytes > _SDXL_BYTES else Family.SD1
    if "XL" in str(index["_class_name"]):
        return Family.SDXL
    return Family.SD2 if unet.get("cross_attention_dim") == _SD2_WIDTH else Family.SD1


def _single(name: str, entries: tuple[Entry, ...]) -> Entry:
    found = [e for e in entries if "/" not in e.path and e.path.endswith(".safetensors")]
    if len(found) == 1:
        return found[0]
    if found:
        raise CardProblem(name, f"it holds {len(found)} single-file models; Easel cannot choose")
    raise CardProblem(name, "it holds no model in .safetensors")


def _part(name: str, part: str, entries: tuple[Entry, ...]) -> list[Entry]:
    """The descriptions of ``part`` and one set of its weights: fp16 where there is one."""
    own = [e for e in entries if e.path.rpartition("/")[0] == part]
    described = [
        e for e in own if e.path.endswith(_DESCRIPTIONS) and ".safetensors.index" not in e.path
        and ".bin.index" not in e.path
    ]  # fmt: skip
    if not described:
        raise CardProblem(name, f"its {part} is missing")
    if part in _WITHOUT_WEIGHTS:
        return described
    for variant in (".fp16", ""):
        weights = _weights(own, f"{part}/{_STEMS.get(part, 'model')}", variant)
        if weights:
            return described + weights
    raise CardProblem(name, f"its {part} has no weights in .safetensors")


def _weights(own: list[Entry], stem: str, variant: str) -> list[Entry]:
    """The weights of a part: one file, else all of its shards with their index; else nothing."""
    by_path = {entry.path: entry for entry in own}
    if single := by_path.get(f"{stem}{variant}.safetensors"):
        return [single]
    shards = [e for e in own if re.fullmatch(re.escape(stem + variant) + _SHARD, e.path)]
    index = by_path.get(f"{stem}.safetensors.index{variant}.json")
    whole = bool(shards) and len(shards) == int(shards[0].path.rpartition("-of-")[2][:5])
    return [*shards, index] if whole and index else []
