"""The networks that Easel knows: built without memory, to be asked what they hold."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from app.convert.tensor_files import write_json, write_tensors
from app.core.errors import ImportRefused

DTYPE = torch.float16
"""What Easel computes with, so that weights are mapped from disk and not converted each time."""

State = dict[str, torch.Tensor]
Config = dict[str, Any]

_DIFFUSION: dict[str, Any] = {
    "UNet2DConditionModel": UNet2DConditionModel,
    "AutoencoderKL": AutoencoderKL,
    "AutoencoderTiny": AutoencoderTiny,
}
_TEXT: dict[str, Any] = {
    "CLIPTextModel": CLIPTextModel,
    "CLIPTextModelWithProjection": CLIPTextModelWithProjection,
}
_TEXT_KEYS = {
    "architectures",
    "attention_dropout",
    "bos_token_id",
    "eos_token_id",
    "hidden_act",
    "hidden_size",
    "initializer_factor",
    "initializer_range",
    "intermediate_size",
    "layer_norm_eps",
    "max_position_embeddings",
    "model_type",
    "num_attention_heads",
    "num_hidden_layers",
    "pad_token_id",
    "projection_dim",
    "vocab_size",
}


def class_name(config: Config) -> str:
    """The class that ``config`` is for, "" where it is none of ours."""
    named = config.get("_class_name")
    architectures = config.get("architectures")
    if named is None and isinstance(architectures, list) and len(architectures) == 1:
        named = architectures[0]
    return named if isinstance(named, str) and named in _DIFFUSION | _TEXT else ""


def described(config: Config) -> Config:
    """``config`` with only what describes the network.

    Loaders act on other keys too: they fetch attention kernels, quantisers and base models by name.
    """
    name = class_name(config)
    known = _TEXT_KEYS if name in _TEXT else set(signature(_DIFFUSION[name].__init__).parameters)
    return {key: value for key, value in config.items() if key in known | {"_class_name"}}


def build(config: Config) -> Any:
    """The network that ``config`` describes, without memory for its weights.

    Raises KeyError for a class that is none of ours, and what its constructor says about numbers
    that do not fit together.
    """
    name = class_name(config)
    with torch.device("meta"):
        if name in _TEXT:
            return _TEXT[name](CLIPTextConfig(**config))
        return _DIFFUSION[name].from_config(config)


def fitted(file: str, network: torch.nn.Module, named: State) -> State:
    """Exactly what ``network`` holds, by its names; more than that is dropped.

    Names are compared without "text_model.", which writers of CLIP use or leave out; shapes
    without sides of one, because a 1x1 convolution may be kept as a matrix. Raises ImportRefused:
    "damaged" (a tensor is missing), "unknown family" (one has another shape).
    """
    bare = {name.removeprefix("text_model."): tensor for name, tensor in named.items()}
    state: State = {}
    for name, wanted in network.state_dict().items():
        tensor = bare.get(name.removeprefix("text_model."))
        if tensor is None:
            raise ImportRefused(file, "damaged")
        if tensor.shape != wanted.shape and tensor.squeeze().shape != wanted.squeeze().shape:
            raise ImportRefused(file, "unknown family")
        state[name] = tensor.reshape(wanted.shape).contiguous()
    return state


def weights_stem(config: Config) -> str:
    """What the weight file of such a network is called, without ".safetensors"."""
    return "model" if class_name(config) in _TEXT else "diffusion_pytorch_model"


def write_component(state: State, config: Config, folder: Path) -> None:
    """Write one component of a diffusers folder. Raises OSError."""
    write_tensors(state, folder / f"{weights_stem(config)}.safetensors")
    write_json(config, folder / "config.json")
