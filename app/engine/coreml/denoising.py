"""From a prompt's encodings to finished latents: the loop of diffusers' pipelines, in numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from app.core.errors import NotFinite, OffScale
from app.core.events import Pixels, Stepped
from app.core.recipe import Recipe, Size
from app.engine.coreml.noise import Noise
from app.engine.coreml.prompt import Encoded
from app.engine.coreml.runtime import Array, Model
from app.engine.coreml.schedulers import Solver
from app.engine.previews import Previewer
from app.engine.watch import Watch

SPREAD = (0.01, 20.0)
"""Standard deviation of latents, scaled as the UNet sees them, outside which no picture lies: about
one on the way, less at the end, least for an all but even starting picture."""


@dataclass(frozen=True, slots=True)
class Start:
    """Latents of the starting picture, and the mask (L: 255 redrawn, 0 kept) where given."""

    latents: Array
    mask: Image.Image | None


class Unet:
    """A UNet with all it is told beside latents and timestep, for one picture.

    ``sides`` is (positive,), or (negative, positive) with guidance.
    """

    def __init__(
        self, model: Model, sides: Sequence[Encoded], guidance: float, size: Size, time_cond: int
    ) -> None:
        self._model = model
        self._guidance = np.float32(guidance)
        self._batch = model.inputs["sample"].shape[0]
        self._told = [self._rows(side, guidance, size, time_cond) for side in sides]

    def predict(self, latents: Array, timestep: float) -> Array:
        """The prediction for ``latents`` (scaled), guided away from the negative side.

        (Classifier-free guidance, Ho and Salimans 2022.) Both sides go in one prediction where
        the model takes two at a time, else in one each.
        """
        answers: list[Array] = []
        for at in range(0, len(self._told), self._batch):
            told = self._told[at : at + self._batch]
            told = told + told[-1:] * (self._batch - len(told))
            values = {name: np.concatenate([row[name] for row in told]) for name in told[0]}
            values["sample"] = np.repeat(latents, self._batch, axis=0)
            values["timestep"] = np.full(self._batch, timestep, np.float32)
            answers += np.split(self._model.predict(values)["noise_pred"], self._batch)
        if len(self._told) == 1:
            return answers[0]
        negative, positive = answers[:2]
        guided: Array = negative + self._guidance * (positive - negative)
        return guided

    def _rows(
        self, side: Encoded, guidance: float, size: Size, time_cond: int
    ) -> Mapping[str, Array]:
        """What one side is told, one row of each input that the model has."""
        told: dict[str, Array] = {"encoder_hidden_states": side.hidden}
        if side.pooled is not None:
            told["text_embeds"] = side.pooled
        if time_cond:
            told["timestep_cond"] = guidance_embedding(guidance - 1, time_cond)
        # SDXL (Podell et al. 2023, section 2.2): size of the original, cut from, size wanted
        sides = (size.height, size.width)
        told["time_ids"] = np.array([[*sides, 0, 0, *sides]], np.float32)
        return {name: value for name, value in told.items() if name in self._model.inputs}


class Kept:
    """Puts the black part of a mask back into the latents after each step."""

    def __init__(self, known: Array, noise: Array, mask: Image.Image) -> None:
        rows, columns = known.shape[-2:]
        pixels = np.asarray(mask, np.float32) / 255
        blocks = pixels.reshape(rows, pixels.shape[0] // rows, columns, -1)
        # A latent is redrawn when any of its pixels is.
        self._redrawn = blocks.max(axis=(1, 3))[None, None]
        self._known, self._noise = known, noise

    def apply(self, solver: Solver, latents: Array) -> Array:
        """``latents`` with the kept part at the noise that ``solver`` has come to."""
        done = solver.index == len(solver.timesteps)
        known = self._known if done else solver.noised(self._known, self._noise)
        kept: Array = self._redrawn * latents + (1 - self._redrawn) * known
        return kept


def denoise(
    recipe: Recipe,
    unet: Unet,
    solver: Solver,
    start: Start | None,
    shape: tuple[int, ...],
    noise: Noise,
    watch: Watch,
    previewer: Previewer | None,
) -> Array:
    """Latents of ``shape`` from pure noise, or from ``start``: float32.

    Raises NotFinite("denoising"), OffScale, and what the UNet and ``watch`` raise.
    """
    # 1. The first latents: noise, or the starting picture under its timestep's noise
    first = noise.normal(shape)
    latents: Array = first * solver.initial_spread
    kept = None
    if start is not None:
        strength = recipe.start.strength if recipe.start else 1.0
        if strength < 1.0:
            solver.start_at((recipe.steps - steps_drawn(recipe.steps, strength)) * solver.order)
            latents = solver.noised(start.latents, first)
        if start.mask is not None:
            kept = Kept(start.latents, first, start.mask)
    # 2. Step by step
    timesteps = solver.timesteps[solver.index :]
    for step, timestep in enumerate(timesteps, 1):
        watch.check()
        prediction = unet.predict(solver.scaled(latents), float(timestep))
        latents = solver.step(prediction, latents, lambda: noise.normal(shape))
        if kept is not None:
            latents = kept.apply(solver, latents)
        check_latents(solver.scaled(latents))
        preview = _preview(solver, latents, previewer)
        watch.report(Stepped(watch.job, step, len(timesteps), preview))
    return latents


def steps_drawn(steps: int, strength: float) -> int:
    """How many of ``steps`` are drawn at ``strength``; at least one."""
    return min(steps, max(1, int(steps * strength + 1e-6)))


def check_latents(scaled: Array) -> None:
    """Raise NotFinite or OffScale for latents that no picture has."""
    if not np.isfinite(scaled).all():
        raise NotFinite("denoising")
    spread = float(scaled.std())
    if not SPREAD[0] < spread < SPREAD[1]:
        raise OffScale(spread)


def guidance_embedding(guidance: float, width: int) -> Array:
    """``guidance`` as an LCM is told it: float32 (1, width) (Meng et al. 2023, as a timestep)."""
    half = width // 2
    falling = np.exp(np.arange(half, dtype=np.float32) * np.float32(-np.log(10000.0) / (half - 1)))
    angles = np.float32(guidance * 1000) * falling
    waves = np.concatenate([np.sin(angles), np.cos(angles), np.zeros(width % 2)])
    return waves.astype(np.float32)[None]


def _preview(solver: Solver, latents: Array, previewer: Previewer | None) -> Pixels | None:
    """A preview of the end as the solver foresees it, where one is due."""
    if previewer is None or not previewer.due():
        return None
    foreseen = latents if solver.foreseen is None else solver.foreseen
    return previewer.make(foreseen[0])
