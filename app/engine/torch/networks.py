"""The networks of one model at one placement: loaded when asked for, kept or freed.

Resident: each network stays once it is loaded. Staged: only the one at work is in memory (text
encoders, then UNet, then autoencoder), for machines short of it.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch

from app.core.adapter import Adapter
from app.core.errors import RecipeProblem
from app.core.model import Family, Model
from app.engine.model_folder import (
    Weights,
    component_weights,
    read_json,
    text_encoders,
    told_channels,
)
from app.engine.torch.changes import Changes
from app.engine.torch.families import Pipelines, pipelines_of
from app.engine.torch.loading import damaged_file, load_network, load_tokenizer
from app.engine.torch.loras import lay_over
from app.engine.torch.placement import dtype_for, free_memory
from app.engine.watch import Watch

Memory = Literal["auto", "staged", "resident"]
"""How networks share memory; "auto" stages when they and the work would not all fit."""

FITTING = "an autoencoder for this kind of model"
"""What ``RecipeProblem.allowed`` says of one with other latents."""

_WIDE = 64
"""Latents a side from which a UNet in bfloat16 gains from channels_last on a CPU. Measured on
AVX512-bf16: 4 % faster there, but 18 % slower on the starter's 16; autoencoders, which work at
the picture's own size, always gain (a quarter on the starter's, two thirds on SD 1.5's)."""

_VAE_STEM = "diffusion_pytorch_model"

_RESERVE = 1 << 30
"""Bytes "auto" leaves to others."""


