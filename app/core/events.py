"""What happens to a job, as frozen picklable values. Every event carries its job's id.

The path of one picture: Loading* Stepped* Decoding, then exactly one of Finished, Cancelled,
Failed. Nothing of a job comes after its ending; a late event is dropped by its id.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.core.errors import EaselError
from app.core.model import Model
from app.core.placement import Placement
from app.core.recipe import Recipe

JobId = str
"""Random, unique for ever; never reused."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """A picture as raw RGB, 8 bits a channel, rows from the top, no padding."""

    width: int
    height: int
    rgb: bytes


@dataclass(frozen=True, slots=True)
class Task:
    """What an engine is given: one picture to draw."""

    job: JobId
    recipe: Recipe
    model: Model
    placement: Placement
    previews: bool = True


@dataclass(frozen=True, slots=True)
class Loading:
    """Networks are being read from disk."""

    job: JobId


@dataclass(frozen=True, slots=True)
class Stepped:
    """Step ``step`` of ``steps`` (1-based, the scheduler's real steps) is done.

    ``preview`` is small (latent size) and there at most ten times a second.
    """

    job: JobId
    step: int
    steps: int
    preview: Pixels | None = None


@dataclass(frozen=True, slots=True)
class PartlyUsed:
    """Of a LoRA (by its title) ``used`` parts change the model; ``unused`` have no place in it.

    Said when it is laid over the networks, which is not for every picture.
    """

    job: JobId
    title: str
    used: int
    unused: int


@dataclass(frozen=True, slots=True)
class Decoding:
    """The steps are done; latents become pixels."""

    job: JobId


@dataclass(frozen=True, slots=True)
class Finished:
    """The picture, and how long it took in seconds from the first step, without loading."""

    job: JobId
    pixels: Pixels
    placement: Placement
    seconds: float


@dataclass(frozen=True, slots=True)
class Cancelled:
    job: JobId


@dataclass(frozen=True, slots=True)
class Failed:
    job: JobId
    error: EaselError


Progress = Loading | PartlyUsed | Stepped | Decoding
Ending = Finished | Cancelled | Failed
Event = Progress | Ending
