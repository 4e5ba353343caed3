"""Writes a diffusers folder as the single file that its family was first published as.

The inverse of what ``app.convert.single_file`` relies on, written from the layout of the original
programs (LDM's numbered blocks, OpenCLIP's resblocks), so that a mistake there does not cancel out.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import torch
from safetensors.torch import load_file

State = dict[str, torch.Tensor]

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
_UNET_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}


def single_file(kind: str, folder: Path) -> State:
    """The tensors of the diffusers ``folder`` of a tiny model under their original names."""
    state: State = {}
    config = json.loads((folder / "unet" / "config.json").read_text())
    unet = load_file(folder / "unet" / "diffusion_pytorch_model.safetensors")
    layers = config["layers_per_block"]
    attended = [name.startswith("CrossAttn") for name in config["up_block_types"]]
    for name, tensor in unet.items():
        state["model.diffusion_model." + unet_name(name, layers, attended)] = tensor
    vae = load_file(folder / "vae" / "diffusion_pytorch_model.safetensors")
    for name, tensor in vae_state(vae).items():
        state["first_stage_model." + name] = tensor
    text = load_file(folder / "text_encoder" / "model.safetensors")
    if kind == "sd1":
        state |= clip(text, "cond_stage_model.transformer.")
    elif kind == "sd2":
        state |= open_clip(text, "cond_stage_model.model.")
    else:
        state |= clip(text, "conditioner.embedders.0.transformer.")
        second = load_file(folder / "text_encoder_2" / "model.safetensors")
        state |= open_clip(second, "conditioner.embedders.1.model.")
    return {name: tensor.contiguous() for name, tensor in state.items()}


def unet_name(name: str, layers: int, attended: list[bool]) -> str:
    """LDM numbers the UNet's parts through; ``layers`` resnets a block, one more on the way up."""
    for ours, theirs in _UNET_ENDS.items():
        if name.startswith(f"{ours}."):
            return theirs + name.removeprefix(ours)
    step = layers + 1
    if found := re.match(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", name):
        kind, number, rest = found.groups()
        place = 1 if kind == "attentions" else 2 * int(number)
        return f"middle_block.{place}." + (_resnet(rest) if kind == "resnets" else rest)
    found = re.match(r"(down|up)_blocks\.(\d)\.(\w+)\.(\d)\.(.*)", name)
    assert found, name
    way, block, kind, number, rest = found.groups()
    at = int(block) * step + (1 if way == "down" else 0)
    side = "input_blocks" if way == "down" else "output_blocks"
    if kind == "downsamplers":
        return f"{side}.{at + layers}.0.op.{rest.removeprefix('conv.')}"
    if kind == "upsamplers":
        return f"{side}.{at + layers}.{2 if attended[int(block)] else 1}.{rest}"
    place = at + int(number)
    return f"{side}.{place}.0.{_resnet(rest)}" if kind == "resnets" else f"{side}.{place}.1.{rest}"


def vae_state(vae: State) -> State:
    """The autoencoder in LDM's layout; its attention is made of 1x1 convolutions there."""
    levels = 1 + max(int(n.split(".")[2]) for n in vae if n.startswith("decoder.up_blocks."))
    state: State = {}
    for name, tensor in vae.items():
        theirs = name.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
        theirs = re.sub(r"down_blocks\.(\d)\.resnets\.(\d)", r"down.\1.block.\2", theirs)
        theirs = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", theirs)
        theirs = re.sub(
            r"up_blocks\.(\d)\.(resnets\.(\d)|upsamplers\.0)",
            lambda m: (
                f"up.{levels - 1 - int(m[1])}."
                + (f"block.{m[3]}" if m[3] is not None else "upsample")
            ),
            theirs,
        )
        theirs = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", theirs)
        theirs = theirs.replace("mid_block.attentions.0", "mid.attn_1")
        if "attn_1" in theirs:
            theirs = theirs.replace("group_norm", "norm").replace("to_out.0", "proj_out")
            theirs = re.sub(r"to_([qkv])", r"\1", theirs)
            if tensor.ndim == 2:
                tensor = tensor[:, :, None, None]
        state[theirs] = tensor
    return state


def clip(text: State, prefix: str) -> State:
    """As transformers wrote it in 2022, with the counter that it kept then."""
    state = {f"{prefix}text_model.{n.removeprefix('text_model.')}": t for n, t in text.items()}
    state[f"{prefix}text_model.embeddings.position_ids"] = torch.arange(77)[None]
    return state


def open_clip(text: State, prefix: str) -> State:
    """OpenCLIP keeps query, key and value in one matrix, and its projection turned."""
    bare = {name.removeprefix("text_model."): tensor for name, tensor in text.items()}
    state: State = {}
    for name, tensor in bare.items():
        if "self_attn" in name and "out_proj" not in name:
            continue
        theirs = name.replace("embeddings.token_embedding", "token_embedding")
        theirs = theirs.replace("embeddings.position_embedding.weight", "positional_embedding")
        theirs = theirs.replace("final_layer_norm", "ln_final")
        theirs = theirs.replace("encoder.layers.", "transformer.resblocks.")
        theirs = theirs.replace("layer_norm", "ln_").replace("self_attn", "attn")
        theirs = theirs.replace("fc1", "c_fc").replace("fc2", "c_proj")
        if theirs == "text_projection.weight":
            theirs, tensor = "text_projection", tensor.T
        state[prefix + theirs] = tensor
    for layer in range(sum(name.endswith("self_attn.q_proj.weight") for name in bare)):
        for ending in ("weight", "bias"):
            three = [bare[f"encoder.layers.{layer}.self_attn.{x}_proj.{ending}"] for x in "qkv"]
            state[f"{prefix}transformer.resblocks.{layer}.attn.in_proj_{ending}"] = torch.cat(three)
    state[f"{prefix}logit_scale"] = torch.tensor(4.6)
    return state


def _resnet(rest: str) -> str:
    head, _, tail = rest.partition(".")
    return f"{_RESNET[head]}.{tail}"
