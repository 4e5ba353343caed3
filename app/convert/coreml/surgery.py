"""Replaces what the Neural Engine does not like in stock diffusers modules, weights kept.

Tokens become (batch, channels, 1, tokens) and every linear layer of a transformer a 1x1
convolution, after Apple's "Deploying Transformers on the Apple Neural Engine" (2022). All else of a
UNet is convolutions already and stays diffusers' own.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.embeddings import TextTimeEmbedding
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from torch import Tensor, nn
from torch.nn import functional

from app.convert.coreml.lowering import channel_norm
from app.core.coreml_manifest import Attention

CHUNK = 512
"""Queries at a time in split_einsum_v2."""
GROUP_SCALE = 1 / 16
"""Before squaring: without it (x - mean)² leaves fp16 at 256, with it at 4096."""
SMALLEST = 2.0**-24
"""The least number of fp16: an epsilon below it would be none."""

_PLAIN = {
    "attention_type": "default",
    "center_input_sample": False,
    "class_embed_type": None,
    "cross_attention_norm": None,
    "dual_cross_attention": False,
    "encoder_hid_dim": None,
    "encoder_hid_dim_type": None,
    "mid_block_only_cross_attention": None,
    "num_class_embeds": None,
    "only_cross_attention": False,
    "resnet_skip_time_act": False,
    "resnet_time_scale_shift": "default",
    "time_embedding_type": "positional",
}


def is_convertible(config: Any) -> bool:
    """Whether a UNet of that configuration is of a kind that ``prepare_unet`` knows."""
    additions = (None, "text", "text_time")
    return config.get("addition_embed_type") in additions and all(
        config.get(name, plain) in (plain, None) for name, plain in _PLAIN.items()
    )


def prepare_unet(unet: Any, attention: Attention) -> None:
    """Rewrite ``unet`` (a UNet2DConditionModel) in place.

    From then on it takes ``encoder_hidden_states`` as (batch, channels, 1, tokens). What it
    computes stays the same, up to rounding.
    """
    for parent in list(unet.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, Transformer2DModel):
                setattr(parent, name, Transformer(child, attention))
            elif isinstance(child, TextTimeEmbedding):
                setattr(parent, name, TextPool(child))
    replace_group_norms(unet, narrow=_dtype(unet) is torch.float16)
    if getattr(unet, "add_time_proj", None) is not None:
        unet.add_time_proj = _Narrowed(unet.add_time_proj, _dtype(unet))


def replace_group_norms(module: nn.Module, *, narrow: bool) -> None:
    """Put ``GroupNorm`` in the place of torch's, at any depth of ``module``.

    ``narrow``: it will be computed in fp16, whatever its weights are in now.
    """
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.GroupNorm):
                setattr(parent, name, GroupNorm(child, narrow=narrow))


class GroupNorm(nn.Module):
    """Group normalisation of (batch, channels, ...) that stays within fp16. Source: Wu, He 2018.

    Its numbers are buffers: literals would be taken for fp32 by the converter.
    """

    scale: Tensor
    eps: Tensor

    def __init__(self, norm: nn.GroupNorm, *, narrow: bool) -> None:
        super().__init__()
        self.groups = norm.num_groups
        self.weight = nn.Parameter(norm.weight.detach())
        self.bias = nn.Parameter(norm.bias.detach())
        eps = max(norm.eps * GROUP_SCALE**2, SMALLEST if narrow else 0.0)
        self.register_buffer("scale", torch.tensor(GROUP_SCALE, dtype=norm.weight.dtype))
        self.register_buffer("eps", torch.tensor(eps, dtype=norm.weight.dtype))

    def forward(self, x: Tensor) -> Tensor:
        batch, channels = x.shape[:2]
        grouped = x.reshape(batch, self.groups, channels // self.groups, -1) * self.scale
        centred = grouped - grouped.mean(dim=(2, 3), keepdim=True)
        variance = (centred * centred).mean(dim=(2, 3), keepdim=True)
        normal = (centred * torch.rsqrt(variance + self.eps)).reshape(x.shape)
        sides = (1, channels) + (1,) * (x.dim() - 2)
        return normal * self.weight.reshape(sides) + self.bias.reshape(sides)


class ChannelNorm(nn.Module):
    """Layer normalisation over dimension 1: of (batch, channels, 1, tokens) each token's."""

    def __init__(self, norm: nn.LayerNorm) -> None:
        super().__init__()
        self.weight = nn.Parameter(norm.weight.detach())
        self.bias = nn.Parameter(norm.bias.detach())
        self.eps = norm.eps

    def forward(self, x: Tensor) -> Tensor:
        normal: Tensor = channel_norm(x, self.weight, self.bias, self.eps)
        return normal


class Transformer(nn.Module):
    """A Transformer2DModel on (batch, channels, 1, tokens)."""

    def __init__(self, stock: Any, attention: Attention) -> None:
        super().__init__()
        self.norm = stock.norm  # replaced with all others
        self.proj_in = _convolution(stock.proj_in)
        self.blocks = nn.ModuleList(Block(block, attention) for block in stock.transformer_blocks)
        self.proj_out = _convolution(stock.proj_out)

    def forward(
        self, hidden_states: Tensor, encoder_hidden_states: Tensor, **_: object
    ) -> tuple[Tensor]:
        batch, _channels, height, width = hidden_states.shape
        x = self.proj_in(self.norm(hidden_states))
        x = x.reshape(batch, x.shape[1], 1, height * width)
        for block in self.blocks:
            x = block(x, encoder_hidden_states)
        x = x.reshape(batch, x.shape[1], height, width)
        return (self.proj_out(x) + hidden_states,)


