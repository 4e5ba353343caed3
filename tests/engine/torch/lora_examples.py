"""LoRA files for tiny models, in each way of writing them, and what they make of a weight."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import load_file, save_file

from app.core.adapter import Adapter
from app.core.card import Kind
from app.core.model import Family
from tests.convert.ldm_layout import unet_name

State = dict[str, torch.Tensor]
Form = Literal["kohya", "ldm", "peft", "diffusers"]
RANK = 3
ALPHA = 1.5

_STEMS = {"unet": "diffusion_pytorch_model", "text_encoder": "model", "text_encoder_2": "model"}
_KOHYA = {"unet": "lora_unet_", "text_encoder": "lora_te_", "text_encoder_2": "lora_te2_"}


def weights(folder: Path, network: str) -> State:
    """The weights of a model's network by diffusers' names, without "text_model."."""
    state = load_file(folder / network / f"{_STEMS[network]}.safetensors")
    return {name.removeprefix("text_model."): tensor for name, tensor in state.items()}


def layers(folder: Path, network: str) -> list[str]:
    """Names of its linear and convolutional layers, every third: many, and of every kind."""
    state = weights(folder, network)
    names = [name.removesuffix(".weight") for name, tensor in state.items() if tensor.ndim > 1]
    return sorted(name for name in names if "embedding" not in name or "linear" in name)[::3]


class Written:
    """A LoRA for ``networks`` of the model in ``folder``, written as ``form`` has it.

    ``merged`` are the weights that it makes at strength 1, by network and name; alpha is ``ALPHA``
    where the form has one.
    """

    def __init__(self, folder: Path, form: Form, networks: tuple[str, ...], seed: int = 5) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.state: State = {}
        self.deltas: dict[tuple[str, str], torch.Tensor] = {}
        config = json.loads((folder / "unet" / "config.json").read_text())
        for network in networks:
            known = weights(folder, network)
            for name in layers(folder, network):
                weight = known[f"{name}.weight"]
                self._add(form, network, name, weight, config, generator)

    def _add(
        self,
        form: Form,
        network: str,
        name: str,
        weight: torch.Tensor,
        config: dict[str, object],
        generator: torch.Generator,
    ) -> None:
        out, into, *window = weight.shape
        down = torch.randn(RANK, into, *window, generator=generator) * 0.6
        up = torch.randn(out, RANK, *[1] * len(window), generator=generator) * 0.6
        scale = ALPHA / RANK
        full = name if network == "unet" else f"text_model.{name}"
        if form in ("kohya", "ldm"):
            if form == "ldm" and network == "unet":
                blocks = config["up_block_types"]
                assert isinstance(blocks, list)
                attended = [str(block).startswith("CrossAttn") for block in blocks]
                per_block = config["layers_per_block"]
                assert isinstance(per_block, int)
                full = unet_name(f"{name}.weight", per_block, attended).removesuffix(".weight")
            stem = _KOHYA[network] + full.replace(".", "_")
            if form == "ldm":
                stem = stem.replace("lora_te_", "lora_te1_")
            self.state |= {
                f"{stem}.lora_down.weight": down,
                f"{stem}.lora_up.weight": up,
                f"{stem}.alpha": torch.tensor(ALPHA),
            }
        elif form == "peft":
            self.state |= {
                f"{network}.{full}.lora_A.weight": down,
                f"{network}.{full}.lora_B.weight": up,
            }
            scale = 1.0
        else:
            self.state |= {
                f"{network}.{full}.lora.down.weight": down,
                f"{network}.{full}.lora.up.weight": up,
            }
            scale = 1.0
        product = torch.einsum("or,ri->oi", up.reshape(out, RANK), down.reshape(RANK, -1))
        self.deltas[network, name] = product.reshape(weight.shape) * scale

    def save(self, file: Path, family: Family = Family.SD1, **further: torch.Tensor) -> Adapter:
        """Write it to ``file``, and give it as what is installed."""
        save_file({name: t.contiguous() for name, t in (self.state | further).items()}, file)
        return adapter(file, family)


def adapter(file: Path, family: Family = Family.SD1, kind: Kind = Kind.LORA) -> Adapter:
    return Adapter(file.stem, file.stem, kind, family, str(file.absolute()))


def merge(folder: Path, *written: tuple[Written, float]) -> None:
    """Change the weights in ``folder`` as if the LoRAs had always been in them."""
    for network in ("unet", "text_encoder", "text_encoder_2"):
        file = folder / network / f"{_STEMS[network]}.safetensors"
        if not file.is_file():
            continue
        state = load_file(file)
        for lora, strength in written:
            for (of, name), delta in lora.deltas.items():
                if of == network:
                    key = next(
                        k for k in (f"{name}.weight", f"text_model.{name}.weight") if k in state
                    )
                    state[key] = state[key] + delta * strength
        save_file(state, file, {"format": "pt"})
