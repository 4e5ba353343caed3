"""The networks of a model folder as Core ML is to see them: names, shapes and types.

Names and shapes are those of Apple's published packages (apple/ml-stable-diffusion), so that one
engine draws with both. Only ``timestep`` and ``time_ids`` are fp32 here: fp16 has a spacing of 0.5
near 943, where a sinusoid's argument needs more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from app.convert.coreml import safety
from app.convert.coreml.surgery import is_convertible, prepare_unet, replace_group_norms
from app.convert.folder import Layout, read_weights
from app.convert.networks import DTYPE, build, fitted, weights_stem
from app.core.coreml_manifest import Attention, Part
from app.core.errors import ConversionRefused
from app.core.recipe import Size

CONFIGS: Mapping[Part, str] = {
    Part.UNET: "unet",
    Part.TEXT_ENCODER: "text_encoder",
    Part.TEXT_ENCODER_2: "text_encoder_2",
    Part.VAE_DECODER: "vae",
    Part.VAE_ENCODER: "vae",
    Part.SAFETY_CHECKER: safety.COMPONENT,
}
"""Which component of a diffusers folder a part is made from."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What one function of a package is for: pixels of the picture, and pictures at a time."""

    size: Size
    batch: int = 1


@dataclass(frozen=True, slots=True)
class Network:
    """A network ready to be exported.

    ``module`` takes the inputs by name and gives a tuple of ``outputs``. ``inputs`` makes examples
    (zeros, of the right shapes and types) for a ``Shape``. ``narrow`` says that fp32 is to be
    rounded to fp16 by the converter; else every number keeps the type it has in ``module``.
    """

    part: Part
    module: nn.Module
    inputs: Callable[[Shape], dict[str, Tensor]]
    outputs: tuple[str, ...]
    narrow: bool

    @property
    def wide(self) -> bool:
        """Whether it computes in fp32 throughout."""
        return not self.narrow and self.part is not Part.UNET


def load_network(
    layout: Layout,
    part: Part,
    attention: Attention,
    *,
    residuals: bool = False,
    change: Callable[[str, nn.Module], None] = lambda _component, _network: None,
) -> Network:
    """The network of ``part`` with its weights from disk.

    ``residuals`` adds a ControlNet's inputs to a UNet. ``change`` may alter the stock network of a
    component first. Raises ConversionRefused ("family"), ImportRefused.
    """
    if part is Part.SAFETY_CHECKER:
        return _safety_network(safety.load_scores(layout.folder))
    stock = _load(layout, CONFIGS[part])
    change(CONFIGS[part], stock)
    config = layout.configs[CONFIGS[part]]
    if part is Part.UNET:
        return unet_network(stock, layout, attention, residuals=residuals)
    if part in (Part.TEXT_ENCODER, Part.TEXT_ENCODER_2):
        penultimate = "text_encoder_2" in layout.configs
        return _text_network(part, stock.float(), penultimate)
    wide = config.get("force_upcast") is True and "text_encoder_2" in layout.configs
    return _vae_network(part, stock.float(), config, factor_of(config), wide)


def unet_network(
    stock: Any, layout: Layout, attention: Attention, *, residuals: bool = False
) -> Network:
    """``stock``, a UNet2DConditionModel in fp16, rewritten; its weights are shared, not copied."""
    if not is_convertible(stock.config):
        raise ConversionRefused(layout.folder.name, "family")
    tokens = int(layout.configs["text_encoder"].get("max_position_embeddings", 77))
    factor = factor_of(layout.configs["vae"])
    prepare_unet(stock, attention)
    config = stock.config

    def inputs(shape: Shape) -> dict[str, Tensor]:
        batch, high, wide = shape.batch, shape.size.height // factor, shape.size.width // factor
        made = {
            "sample": torch.zeros(batch, config.in_channels, high, wide, dtype=DTYPE),
            "timestep": torch.zeros(batch),
            "encoder_hidden_states": torch.zeros(
                batch, config.cross_attention_dim, 1, tokens, dtype=DTYPE
            ),
        }
        if config.addition_embed_type == "text_time":
            pooled = int(layout.configs["text_encoder_2"]["projection_dim"])
            each = config.addition_time_embed_dim
            ids = (config.projection_class_embeddings_input_dim - pooled) // each
            made["time_ids"] = torch.zeros(batch, ids)
            made["text_embeds"] = torch.zeros(batch, pooled, dtype=DTYPE)
        if config.time_cond_proj_dim:
            made["timestep_cond"] = torch.zeros(batch, config.time_cond_proj_dim, dtype=DTYPE)
        if residuals:
            for number, (channels, level) in enumerate(_residuals(config)):
                sides = (_halved(high, level), _halved(wide, level))
                made[f"additional_residual_{number}"] = torch.zeros(
                    batch, channels, *sides, dtype=DTYPE
                )
        return made

    return Network(Part.UNET, _Unet(stock), inputs, ("noise_pred",), narrow=False)


def factor_of(vae: Mapping[str, Any]) -> int:
    """Pixels a latent stands for, a side."""
    levels = vae.get("block_out_channels") or vae.get("decoder_block_out_channels") or (1,) * 4
    return int(2 ** (len(levels) - 1))


