"""DDIM (Song et al. 2021, arXiv 2010.02502, eq. 12, without noise)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.engine.coreml.schedulers.solver import ByTimestep, DrawNoise
from app.engine.coreml.schedulers.trained import COMMON, Floats, pick, trained


class DDIM(ByTimestep):
    """Straight towards the foreseen picture, with the foreseen noise put back."""

    def __init__(self, config: Mapping[str, Any], steps: int) -> None:
        takes = {
            **COMMON,
            "timestep_spacing": "leading",
            "set_alpha_to_one": True,
            "rescale_betas_zero_snr": False,
        }
        known = trained(config, takes)
        super().__init__(known, np.round(pick(known.spacing, known.offset, known.count, steps)))
        self._stride = known.count // steps

    def step(self, prediction: Floats, latents: Floats, draw_noise: DrawNoise) -> Floats:  # noqa: ARG002
        timestep = self.timesteps[self.index]
        alpha, following = self.alpha(timestep), self.alpha(timestep - self._stride)
        self.foreseen = self.clean(prediction, latents, alpha)
        noise = self._noise(prediction, latents, alpha)
        self.index += 1
        stepped: Floats = np.sqrt(following) * self.foreseen + np.sqrt(1 - following) * noise
        return stepped

    def _noise(self, prediction: Floats, latents: Floats, alpha: np.float32) -> Floats:
        """The noise in ``latents`` that ``prediction`` means."""
        noise = prediction
        if self.trained.prediction == "sample":
            noise = (latents - np.sqrt(alpha) * prediction) / np.sqrt(1 - alpha)
        elif self.trained.prediction == "v_prediction":
            noise = np.sqrt(alpha) * prediction + np.sqrt(1 - alpha) * latents
        return noise
