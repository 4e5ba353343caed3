"""Latent consistency models: each look foresees the end (Luo et al. 2023, arXiv 2310.04378)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.engine.coreml.schedulers.solver import ByTimestep, DrawNoise
from app.engine.coreml.schedulers.trained import COMMON, Floats, trained

_SIGMA_DATA = 0.5
"""Spread of the data in the boundary condition (Song et al. 2023, consistency models, eq. 5)."""


class LCM(ByTimestep):
    """Foresee the picture, and put fresh noise on it for the next look.

    ``original_inference_steps`` is the grid of timesteps that the model was distilled on.
    """

    def __init__(self, config: Mapping[str, Any], steps: int) -> None:
        takes = {
            **COMMON,
            "beta_start": 0.00085,
            "beta_end": 0.012,
            "beta_schedule": "scaled_linear",
            "timestep_spacing": "leading",
            "set_alpha_to_one": True,
            "rescale_betas_zero_snr": False,
            "thresholding": False,
            "original_inference_steps": 50,
            "timestep_scaling": 10.0,
        }
        known = trained(config, takes)
        fine = int(known.config["original_inference_steps"])
        grid = np.arange(fine, 0, -1) * (known.count // fine) - 1
        chosen = np.floor(np.linspace(0, fine, steps, endpoint=False)).astype(np.int64)
        super().__init__(known, grid[chosen])
        self._scaling = float(known.config["timestep_scaling"])

    def step(self, prediction: Floats, latents: Floats, draw_noise: DrawNoise) -> Floats:
        timestep = self.timesteps[self.index]
        foreseen = self.clean(prediction, latents, self.alpha(timestep))
        # The boundary condition: at no noise the latents are the picture
        scaled = timestep * self._scaling
        within = scaled**2 + _SIGMA_DATA**2
        kept, foretold = _SIGMA_DATA**2 / within, scaled / within**0.5
        done = np.float32(foretold) * foreseen + np.float32(kept) * latents
        self.foreseen = done
        self.index += 1
        if self.index == len(self.timesteps):
            return done
        following = self.alpha(self.timesteps[self.index])
        noised: Floats = np.sqrt(following) * done + np.sqrt(1 - following) * draw_noise()
        return noised