def _load(layout: Layout, component: str) -> Any:
    """The component in fp16, weights mapped from disk where they are fp16 there."""
    config, place = layout.configs[component], layout.folder / component
    network = build(config)
    state = fitted(str(place), network, read_weights(place, weights_stem(config)))
    network.load_state_dict(state, assign=True)
    for name, buffer in list(network.named_buffers()):
        if buffer.is_meta:  # CLIP counts its positions; no file holds that
            owner, _, leaf = name.rpartition(".")
            places = torch.arange(buffer.shape[-1]).expand(buffer.shape)
            network.get_submodule(owner).register_buffer(leaf, places, persistent=False)
    return network.eval().requires_grad_(False)


class _Unet(nn.Module):
    def __init__(self, unet: Any) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, **named: Tensor) -> tuple[Tensor]:
        residuals = [value for name, value in named.items() if name.startswith("additional_")]
        added = {name: named[name] for name in ("time_ids", "text_embeds") if name in named}
        answer: tuple[Tensor] = self.unet(
            named["sample"],
            named["timestep"],
            named["encoder_hidden_states"],
            timestep_cond=named.get("timestep_cond"),
            added_cond_kwargs=added or None,
            down_block_additional_residuals=tuple(residuals[:-1]) or None,
            mid_block_additional_residual=residuals[-1] if residuals else None,
            return_dict=False,
        )
        return answer


class _Decoder(nn.Module):
    def __init__(self, vae: Any) -> None:
        super().__init__()
        self.decoder, self.before = vae.decoder, getattr(vae, "post_quant_conv", None)

    def forward(self, **named: Tensor) -> tuple[Tensor]:
        z = named["z"].float()
        return (self.decoder(z if self.before is None else self.before(z)),)


class _Encoder(nn.Module):
    """Gives the moments (mean, then log variance) of an AutoencoderKL, latents of a tiny one."""

    def __init__(self, vae: Any) -> None:
        super().__init__()
        self.encoder, self.after = vae.encoder, getattr(vae, "quant_conv", None)

    def forward(self, **named: Tensor) -> tuple[Tensor]:
        latent = self.encoder(named["x"].float())
        return (latent if self.after is None else self.after(latent),)


class _Text(nn.Module):
    """The last hidden state with its norm, or the one before the last without, and the pooled."""

    def __init__(self, encoder: Any, penultimate: bool) -> None:
        super().__init__()
        self.encoder, self.penultimate = encoder, penultimate

    def forward(self, **named: Tensor) -> tuple[Tensor, Tensor]:
        said = self.encoder(named["input_ids"], output_hidden_states=self.penultimate)
        pooled = getattr(said, "text_embeds", None)
        pooled = said.pooler_output if pooled is None else pooled
        return (said.hidden_states[-2] if self.penultimate else said.last_hidden_state), pooled


def _text_network(part: Part, stock: Any, penultimate: bool) -> Network:
    stock.config._attn_implementation = "sdpa"  # an eager mask is -inf, and fp16 at that
    tokens = stock.config.max_position_embeddings
    return Network(
        part,
        _Text(stock, penultimate),
        lambda _: {"input_ids": torch.zeros(1, tokens, dtype=torch.int32)},
        ("hidden_embeds" if penultimate else "last_hidden_state", "pooled_outputs"),
        narrow=True,
    )


def _safety_network(scores: safety.Scores) -> Network:
    side = scores.side
    return Network(
        Part.SAFETY_CHECKER,
        scores,
        lambda _: {"clip_input": torch.zeros(1, 3, side, side, dtype=DTYPE)},
        ("concept_scores",),
        narrow=True,
    )


def _vae_network(
    part: Part, stock: Any, config: Mapping[str, Any], factor: int, wide: bool
) -> Network:
    """``wide``: its activations leave fp16 (SDXL's own autoencoder)."""
    replace_group_norms(stock, narrow=not wide)

    kind = torch.float32 if wide else DTYPE

    def inputs(shape: Shape) -> dict[str, Tensor]:
        high, broad = shape.size.height, shape.size.width
        if part is Part.VAE_ENCODER:
            return {"x": torch.zeros(1, 3, high, broad, dtype=kind)}
        channels = int(config.get("latent_channels", 4))
        return {"z": torch.zeros(1, channels, high // factor, broad // factor, dtype=kind)}

    module = _Decoder(stock) if part is Part.VAE_DECODER else _Encoder(stock)
    output = "image" if part is Part.VAE_DECODER else "latent"
    return Network(part, module, inputs, (output,), narrow=not wide)


def _residuals(config: Any) -> Iterator[tuple[int, int]]:
    """Channels and level (times halved) of what a ControlNet adds, the middle's last."""
    widths, layers = config.block_out_channels, config.layers_per_block
    counts = (layers,) * len(widths) if isinstance(layers, int) else layers
    yield widths[0], 0
    for level, (width, count) in enumerate(zip(widths, counts, strict=True)):
        yield from ((width, level) for _ in range(count))
        if level < len(widths) - 1:
            yield width, level + 1
    yield widths[-1], len(widths) - 1


def _halved(side: int, times: int) -> int:
    for _ in range(times):
        side = (side + 1) // 2
    return side
