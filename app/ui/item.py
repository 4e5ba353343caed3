"""One picture of this session, from waiting to finished, as the window knows it."""

from __future__ import annotations

from enum import Enum
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage

from app.core.errors import EaselError
from app.core.events import Pixels
from app.core.recipe import Draft, Recipe
from app.ui.tokens import THUMBNAIL

if TYPE_CHECKING:
    from app.jobs.queue import Job
    from app.library.library import Picture


class Stage(Enum):
    """Where an item is on its way."""

    WAITING = "waiting"
    LOADING = "getting ready"
    DRAWING = "drawing"
    FINISHING = "finishing"
    DONE = "done"
    FAILED = "failed"

    @property
    def live(self) -> bool:
        return self in (Stage.LOADING, Stage.DRAWING, Stage.FINISHING)


class Shown(NamedTuple):
    """What the canvas shows: ``picture`` is None while it is being drawn or was not saved."""

    picture: Picture | None
    image: QImage
    recipe: Recipe


class Item:
    """A job and what has been heard of it. ``image`` is the finished picture, where held."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.stage = Stage.WAITING
        self.step = self.steps = 0
        self.preview: QImage | None = None
        self.image: QImage | None = None
        self.thumb: QImage | None = None
        self.picture: Picture | None = None
        self.pixels: Pixels | None = None
        """Only of a picture that no folder would take."""
        self.error: EaselError | None = None
        self._first_step: tuple[int, float] | None = None

    @property
    def recipe(self) -> Recipe:
        return self.job.recipe

    def stepped(self, step: int, steps: int, preview: Pixels | None) -> None:
        now = monotonic()
        if self._first_step is None or step < self.step:
            self._first_step = (step, now)
        self.stage, self.step, self.steps = Stage.DRAWING, step, steps
        if preview is not None:
            self.preview = to_image(preview)

    def restarted(self) -> None:
        """The engine begins again, on another placement."""
        self.stage, self.step, self._first_step = Stage.LOADING, 0, None

    def seconds_a_step(self) -> float | None:
        """Measured from the second step on, so that loading and warming up do not count."""
        if self._first_step is None or self.step <= self._first_step[0]:
            return None
        return (monotonic() - self._first_step[1]) / (self.step - self._first_step[0])

    def finished(self, picture: Picture | None, pixels: Pixels) -> None:
        self.stage = Stage.DONE
        self.picture = picture
        self.image = to_image(pixels)
        self.preview = None
        self.thumb = thumbnail(self.image)

    def full_image(self) -> QImage | None:
        """The picture; read again from its file when it was let go of. None: the file has gone."""
        if self.image is None and self.picture is not None:
            read = QImage(str(self.picture.file))
            self.image = None if read.isNull() else read
        return self.image

    def words(self) -> str:
        """What a screen reader says of it."""
        short = self.recipe.prompt.strip().replace("\n", " ")
        short = short if len(short) <= 80 else f"{short[:79]}…"
        if self.stage is Stage.DONE:
            return f"{short}, seed {self.recipe.seed}"
        return f"{short}, {self.stage.value}"


def to_image(pixels: Pixels) -> QImage:
    """``pixels`` as an image that owns its memory."""
    shape = QImage.Format.Format_RGB888
    borrowed = QImage(pixels.rgb, pixels.width, pixels.height, pixels.width * 3, shape)
    return borrowed.convertToFormat(QImage.Format.Format_RGB32)


def thumbnail(image: QImage, side: int = THUMBNAIL * 2) -> QImage:
    """The middle square of ``image``, ``side`` pixels: sharp on a 2x screen."""
    grown = image.scaled(
        QSize(side, side),
        Qt.AspectRatioMode.KeepAspectRatioByExpanding,
        Qt.TransformationMode.SmoothTransformation,
    )
    return grown.copy((grown.width() - side) // 2, (grown.height() - side) // 2, side, side)


def draft_of(recipe: Recipe, seed: int | None = None) -> Draft:
    """The draft that draws ``recipe`` again, with another ``seed`` where one is given."""
    return Draft(
        prompt=recipe.prompt,
        negative_prompt=recipe.negative_prompt,
        size=recipe.size,
        steps=recipe.steps,
        guidance=recipe.guidance,
        seed=recipe.seed if seed is None else seed,
        scheduler=recipe.scheduler,
        start=recipe.start,
        loras=recipe.loras,
        vae=recipe.vae,
    )
