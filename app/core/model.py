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


class ModelFormat(StrEnum):
    """How a model lies in its folder, and so which engine draws with it."""

    DIFFUSERS = "diffusers"
    COREML = "Core ML"


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
    ``shapes_only``: no other size will do, whatever the sides (a Core ML model has its sizes built
    in). ``max_tokens`` counts the prompt's own tokens, without the begin and end marks.
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
    shapes_only: bool = False

    def fits(self, size: Size) -> bool:
        """Whether a picture of ``size`` can be drawn."""
        if self.shapes_only:
            return size in self.shapes
        low, high, step = self.min_side, self.max_side, self.side_step
        return all(low <= side <= high and not side % step for side in (size.width, size.height))

    @property
    def sizes(self) -> str:
        """The sizes that fit, as ``RecipeProblem.allowed`` says it."""
        if self.shapes_only:
            return ", ".join(str(shape) for shape in self.shapes)
        return f"{self.min_side} to {self.max_side} a side, in steps of {self.side_step}"


@dataclass(frozen=True, slots=True)
class Model:
    """A model that is on this disk, whole, and may be drawn with.

    ``folder`` is absolute, laid out as ``format`` says. ``built_in`` is the starter. ``twin`` holds
    the same weights for the other engine, which takes over what this one cannot do. ``adapters``
    are what is installed and fits it: all that a recipe of this model can name.
    """

    id: str
    title: str
    family: Family
    folder: str
    limits: Limits
    built_in: bool = False
    format: ModelFormat = ModelFormat.DIFFUSERS
    twin: Model | None = None
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
