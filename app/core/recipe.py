"""The recipe: everything one picture needs, and the draft a person fills in.

A ``Draft`` is what the form holds: anything can be in it. ``resolve`` (``core.resolve``) checks
it against a model's limits and turns it into one ``Recipe`` a picture. A ``Recipe`` is frozen,
valid, and travels with the job, the picture, the index and the clipboard.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SEEDS = 2**32
"""Seeds are 0 to ``SEEDS - 1``."""


class Scheduler(StrEnum):
    """Schedulers by the names people know. The value is what is stored and typed."""

    DPMPP_2M_KARRAS = "DPM++ 2M Karras"
    DPMPP_2M_SDE = "DPM++ 2M SDE"
    EULER = "Euler"
    EULER_A = "Euler a"
    DDIM = "DDIM"
    PNDM = "PNDM"
    UNIPC = "UniPC"
    HEUN = "Heun"
    LCM = "LCM"


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class Start:
    """A picture to start from (image-to-image).

    ``file`` is an absolute path; ``sha256`` (hex) is of its bytes, so that a recipe says which
    picture it meant even after the file has moved. ``strength`` in (0, 1]: how much of it is
    redrawn. ``mask``, where given, is a picture of the same size whose white is redrawn and
    whose black is kept (inpainting).
    """

    file: str
    sha256: str
    strength: float = 0.6
    mask: str | None = None
    mask_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class LoraUse:
    """A LoRA by the id it is installed under, and its weight in [-2, 2]."""

    id: str
    weight: float = 1.0


class How(StrEnum):
    """How a picture came of another one. The value is stored with each picture."""

    VARIATION = "variation"
    IMAGE_TO_IMAGE = "image to image"
    REDRAW = "redraw"


@dataclass(frozen=True, slots=True)
class Parent:
    """The picture that another one came of, by its id (``library.picture_file.Picture.id``)."""

    picture: str
    how: How


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything one picture needs; the worker reads nothing else.

    ``guidance`` 1 means none; ``seed`` in [0, 2**32); ``steps`` as asked: schedulers may run a few
    more or fewer (Heun, PNDM, image-to-image). ``vae`` is the id of an installed autoencoder that
    takes the place of the model's own. ``parent`` changes nothing of what is drawn.
    """

    prompt: str
    model: str
    size: Size
    steps: int
    guidance: float
    seed: int
    scheduler: Scheduler
    negative_prompt: str = ""
    start: Start | None = None
    loras: tuple[LoraUse, ...] = ()
    vae: str | None = None
    parent: Parent | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person has typed so far. ``None`` means: the model's own default.

    ``size`` and ``scheduler`` may be a value or the text that was typed ("512x768", "euler a").
    ``seed`` None draws one. ``count`` pictures get seeds n, n+1, ...
    """

    prompt: str
    negative_prompt: str = ""
    size: Size | str | None = None
    steps: int | None = None
    guidance: float | None = None
    seed: int | None = None
    scheduler: Scheduler | str | None = None
    count: int = 1
    start: Start | None = None
    loras: tuple[LoraUse, ...] = ()
    vae: str | None = None
    parent: Parent | None = None