class Block(nn.Module):
    """A BasicTransformerBlock: attention to itself, to the text, and a gated layer (GEGLU)."""

    def __init__(self, stock: Any, attention: Attention) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (
            ChannelNorm(norm) for norm in (stock.norm1, stock.norm2, stock.norm3)
        )
        self.attn1 = Attend(stock.attn1, attention)
        self.attn2 = Attend(stock.attn2, attention)
        self.gate, self.out = _convolution(stock.ff.net[0].proj), _convolution(stock.ff.net[2])

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        normal = self.norm1(x)
        x = x + self.attn1(normal, normal)
        x = x + self.attn2(self.norm2(x), text)
        value, gate = self.gate(self.norm3(x)).chunk(2, dim=1)
        added: Tensor = self.out(value * functional.gelu(gate))
        return x + added


class Attend(nn.Module):
    """Multi-head attention of x (batch, channels, 1, queries) to other (batch, wide, 1, keys)."""

    def __init__(self, stock: Any, attention: Attention) -> None:
        super().__init__()
        self.heads, self.attention = stock.heads, attention
        self.to_q, self.to_k = _convolution(stock.to_q), _convolution(stock.to_k)
        self.to_v, self.to_out = _convolution(stock.to_v), _convolution(stock.to_out[0])
        if attention is not Attention.SDPA:
            _scale(self.to_q, stock.scale)

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        q, k, v = self.to_q(x), self.to_k(other), self.to_v(other)
        if self.attention is Attention.SDPA:
            answer = _fused(q, k, v, self.heads)
        else:
            chunk = CHUNK if self.attention is Attention.SPLIT_EINSUM_V2 else q.shape[3]
            answer = split_attention(q, k, v, self.heads, chunk)
        projected: Tensor = self.to_out(answer)
        return projected


class TextPool(nn.Module):
    """A TextTimeEmbedding: (batch, channels, 1, tokens) to one vector, by attention pooling."""

    def __init__(self, stock: Any) -> None:
        super().__init__()
        pool = stock.pool
        self.heads = pool.num_heads
        self.norm1, self.norm2 = ChannelNorm(stock.norm1), ChannelNorm(stock.norm2)
        self.place = nn.Parameter(pool.positional_embedding.detach()[:, :, None, None])
        self.to_q, self.to_k = _convolution(pool.q_proj), _convolution(pool.k_proj)
        self.to_v, self.proj = _convolution(pool.v_proj), stock.proj
        _scale(self.to_q, pool.dim_per_head**-0.5)

    def forward(self, text: Tensor) -> Tensor:
        x = self.norm1(text)
        first = x.mean(dim=3, keepdim=True) + self.place
        x = torch.cat([first, x], dim=3)
        q, k, v = self.to_q(first), self.to_k(x), self.to_v(x)
        pooled = split_attention(q, k, v, self.heads, 1)
        vector: Tensor = self.norm2(self.proj(pooled.reshape(pooled.shape[:2])))
        return vector


def split_attention(q: Tensor, k: Tensor, v: Tensor, heads: int, chunk: int) -> Tensor:
    """Attention head by head, ``chunk`` queries at a time; q is scaled already.

    The attention matrix is (batch, keys, 1, queries) and is never transposed.
    """
    size = q.shape[1] // heads
    by_head = zip(
        torch.split(q, size, dim=1),
        torch.split(k.transpose(1, 3), size, dim=3),
        torch.split(v, size, dim=1),
        strict=True,
    )
    answers = []
    for q_head, k_head, v_head in by_head:
        parts = []
        whole = q_head.shape[3] <= chunk  # the converter cannot split into one
        for queries in (q_head,) if whole else torch.split(q_head, chunk, dim=3):
            weights = torch.einsum("bchq,bkhc->bkhq", queries, k_head).softmax(dim=1)
            parts.append(torch.einsum("bkhq,bchk->bchq", weights, v_head))
        answers.append(parts[0] if len(parts) == 1 else torch.cat(parts, dim=3))
    return torch.cat(answers, dim=1)


def _fused(q: Tensor, k: Tensor, v: Tensor, heads: int) -> Tensor:
    """Attention in one operation; the scale is its own (1 / sqrt(d))."""
    batch, channels, _, queries = q.shape
    q, k, v = (
        one.reshape(batch, heads, channels // heads, one.shape[3]).transpose(2, 3)
        for one in (q, k, v)
    )
    answer = functional.scaled_dot_product_attention(q, k, v)
    return answer.transpose(2, 3).reshape(batch, channels, 1, queries)


def _convolution(layer: Any) -> nn.Conv2d:
    """``layer``, Linear or a 1x1 convolution, as the latter."""
    weight = layer.weight.detach()
    weight = weight if weight.dim() == 4 else weight[:, :, None, None]
    made = nn.Conv2d(weight.shape[1], weight.shape[0], 1, bias=False, device="meta")
    made.weight = nn.Parameter(weight)
    if layer.bias is not None:
        made.bias = nn.Parameter(layer.bias.detach())
    return made


def _scale(layer: nn.Conv2d, factor: float) -> None:
    """Multiply what ``layer`` gives by ``factor``; rounded once."""
    layer.weight = nn.Parameter((layer.weight.detach().float() * factor).to(layer.weight.dtype))
    if layer.bias is not None:
        layer.bias = nn.Parameter((layer.bias.detach().float() * factor).to(layer.bias.dtype))


class _Narrowed(nn.Module):
    """A sinusoid, computed in fp32, in the network's own type."""

    like: Tensor

    def __init__(self, stock: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.stock = stock
        self.register_buffer("like", torch.zeros((), dtype=dtype))

    def forward(self, x: Tensor) -> Tensor:
        wide: Tensor = self.stock(x)
        return wide.to(self.like.dtype)


def _dtype(module: nn.Module) -> torch.dtype:
    return next(module.parameters()).dtype
