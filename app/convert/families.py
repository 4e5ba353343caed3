"""What a single file holds, from the names and shapes of its tensors alone.

Nothing of a weight is read here. What is recognised is checked again, tensor by tensor, when it is
converted: a name only says what a file claims to be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from app.core.card import Kind
from app.core.errors import ImportRefused
from app.core.model import Family

Shapes = Mapping[str, tuple[int, ...]]

LATENT_CHANNELS = 4
INPAINTING_CHANNELS = 9  # noisy latents, the mask, and the latents of the picture under it
MAX_RANK = 2048
MAX_WORDS = 512
"""More vectors than any embedding has; a prompt has room for 75."""

_UNET = "model.diffusion_model."
_FIRST = _UNET + "input_blocks.0.0.weight"
_WIDTHS = {768: Family.SD1, 1024: Family.SD2, 2048: Family.SDXL}
"""Width of the text that a UNet attends to."""

_DOWN = re.compile(r"\.(lora_down|lora_A|lora\.down|lora_linear_layer\.down)(\.default)?\.weight$")
_LORA = re.compile(
    r"\.(lora_(down|up|mid|A|B)|lora\.(down|up)|lora_linear_layer\.(down|up))(\.default)?\.weight$"
    r"|\.(alpha|dora_scale|lora_magnitude_vector(\.default)?(\.weight)?)$"
)
_TEXT_PREFIXES = ("lora_te", "text_encoder", "te1_", "te2_")


@dataclass(frozen=True, slots=True)
class Found:
    """``inpainting`` is true for a checkpoint whose UNet takes a mask and a masked picture too."""

    kind: Kind
    family: Family
    inpainting: bool = False


def recognise(file: str, shapes: Shapes) -> Found:
    """What the tensors of ``file`` are. Raises ImportRefused("unknown family")."""
    for look in (_checkpoint, _lora, _autoencoder, _embedding):
        found = look(file, shapes)
        if found is not None:
            return found
    raise ImportRefused(file, "unknown family")


def _checkpoint(file: str, shapes: Shapes) -> Found | None:
    if _FIRST not in shapes:
        return None
    family = _text_family(shapes)
    first = shapes[_FIRST]
    channels = first[1] if len(first) == 4 else 0
    if family is None or channels not in (LATENT_CHANNELS, INPAINTING_CHANNELS):
        raise ImportRefused(file, "unknown family")
    return Found(Kind.CHECKPOINT, family, channels == INPAINTING_CHANNELS)


def _text_family(shapes: Shapes) -> Family | None:
    """By the text encoders that lie beside the UNet: CLIP-L, OpenCLIP-H, or CLIP-L and -bigG."""
    if any(name.startswith("conditioner.embedders.1.model.") for name in shapes):
        return Family.SDXL
    if any(name.startswith("conditioner.") for name in shapes):
        return None  # SDXL's refiner
    if any(name.startswith("cond_stage_model.model.") for name in shapes):
        return Family.SD2
    if any(name.startswith("cond_stage_model.transformer.") for name in shapes):
        return Family.SD1
    return None


def _lora(file: str, shapes: Shapes) -> Found | None:
    downs = [name for name in shapes if _DOWN.search(name)]
    if not downs:
        return None
    if not all(_LORA.search(name) for name in shapes):
        raise ImportRefused(file, "unknown family")
    for name in downs:
        if not _pair_fits(shapes, name):
            raise ImportRefused(file, "damaged")
    family = _lora_family(shapes, downs)
    if family is None:
        raise ImportRefused(file, "unknown family")
    return Found(Kind.LORA, family)


def _pair_fits(shapes: Shapes, down: str) -> bool:
    """``down`` has an ``up`` of the same rank beside it."""
    up = down
    for one, other in ((".lora_down.", ".lora_up."), (".lora_A.", ".lora_B."), (".down.", ".up.")):
        up = up.replace(one, other)
    narrow, wide = shapes[down], shapes.get(up, ())
    if len(narrow) not in (2, 4) or len(wide) != len(narrow):
        return False
    return narrow[0] == wide[1] and 1 <= narrow[0] <= MAX_RANK


def _lora_family(shapes: Shapes, downs: list[str]) -> Family | None:
    """By the width of the text in the cross-attention, else of the text encoder itself."""
    across = {
        shapes[name][1]
        for name in downs
        if ("attn2_to_k" in name or "attn2.to_k" in name or "attn2.processor.to_k" in name)
        and not name.startswith(_TEXT_PREFIXES)
    }
    if across:
        return _WIDTHS.get(across.pop()) if len(across) == 1 else None
    if any(re.search(r"^(lora_te2_|text_encoder_2\.|lora_te1_)", name) for name in downs):
        return Family.SDXL
    widths = {shapes[name][1] for name in downs if re.search(r"q_proj[._]", name)}
    only = widths.pop() if len(widths) == 1 else 0
    return _WIDTHS.get(only) if only != 2048 else None


def _autoencoder(file: str, shapes: Shapes) -> Found | None:
    """An AutoencoderKL with 4 latent channels, in the original or the diffusers layout.

    SDXL's has the tensors of SD 1.x's, so that only the file's name can tell.
    """
    named = {name.removeprefix("first_stage_model."): shape for name, shape in shapes.items()}
    first = named.get("decoder.conv_in.weight", ())
    if not first or "encoder.conv_in.weight" not in named:
        return None
    if len(first) != 4 or first[1] != LATENT_CHANNELS:
        raise ImportRefused(file, "unknown family")
    xl = "xl" in file.rpartition("/")[2].lower()
    return Found(Kind.VAE, Family.SDXL if xl else Family.SD1)


def _embedding(_: str, shapes: Shapes) -> Found | None:
    """A few vectors as wide as the text encoder's; SDXL has two text encoders."""
    if not all(1 <= len(shape) <= 2 for shape in shapes.values()):
        return None
    if any(len(shape) == 2 and not 1 <= shape[0] <= MAX_WORDS for shape in shapes.values()):
        return None
    if set(shapes) == {"clip_l", "clip_g"}:
        both = (shapes["clip_l"][-1], shapes["clip_g"][-1]) == (768, 1280)
        return Found(Kind.EMBEDDING, Family.SDXL) if both else None
    if len(shapes) != 1:
        return None
    width = next(iter(shapes.values()))[-1]
    family = {768: Family.SD1, 1024: Family.SD2}.get(width)
    return None if family is None else Found(Kind.EMBEDDING, family)
