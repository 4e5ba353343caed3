"""PNDM's linear multistep form, "PLMS" (Liu et al. 2022, arXiv 2202.09778, eq. 9 and 11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.engine.coreml.schedulers.solver import ByTimestep, DrawNoise
from app.engine.coreml.schedulers.trained import COMMON, Floats, pick, trained

_WEIGHTS = (
    (1.0,),
    (3 / 2, -1 / 2),
    (23 / 12, -16 / 12, 5 / 12),
    (55 / 24, -59 / 24, 37 / 24, -9 / 24),
)
"""Of the last one to four predictions, the newest first (Adams and Bashforth)."""


class PNDM(ByTimestep):
    """The first step is taken twice, the second time with the mean of both predictions."""

    def __init__(self, config: Mapping[str, Any], steps: int) -> None:
        takes = {**COMMON, "timestep_spacing": "leading", "set_alpha_to_one": False}
        known = trained(config, takes)
        once = np.round(pick(known.spacing, known.offset, known.count, steps))
        super().__init__(known, np.concatenate([once[:1], once[1:2], once[1:]]))
        self._stride = known.count // steps
        self._predictions: list[Floats] = []
        self._first: Floats | None = None
        self._taken = 0

    def step(self, prediction: Floats, latents: Floats, draw_noise: DrawNoise) -> Floats:  # noqa: ARG002
        timestep = self.timesteps[self.index]
        following = timestep - self._stride
        self.foreseen = self.clean(prediction, latents, self.alpha(timestep))
        # 1. The predictions together; the second look at the first step starts there again
        if self._taken == 1 and self._first is not None:
            timestep, following = timestep + self._stride, timestep
            mixed, latents = (prediction + self._predictions[-1]) / 2, self._first
        else:
            self._predictions = [prediction, *self._predictions][:4]
            weights = _WEIGHTS[len(self._predictions) - 1]
            pairs = zip(weights, self._predictions, strict=True)
            mixed = np.sum([np.float32(weight) * kept for weight, kept in pairs], axis=0)
        if self._taken == 0:
            self._first = latents
        # 2. One step with them
        self._taken += 1
        self.index += 1
        return self._stepped(mixed, latents, self.alpha(timestep), self.alpha(following))

    def _stepped(
        self, prediction: Floats, latents: Floats, alpha: np.float32, following: np.float32
    ) -> Floats:
        """Equation 11; ``prediction`` is turned to noise first where it is a v-prediction."""
        rest, rest_following = 1 - alpha, 1 - following
        if self.trained.prediction == "v_prediction":
            prediction = np.sqrt(alpha) * prediction + np.sqrt(rest) * latents
        below = alpha * np.sqrt(rest_following) + np.sqrt(alpha * rest * following)
        change = (following - alpha) * prediction / below
        stepped: Floats = np.sqrt(following / alpha) * latents - change
        return stepped
