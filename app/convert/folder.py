"""Brings in a folder in diffusers layout: read as data, rebuilt from what is known.

Nothing that the folder names is imported: every class is looked up in a list of ours, every number
is held to a range, and weights have to be exactly those of the network that the numbers describe.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.convert.families import INPAINTING_CHANNELS, LATENT_CHANNELS, Found
from app.convert.networks import (
    DTYPE,
    Config,
    State,
    build,
    class_name,
    described,
    fitted,
    weights_stem,
    write_component,
)
from app.convert.tensor_files import open_safetensors, read_number, sync, write_json
from app.core.card import Kind
from app.core.errors import ImportRefused
from app.core.model import Family

MAX_JSON = 10_000_000
MAX_NUMBER = 1_000_000
MAX_LAYERS = 64
MAX_LIST = 64
MAX_SHARDS = 32

_CLASSES: Mapping[str, frozenset[str]] = {
    "unet": frozenset({"UNet2DConditionModel"}),
    "vae": frozenset({"AutoencoderKL", "AutoencoderTiny"}),
    "text_encoder": frozenset({"CLIPTextModel"}),
    "text_encoder_2": frozenset({"CLIPTextModelWithProjection"}),
    "tokenizer": frozenset({"CLIPTokenizer", "CLIPTokenizerFast"}),
    "tokenizer_2": frozenset({"CLIPTokenizer", "CLIPTokenizerFast"}),
    "scheduler": frozenset(
        {
            "DDIMScheduler",
            "DDPMScheduler",
            "DEISMultistepScheduler",
            "DPMSolverMultistepScheduler",
            "DPMSolverSinglestepScheduler",
            "EulerAncestralDiscreteScheduler",
            "EulerDiscreteScheduler",
            "HeunDiscreteScheduler",
            "KDPM2AncestralDiscreteScheduler",
            "KDPM2DiscreteScheduler",
            "LCMScheduler",
            "LMSDiscreteScheduler",
            "PNDMScheduler",
            "UniPCMultistepScheduler",
        }
    ),
}
_DROPPED = frozenset({"safety_checker", "feature_extractor", "image_encoder"})
_ONE = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
_PIPELINES: Mapping[str, tuple[str, ...]] = {
    "StableDiffusionPipeline": _ONE,
    "StableDiffusionInpaintPipeline": _ONE,
    "StableDiffusionXLPipeline": (*_ONE, "text_encoder_2", "tokenizer_2"),
    "StableDiffusionXLInpaintPipeline": (*_ONE, "text_encoder_2", "tokenizer_2"),
}
_TOKENIZER_FILES = (
    "vocab.json",
    "merges.txt",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
)


@dataclass(frozen=True, slots=True)
class Layout:
    """A folder that has been looked through; ``configs`` has one for each network."""

    folder: Path
    index: Config
    configs: Mapping[str, Config]
    scheduler: Config
    found: Found


def look_through(folder: Path) -> Layout:
    """Read and check every description in ``folder``; no weight is opened.

    Raises ImportRefused: "unknown format" (no diffusers folder), "damaged", "code inside",
    "unknown objects" (a class that is none of ours), "hostile" (absurd numbers), "unknown family".
    """
    # 1. The index, and only classes that are ours
    if any(folder.glob("*.py")) or any(folder.glob("*/*.py")):
        raise ImportRefused(str(folder), "code inside")
    index = _read(folder, "model_index.json")
    parts = _PIPELINES.get(str(index.get("_class_name")))
    if parts is None:
        raise ImportRefused(str(folder), "unknown objects")
    index = _known_index(folder, index, parts)
    # 2. Each description, and only numbers that a real model has
    networks = [part for part in parts if not part.startswith(("tokenizer", "scheduler"))]
    configs = {part: _described(folder, part, "config.json", index[part][1]) for part in networks}
    scheduler = _described(folder, "scheduler", "scheduler_config.json", index["scheduler"][1])
    # 3. What they make together
    return Layout(folder, index, configs, scheduler, _found(folder, index, configs))


def copy_folder(layout: Layout, staging: Path, wrote: Callable[[str], None]) -> None:
    """Write what ``layout`` describes into ``staging``, in fp16. ``wrote`` may raise to stop.

    Raises ImportRefused: "damaged", "unknown family", "not finite", "unknown format"; OSError.
    """
    for part, config in layout.configs.items():
        file = str(layout.folder / part)
        try:
            network = build(config)
        except Exception as error:  # whatever a constructor says to numbers that do not fit
            raise ImportRefused(file, "damaged") from error
        state = read_weights(layout.folder / part, weights_stem(config))
        write_component(fitted(file, network, state), config, staging / part)
        wrote(part)
    for part in layout.index:
        if part.startswith("tokenizer"):
            copy_tokenizer(layout.folder, part, staging / part)
    write_json(layout.scheduler, staging / "scheduler" / "scheduler_config.json")
    write_json(layout.index, staging / "model_index.json")


def _known_index(folder: Path, index: Config, parts: tuple[str, ...]) -> Config:
    """``index`` without what is not drawn with. Refuses what is not known."""
    for name, value in index.items():
        if not isinstance(value, list) or name in _DROPPED or value == [None, None]:
            continue
        known = len(value) == 2 and value[0] in ("diffusers", "transformers")
        if name not in parts or not known or str(value[1]) not in _CLASSES[name]:
            raise ImportRefused(str(folder), "unknown objects")
    if any(not isinstance(index.get(part), list) or not index[part][0] for part in parts):
        raise ImportRefused(str(folder), "damaged")
    kept: Config = {name: index[name] for name in ("_class_name", *parts)}
    if "text_encoder_2" in parts:
        kept["force_zeros_for_empty_prompt"] = index.get("force_zeros_for_empty_prompt") is True
    else:
        kept.update(safety_checker=[None, None], feature_extractor=[None, None])
        kept["requires_safety_checker"] = False
    return kept


def _described(folder: Path, part: str, name: str, expected: str) -> Config:
    config = _read(folder, f"{part}/{name}")
    if "auto_map" in config:
        raise ImportRefused(str(folder / part / name), "code inside")
    named = config.get("_class_name") if part == "scheduler" else class_name(config)
    if named != expected:
        raise ImportRefused(str(folder / part / name), "unknown objects")
    for key, value in config.items():
        if not _sane(key, value):
            raise ImportRefused(str(folder / part / name), "hostile")
    return config if part == "scheduler" else described(config)


def _sane(key: str, value: object, depth: int = 0) -> bool:
    """Short texts, short lists, and numbers of a size that something real has."""
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, str):
        return len(value) <= 1000
    if key == "lambda_min_clipped" and value == -math.inf:
        return True  # DPM-Solver's "not clipped", as diffusers writes it
    if isinstance(value, int | float):
        layered = "layers" in key and "dim" not in key
        return abs(value) <= (MAX_LAYERS if layered else MAX_NUMBER)  # NaN is not either
    if depth > 2:
        return False
    if isinstance(value, dict):
        return len(value) <= MAX_LIST and all(_sane(k, v, depth + 1) for k, v in value.items())
    if isinstance(value, list):
        most = 1000 if key == "trained_betas" else MAX_LIST
        return len(value) <= most and all(_sane(key, one, depth + 1) for one in value)
    return False


def _found(folder: Path, index: Config, configs: Mapping[str, Config]) -> Found:
    """SD 2.x attends to a text of 1024, and reads it with plain GELU; SDXL has a second reader."""
    unet, text = configs["unet"], configs["text_encoder"]
    channels = unet.get("in_channels", LATENT_CHANNELS)
    inpainting = "Inpaint" in index["_class_name"]
    latent = configs["vae"].get("latent_channels", LATENT_CHANNELS)
    if channels != (INPAINTING_CHANNELS if inpainting else latent):
        raise ImportRefused(str(folder), "unknown family")
    second = unet.get("cross_attention_dim") == 1024 or (
        text.get("hidden_act") == "gelu" and unet.get("use_linear_projection") is True
    )
    plain = Family.SD2 if second else Family.SD1
    family = Family.SDXL if "text_encoder_2" in configs else plain
    return Found(Kind.CHECKPOINT, family, inpainting)


def read_weights(place: Path, stem: str) -> State:
    """The tensors of one component in fp16, from one file or several."""
    state: State = {}
    with ExitStack() as files:
        for file in weight_files(place, stem):
            tensors = files.enter_context(open_safetensors(file))
            for name in tensors.shapes:
                if not name.endswith("position_ids"):
                    state[name] = read_number(tensors, name, DTYPE)
    return state


def weight_files(place: Path, stem: str) -> Iterator[Path]:
    for variant in ("", ".fp16"):
        single = place / f"{stem}{variant}.safetensors"
        if single.is_file():
            yield single
            return
        shards = place / f"{stem}.safetensors.index{variant}.json"
        if shards.is_file():
            named = _read(place, shards.name).get("weight_map")
            names = (
                sorted({str(name) for name in named.values()}) if isinstance(named, dict) else []
            )
            if any(Path(name).name != name for name in names):
                raise ImportRefused(str(shards), "unsafe names")
            missing = any(not (place / name).is_file() for name in names)
            if not names or len(names) > MAX_SHARDS or missing:
                raise ImportRefused(str(shards), "damaged")
            yield from (place / name for name in names)
            return
    raise ImportRefused(str(place), "damaged")  # a pickle beside it is left alone


def copy_tokenizer(folder: Path, part: str, target: Path) -> None:
    """The files of a CLIP tokenizer, each of them only data."""
    target.mkdir(parents=True)
    for name in _TOKENIZER_FILES:
        file = folder / part / name
        if not file.is_file():
            continue
        if name.endswith(".json"):
            data = _read(folder, f"{part}/{name}")
            if "auto_map" in data:
                raise ImportRefused(str(file), "code inside")
            kind = str(data.get("tokenizer_class", "CLIPTokenizer"))
            if kind not in _CLASSES["tokenizer"]:
                raise ImportRefused(str(file), "unknown objects")
        elif file.stat().st_size > MAX_JSON:
            raise ImportRefused(str(file), "too large")
        (target / name).write_bytes(file.read_bytes())
        sync(target / name)
    whole = (target / "tokenizer.json").is_file()
    if not whole and not ((target / "vocab.json").is_file() and (target / "merges.txt").is_file()):
        raise ImportRefused(str(folder / part), "damaged")


def _read(folder: Path, name: str) -> dict[str, Any]:
    """A JSON object. Raises ImportRefused: "unknown format", "too large", "damaged"."""
    file = folder / name
    if not file.is_file():
        raise ImportRefused(str(folder), "unknown format" if "/" not in name else "damaged")
    if file.stat().st_size > MAX_JSON:
        raise ImportRefused(str(file), "too large")
    try:
        data = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ImportRefused(str(file), "damaged") from error
    if not isinstance(data, dict):
        raise ImportRefused(str(file), "damaged")
    return data
