"""What a LoRA calls the layers of a network: three ways of writing one name.

diffusers and PEFT write a layer's own dotted name, kohya's trainer the same with "_" for ".", and
for SDXL the numbered blocks of the original program (LDM). All are compared with "_".
"""

from __future__ import annotations

import re
from typing import Any

import torch

Layer = torch.nn.Linear | torch.nn.Conv2d

_PREFIXES = (
    ("lora_unet_", "unet"),
    ("lora_te2_", "text_encoder_2"),
    ("lora_te1_", "text_encoder"),
    ("lora_te_", "text_encoder"),
    ("unet.", "unet"),
    ("text_encoder_2.", "text_encoder_2"),
    ("text_encoder.", "text_encoder"),
)
_BARE = ("down_blocks.", "mid_block.", "up_blocks.")
"""How a name begins where PEFT saved a UNet by itself."""

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_ENDS = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_out": "out.2",
}


def place_of(stem: str) -> tuple[str, str] | None:
    """(network, layer) that ``stem``, a tensor's name without its role, means; None: neither."""
    stem = stem.removeprefix("base_model.model.")
    for prefix, network in _PREFIXES:
        if stem.startswith(prefix):
            return network, plain(stem.removeprefix(prefix))
    return ("unet", plain(stem)) if stem.startswith(_BARE) else None


def layers_of(network: torch.nn.Module) -> dict[str, Layer]:
    """The layers of ``network`` that a LoRA may change, by each of their names."""
    found: dict[str, Layer] = {}
    for name, module in network.named_modules():
        if isinstance(module, torch.nn.Linear | torch.nn.Conv2d):
            for written in (name, _ldm_name(name, network)):
                if written:
                    found[plain(written)] = module
    return found


def plain(name: str) -> str:
    """``name`` without what is left out as often as not, and with "_" for "."."""
    plain = name.replace(".processor.", ".").replace(".", "_")
    plain = plain.removeprefix("text_model_").removesuffix("_lora")
    return f"{plain}_0" if plain.endswith("to_out") else plain


def _ldm_name(name: str, network: Any) -> str:
    """The name of a UNet's layer in the original program; "" where it has none of its own."""
    layers = getattr(network.config, "layers_per_block", None)
    if not isinstance(layers, int):  # a text encoder, or a UNet that LDM never had
        return ""
    if name in _ENDS:
        return _ENDS[name]
    if found := re.fullmatch(r"mid_block\.(resnets|attentions)\.(\d)\.(.+)", name):
        kind, number, rest = found.groups()
        at = 1 if kind == "attentions" else 2 * int(number)
        return f"middle_block.{at}.{_inner(kind, rest)}"
    found = re.fullmatch(r"(down|up)_blocks\.(\d)\.(\w+)\.(\d)\.(.+)", name)
    if found is None:
        return ""
    way, block, kind, number, rest = found.groups()
    side = "input_blocks" if way == "down" else "output_blocks"
    first = int(block) * (layers + 1) + (1 if way == "down" else 0)
    if kind == "downsamplers":
        return f"{side}.{first + layers}.0.op"
    if kind == "upsamplers":
        attended = network.config.up_block_types[int(block)].startswith("CrossAttn")
        return f"{side}.{first + layers}.{2 if attended else 1}.conv"
    at = 1 if kind == "attentions" else 0
    return f"{side}.{first + int(number)}.{at}.{_inner(kind, rest)}"


def _inner(kind: str, rest: str) -> str:
    return rest if kind == "attentions" else _RESNET.get(rest, rest)
