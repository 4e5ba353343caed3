"""What a model is and what it can do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from app.core.recipe import Scheduler, Size

if TYPE_CHECKING:
    from app.core.adapter import Adapter


class Family(StrEnum):
    """Model families Easel draws with."""

    SD1 = "sd1"
    SD2 = "sd2"
    SDXL = "sdxl"


class Feature(StrEnum):
    """What a model can do beside text-to-image. Absent: its control is absent, its use refused."""

    NEGATIVE_PROMPT = "negative prompt"
    IMAGE_TO_IMAGE = "image to image"
    INPAINTING = "inpainting"
    LORA = "lora"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a model can do. The controls show it and ``core.resolve`` enforces it.

    Sides are ``min_side``..``max_side`` pixels in multiples of ``side_step``; ``native`` is the
    size it was trained at; ``shapes`` are the sizes offered with one click, native first.
    ``max_tokens`` counts the prompt's own tokens, without the begin and end marks.
    """

    native: Size
    shapes: tuple[Size, ...]
    min_side: int
    max_side: int
    side_step: int
    max_tokens: int
    schedulers: tuple[Scheduler, ...] = tuple(Scheduler)
    scheduler: Scheduler = Scheduler.DPMPP_2M_KARRAS
    min_steps: int = 1
    max_steps: int = 150
    steps: int = 20
    quick_steps: int = 8
    fine_steps: int = 40
    max_guidance: float = 30.0
    guidance: float = 7.5
    max_count: int = 100
    features: frozenset[Feature] = frozenset(
        {Feature.NEGATIVE_PROMPT, Feature.IMAGE_TO_IMAGE, Feature.INPAINTING}
    )


@dataclass(frozen=True, slots=True)
class Model:
    """A model that is on this disk, whole, and may be drawn with.

    ``folder`` is absolute, in diffusers layout. ``built_in`` is the starter. ``adapters`` are what
    is installed and fits it: all that a recipe of this model can name.
    """

    id: str
    title: str
    family: Family
    folder: str
    limits: Limits
    built_in: bool = False
    adapters: tuple[Adapter, ...] = ()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words a small model knows: completion, "Surprise me" and marking of unknown words."""

    nouns: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    backgrounds: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    synonyms: tuple[tuple[str, str], ...] = ()
    """(what people type, the noun it means)."""
