"""A checkpoint in one file becomes a diffusers folder, in the dtype that Easel computes with.

Names are mapped by diffusers' own conversion; what each network needs is asked of the network
itself, built without memory from the bundled configuration. One component is held at a time.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.loaders import single_file_utils

from app.convert.families import INPAINTING_CHANNELS, Found
from app.convert.networks import DTYPE, Config, State, build, fitted, write_component
from app.convert.prediction import predicts_noise
from app.convert.tensor_files import Tensors, read_number, sync, write_json
from app.core.errors import ImportRefused
from app.core.model import Family

MAX_COMPONENT = 5_000
"""Tensors; SDXL's UNet has 1,680, and renaming looks at each for each block."""

_DIFFUSERS: Any = single_file_utils  # it has no types

_INPAINTING = {
    "StableDiffusionPipeline": "StableDiffusionInpaintPipeline",
    "StableDiffusionXLPipeline": "StableDiffusionXLInpaintPipeline",
}


@dataclass(frozen=True, slots=True)
class _Component:
    """``prefix`` is what its tensors' names begin with in the file; ``clip`` is "", "clip" (the
    layout of transformers) or "openclip"."""

    name: str
    prefix: str
    clip: str = ""


_UNET = _Component("unet", "model.diffusion_model.")
_VAE = _Component("vae", "first_stage_model.")
_COMPONENTS: Mapping[Family, tuple[_Component, ...]] = {
    Family.SD1: (
        _UNET,
        _VAE,
        _Component("text_encoder", "cond_stage_model.transformer.", "clip"),
    ),
    Family.SD2: (
        _UNET,
        _VAE,
        _Component("text_encoder", "cond_stage_model.model.", "openclip"),
    ),
    Family.SDXL: (
        _UNET,
        _VAE,
        _Component("text_encoder", "conditioner.embedders.0.transformer.", "clip"),
        _Component("text_encoder_2", "conditioner.embedders.1.model.", "openclip"),
    ),
}


def component_count(family: Family) -> int:
    """How many components a checkpoint of ``family`` has."""
    return len(_COMPONENTS[family])


def convert_checkpoint(
    tensors: Tensors, found: Found, configs: Path, folder: Path, wrote: Callable[[str], None]
) -> None:
    """Write the checkpoint ``tensors`` into the new ``folder`` as a diffusers folder in fp16.

    ``configs`` is ``resources/configs``. ``wrote`` is told each component's name, and may raise to
    stop. Raises ImportRefused: "damaged" (a tensor is missing), "unknown family" (one has another
    shape), "not finite", "unknown format" (quantised); OSError.
    """
    known = configs / found.family.value
    scheduler = _read(known / "scheduler" / "scheduler_config.json")
    if "v_pred" in tensors.shapes:  # an empty tensor by which trainers of SDXL mark velocity
        scheduler["prediction_type"] = "v_prediction"
    if "ztsnr" in tensors.shapes:
        scheduler |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    # 1. The networks
    for component in _COMPONENTS[found.family]:
        config = _read(known / component.name / "config.json")
        if component is _UNET and found.inpainting:
            config["in_channels"] = INPAINTING_CHANNELS
        network = _convert(tensors, component, config, folder / component.name)
        if component is _UNET and found.family is Family.SD2 and predicts_noise(network):
            scheduler["prediction_type"] = "epsilon"  # 2.x has both kinds, and the file is silent
        wrote(component.name)
    # 2. What has no weights
    for tokenizer in sorted(known.glob("tokenizer*")):
        _copy_tokenizer(configs / "clip", tokenizer, folder / tokenizer.name)
    write_json(scheduler, folder / "scheduler" / "scheduler_config.json")
    # 3. What the folder is, last
    index = _read(known / "model_index.json")
    if found.inpainting:
        index["_class_name"] = _INPAINTING[index["_class_name"]]
    write_json(index, folder / "model_index.json")


def convert_autoencoder(tensors: Tensors, family: Family, configs: Path, folder: Path) -> None:
    """Write an autoencoder by itself, as ``AutoencoderKL.from_pretrained`` reads it.

    Raises as ``convert_checkpoint`` does.
    """
    config = _read(configs / family.value / "vae" / "config.json")
    names = list(tensors.shapes)
    prefix = _VAE.prefix if all(name.startswith(_VAE.prefix) for name in names) else ""
    _convert(tensors, _Component("vae", prefix), config, folder)


def _convert(tensors: Tensors, component: _Component, config: Config, folder: Path) -> Any:
    """Write one component, and give the network with the weights that were written."""
    network = build(config)
    state = dict(_component_state(tensors, component))
    try:
        named = _renamed(network, state, component, config)
    except (KeyError, AttributeError, IndexError, TypeError, ValueError, RuntimeError) as error:
        # diffusers expects a sound file: what it stumbles over is a tensor missing or misshapen
        raise ImportRefused(tensors.file, "damaged") from error
    weights = fitted(tensors.file, network, named)
    write_component(weights, config, folder)
    network.load_state_dict(weights, assign=True)
    return network.eval()


def _component_state(tensors: Tensors, component: _Component) -> Iterator[tuple[str, torch.Tensor]]:
    """Its tensors in fp16 by their names in the file, without the counters that CLIP carries."""
    names = [name for name in tensors.shapes if name.startswith(component.prefix)]
    if len(names) > MAX_COMPONENT:
        raise ImportRefused(tensors.file, "too large")
    for name in names:
        if not name.endswith((".position_ids", "logit_scale")):
            yield name, read_number(tensors, name, DTYPE)


def _renamed(network: Any, state: State, component: _Component, config: Config) -> State:
    """``state`` under diffusers' names."""
    renamed: State
    if component.clip == "openclip":
        renamed = _DIFFUSERS.convert_open_clip_checkpoint(network, state, prefix=component.prefix)
    elif component.clip:
        renamed = {name.removeprefix(component.prefix): value for name, value in state.items()}
    elif component.name == "unet":
        renamed = _DIFFUSERS.convert_ldm_unet_checkpoint(state, config)
    elif any("mid_block" in name for name in state):  # already in diffusers' layout
        renamed = state
    else:
        renamed = _DIFFUSERS.convert_ldm_vae_checkpoint(state, config)
    return renamed


def _copy_tokenizer(clip: Path, settings: Path, folder: Path) -> None:
    """The words of ``clip``, and the settings of this family's tokenizer."""
    folder.mkdir(parents=True)
    sources = [clip / "vocab.json", clip / "merges.txt", *sorted(settings.iterdir())]
    for source in sources:
        shutil.copyfile(source, folder / source.name)
        sync(folder / source.name)


def _read(file: Path) -> Config:
    config: Config = json.loads(file.read_text("utf-8"))
    return config
