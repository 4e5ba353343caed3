"""A small real engine in numpy: it draws a picture from the recipe in steps, no weights needed.

It holds to the contract like any other engine, and is fast enough to drive the hosts, the queue
and the window in tests. ``make_numpy_engine`` is picklable by name, for hosts that spawn.
"""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.core.errors import ModelMissing, PlacementUnavailable
from app.core.events import Cancelled, Decoding, Finished, Loading, Pixels, Stepped, Task
from app.core.model import Family, Limits, Model
from app.core.placement import Placement
from app.core.recipe import Recipe, Size
from app.engine.contract import Engine, IsCancelled, Report

Floats = npt.NDArray[np.float32]

LATENT = 8
"""Pixels a latent side stands for."""


class NumpyEngine:
    """Draws smooth colour fields: hue from the prompt, shape from the seed, detail from steps.

    ``step_seconds`` slows each step down, ``load_seconds`` the first load of a model folder; both
    waits end early when the task is cancelled.
    """

    def __init__(self, step_seconds: float = 0.0, load_seconds: float = 0.0) -> None:
        self._step_seconds = step_seconds
        self._load_seconds = load_seconds
        self._loaded: str | None = None
        self._closed = False

    def placements(self) -> tuple[Placement, ...]:
        return (Placement.CPU,)

    def draw(self, task: Task, report: Report, cancelled: IsCancelled) -> Finished | Cancelled:
        if self._closed:
            raise RuntimeError("the engine is closed")
        if task.placement is not Placement.CPU:
            raise PlacementUnavailable(task.placement.value, "numpy runs on the CPU")
        # 1. Load
        if not self._load(task, report, cancelled):
            return Cancelled(task.job)
        # 2. Noise, then towards the picture step by step
        recipe = task.recipe
        generator = np.random.default_rng(recipe.seed)
        noise = generator.standard_normal(_latent_shape(recipe.size)).astype(np.float32)
        latents, goal = noise, _goal(recipe, noise)
        for step in range(1, recipe.steps + 1):
            if cancelled() or not _wait(self._step_seconds, cancelled):
                return Cancelled(task.job)
            latents = latents + (goal - latents) / np.float32(recipe.steps - step + 1)
            preview = _pixels(latents, 1) if task.previews else None
            report(Stepped(task.job, step, recipe.steps, preview))
        # 3. Decode
        if cancelled():
            return Cancelled(task.job)
        report(Decoding(task.job))
        pixels = _pixels(latents, LATENT)
        cropped = _crop(pixels, recipe.size)
        if cancelled():
            return Cancelled(task.job)
        return Finished(task.job, cropped, Placement.CPU, self._step_seconds * recipe.steps)

    def close(self) -> None:
        self._closed = True
        self._loaded = None

    def _load(self, task: Task, report: Report, cancelled: IsCancelled) -> bool:
        """Whether it went through without being cancelled. Raises ModelMissing."""
        if cancelled():
            return False
        if self._loaded == task.model.folder:
            return True
        report(Loading(task.job))
        if not Path(task.model.folder).is_dir():
            raise ModelMissing(task.model.folder)
        if not _wait(self._load_seconds, cancelled):
            return False
        self._loaded = task.model.folder
        return True


def make_numpy_engine() -> Engine:
    """A fast numpy engine; picklable by name."""
    return NumpyEngine()


def make_slow_numpy_engine() -> Engine:
    """A numpy engine that takes 50 ms a step and 200 ms to load; picklable by name."""
    return NumpyEngine(step_seconds=0.05, load_seconds=0.2)


def numpy_model(folder: Path, id: str = "numpy") -> Model:
    """A model for the numpy engine; any existing folder will do."""
    native = Size(64, 64)
    limits = Limits(
        native=native,
        shapes=(native, Size(48, 64), Size(64, 48)),
        min_side=32,
        max_side=128,
        side_step=8,
        max_tokens=75,
        steps=6,
        quick_steps=3,
        fine_steps=12,
        guidance=4.0,
    )
    return Model(id, "Numpy", Family.SD1, str(folder.absolute()), limits)


def _latent_shape(size: Size) -> tuple[int, int, int]:
    return -(-size.height // LATENT), -(-size.width // LATENT), 3


def _goal(recipe: Recipe, noise: Floats) -> Floats:
    """The finished latents: the prompt's colour, a little of the seed's noise, a bright centre."""
    text = f"{recipe.prompt}\0{recipe.negative_prompt}\0{recipe.guidance!r}\0{recipe.scheduler}"
    digest = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    colour = np.frombuffer(digest[:3], np.uint8).astype(np.float32) / 255
    rows, columns, _ = noise.shape
    y = np.linspace(-1, 1, rows, dtype=np.float32)[:, None, None]
    x = np.linspace(-1, 1, columns, dtype=np.float32)[None, :, None]
    disc = np.exp(-2 * (x * x + y * y))
    goal = disc * colour + (1 - disc) * (1 - colour) + np.float32(0.05) * noise
    clipped: Floats = np.clip(goal, 0, 1).astype(np.float32)
    return clipped


def _pixels(latents: Floats, factor: int) -> Pixels:
    bytes_ = (np.clip(latents, 0, 1) * 255).round().astype(np.uint8)
    large = bytes_.repeat(factor, axis=0).repeat(factor, axis=1)
    return Pixels(large.shape[1], large.shape[0], large.tobytes())


def _crop(pixels: Pixels, size: Size) -> Pixels:
    array = np.frombuffer(pixels.rgb, np.uint8).reshape(pixels.height, pixels.width, 3)
    return Pixels(size.width, size.height, array[: size.height, : size.width].tobytes())


def _wait(seconds: float, cancelled: IsCancelled) -> bool:
    """Wait, looking every 10 ms whether to stop. False: cancelled."""
    pause = threading.Event()
    while seconds > 0:
        if cancelled():
            return False
        pause.wait(min(0.01, seconds))
        seconds -= 0.01
    return not cancelled()