class Networks:
    """One model's networks. ``dtype`` None: the placement's own choice."""

    def __init__(
        self, model: Model, device: torch.device, memory: Memory, dtype: torch.dtype | None
    ) -> None:
        self.family: Family = model.family
        self.device = device
        self._folder = Path(model.folder)
        self._index = read_json(self._folder / "model_index.json", self._folder)
        self._encoders = text_encoders(self._index)
        self._vae_config = read_json(self._folder / "vae" / "config.json", self._folder)
        unet = component_weights(self._folder, "unet")
        self.dtype = dtype or dtype_for(device, unet.dtype)
        self.stamp = folder_stamp(self._folder)
        pixels = model.limits.native.width * model.limits.native.height
        self.staged = memory == "staged" or (
            memory == "auto" and self._needed(pixels) + _RESERVE > (free_memory(device) or 1 << 62)
        )
        self._changes = Changes()
        self._bfloat16_cpu = device.type == "cpu" and self.dtype is torch.bfloat16
        self._wide = model.limits.native.width >= _WIDE * self.factor
        self._loaded: dict[str, Any] = {}

    def change(self, changes: Changes) -> bool:
        """Be as ``changes`` say; true when the UNet and the text encoders have to be loaded anew.

        Raises RecipeProblem for an autoencoder with other latents than the model's.
        """
        if changes.vae is not None:
            self._check_vae(changes.vae)
        before, self._changes = self._changes, changes
        if before.of_vae() != changes.of_vae():
            self._drop([name for name in self._loaded if name == "vae"])
        others = before.of_loras() != changes.of_loras()
        if others:
            changed = ("unet", *self._encoders)
            self._drop([name for name in self._loaded if name in changed])
        return others

    @property
    def pipelines(self) -> Pipelines:
        return pipelines_of(self.family)

    @property
    def scheduler_config(self) -> dict[str, Any]:
        """The model's own noise schedule, as diffusers wrote it."""
        return read_json(self._folder / "scheduler" / "scheduler_config.json", self._folder)

    @property
    def factor(self) -> int:
        """Pixels a latent stands for, a side."""
        return int(2 ** (len(self._vae_widths()) - 1))

    @property
    def channels(self) -> int:
        return int(self._vae_config["latent_channels"])

    @property
    def inpaints(self) -> bool:
        """Whether the UNet wants to be told a mask (see ``inpainting``)."""
        unet = read_json(self._folder / "unet" / "config.json", self._folder)
        return bool(unet.get("in_channels") == told_channels(self.channels))

    def text_parts(self, watch: Watch) -> dict[str, Any]:
        """Tokenizers, text encoders and options, by the names the family's pipelines take."""
        from transformers.models.clip.modeling_clip import (
            CLIPTextModel,
            CLIPTextModelWithProjection,
        )

        self._make_room("text_encoder", "text_encoder_2")
        parts: dict[str, Any] = {}
        for encoder in self._encoders:
            tokenizer = encoder.replace("text_encoder", "tokenizer")
            parts[tokenizer] = self._get(
                tokenizer, watch, partial(load_tokenizer, self._folder, tokenizer)
            )
            second = encoder != self._encoders[0]
            network = CLIPTextModelWithProjection if second else CLIPTextModel
            parts[encoder] = self._network(encoder, network, self.dtype, watch)
        if self.family is Family.SDXL:
            zeros = self._index.get("force_zeros_for_empty_prompt", True)
            parts["force_zeros_for_empty_prompt"] = bool(zeros)
        return parts

    def unet(self, watch: Watch) -> Any:
        """The UNet; takes and gives float32 whatever it computes with (see ``_speak_float32``)."""
        from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

        self._make_room("unet")
        fresh = "unet" not in self._loaded
        unet = self._network("unet", UNet2DConditionModel, self.dtype, watch)
        if fresh and self.dtype is not torch.float32:
            _speak_float32(unet, self.dtype)
        return unet

    def vae(self, watch: Watch) -> Any:
        """The autoencoder; in float32 where float16 is known to overflow it."""
        from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
        from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny

        self._make_room("vae")
        if self._changes.vae is not None:
            return self._chosen_vae(self._changes.vae, watch)
        tiny = self._index["vae"][1] == "AutoencoderTiny"
        dtype = self._vae_dtype(self._vae_config)
        return self._network("vae", AutoencoderTiny if tiny else AutoencoderKL, dtype, watch)

    def find_damage(self) -> Path | None:
        """The first weight file of the loaded networks that holds a NaN or infinity, or None."""
        for name, part in self._loaded.items():
            if isinstance(part, torch.nn.Module):
                file = damaged_file(self._weights(name), part)
                if file is not None:
                    return file
        return None

    def free(self) -> None:
        """Drop all networks."""
        self._drop(list(self._loaded))

    def _network(self, name: str, network: type, dtype: torch.dtype, watch: Watch) -> Any:
        last = self._bfloat16_cpu and (name == "vae" or (name == "unet" and self._wide))

        def load() -> Any:
            loaded = load_network(network, self._folder, name, dtype, self.device, last)
            if name != "vae":
                lay_over(loaded, name, self._changes.loras, watch)
            return loaded

        return self._get(name, watch, load)

    def _chosen_vae(self, chosen: Adapter, watch: Watch) -> Any:
        from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

        place = Path(chosen.path)
        dtype = self._vae_dtype(read_json(place / "config.json", place))
        last = self._bfloat16_cpu
        at = (place.parent, place.name, dtype, self.device, last, _VAE_STEM)
        return self._get("vae", watch, partial(load_network, AutoencoderKL, *at))

    def _check_vae(self, chosen: Adapter) -> None:
        place = Path(chosen.path)
        config = read_json(place / "config.json", place)
        levels = config.get("block_out_channels")
        kind, channels = config.get("_class_name"), config.get("latent_channels")
        fits = isinstance(levels, list) and 2 ** (len(levels) - 1) == self.factor
        if kind != "AutoencoderKL" or channels != self.channels or not fits:
            raise RecipeProblem("vae", chosen.title[:80], FITTING)

    def _vae_dtype(self, config: dict[str, Any]) -> torch.dtype:
        overflows = self.dtype is torch.float16 and bool(config.get("force_upcast"))
        return torch.float32 if overflows else self.dtype

    def _weights(self, name: str) -> Weights:
        if name == "vae" and self._changes.vae is not None:
            place = Path(self._changes.vae.path)
            return component_weights(place.parent, place.name, _VAE_STEM)
        return component_weights(self._folder, name)

    def _get(self, name: str, watch: Watch, load: Callable[[], Any]) -> Any:
        if name not in self._loaded:
            watch.loading()
            self._loaded[name] = load()
            watch.check()
        return self._loaded[name]

    def _make_room(self, *wanted: str) -> None:
        """When staged: drop every network but the wanted ones."""
        if self.staged:
            networks = [n for n, x in self._loaded.items() if isinstance(x, torch.nn.Module)]
            self._drop([name for name in networks if name not in wanted])

    def _drop(self, names: list[str]) -> None:
        for name in names:
            del self._loaded[name]
        if names:
            gc.collect()
            if self.device.type == "mps":
                torch.mps.empty_cache()
            elif self.device.type == "cuda":
                torch.cuda.empty_cache()

    def _needed(self, pixels: int) -> int:
        """Bytes that all networks and decoding a picture take, roughly.

        Decoding keeps about ten full-size maps of the autoencoder's first width alive (measured:
        1.2 GB for SD 1.5 at 512x512 in float32).
        """
        size = self.dtype.itemsize
        total = 0
        for component in ("unet", "vae", *self._encoders):
            weights = component_weights(self._folder, component)
            file_size = {"F16": 2, "BF16": 2, "F32": 4}.get(weights.dtype, 4)
            total += weights.data_bytes * size // file_size
        return total + pixels * int(self._vae_widths()[0]) * 10 * size

    def _vae_widths(self) -> list[int]:
        """Of its levels, the finest first; AutoencoderTiny has its own name for them."""
        config = self._vae_config
        return list(config.get("block_out_channels") or config["decoder_block_out_channels"])


def folder_stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes when a file of the model does: name, size and time of each weight and config."""
    files = sorted(
        (*folder.glob("*.json"), *folder.glob("*/*.json"), *folder.glob("*/*.safetensors"))
    )
    stats = ((file.relative_to(folder).as_posix(), file.stat()) for file in files)
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)


def _speak_float32(unet: torch.nn.Module, dtype: torch.dtype) -> None:
    """Cast latents on the way in and the prediction on the way out.

    Latents, the scheduler's sums and the noise of those that draw some stay float32, so that a
    seed means the same noise whatever the UNet computes with.
    """

    def enter(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return (args[0].to(dtype), *args[1:]), kwargs

    def leave(_: Any, __: Any, output: Any) -> Any:
        return (output[0].float(), *output[1:]) if isinstance(output, tuple) else output

    unet.register_forward_pre_hook(enter, with_kwargs=True)
    unet.register_forward_hook(leave)
