"""Euler's method, its ancestral form, and Heun's (Karras et al. 2022, algorithms 1 and 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.engine.coreml.schedulers.solver import DrawNoise, Exploding
from app.engine.coreml.schedulers.trained import COMMON, Floats, Trained, never_clean, pick, trained


class Euler(Exploding):
    """A straight line to where the UNet points."""

    def __init__(self, config: Mapping[str, Any], steps: int) -> None:
        takes = {
            **COMMON,
            "rescale_betas_zero_snr": False,
            "interpolation_type": "linear",
            "timestep_type": "discrete",
            "final_sigmas_type": "zero",
        }
        known = never_clean(trained(config, takes))
        timesteps, sigmas = _picked(known, steps)
        last = known.sigmas[0] if known.config["final_sigmas_type"] == "sigma_min" else 0
        super().__init__(known, timesteps, np.append(sigmas, last))

    def step(self, prediction: Floats, latents: Floats, draw_noise: DrawNoise) -> Floats:  # noqa: ARG002
        sigma, following = self.sigmas[self.index], self.sigmas[self.index + 1]
        self.foreseen = self.clean(prediction, latents, sigma)
        slope = (latents - self.foreseen) / sigma
        self.index += 1
        stepped: Floats = latents + slope * (following - sigma)
        return stepped


class EulerAncestral(Exploding):
    """Euler's method a little further than asked, and fresh noise back up to the mark."""

    def __init__(self, config: Mapping[str, Any], steps: int) -> None:
        known = never_clean(trained(config, {**COMMON, "rescale_betas_zero_snr": False}))
        timesteps, sigmas = _picked(known, steps)
        super().__init__(known, timesteps, np.append(sigmas, 0))

    def step(self, prediction: Floats, latents: Floats, draw_noise: DrawNoise) -> Floats:
        sigma, following = self.sigmas[self.index], self.sigmas[self.index + 1]
        self.foreseen = self.clean(prediction, latents, sigma)
        up = np.sqrt(following**2 * (sigma**2 - following**2) / sigma**2)
        down = np.sqrt(following**2 - up**2)
        slope = (latents - self.foreseen) / sigma
        self.index += 1
        stepped: Floats = latents + slope * (down - sigma) + draw_noise() * up
        return stepped


class Heun(Exploding):
    """Euler's step, looked at again from its end: the mean of both slopes is taken.

    Each inner timestep is there twice, for both looks; the last step is Euler's.
    """

    order = 2

    def __init__(self, config: Mapping[str, Any], steps: int) -> None:
        known = trained(config, {**COMMON, "beta_start": 0.00085, "beta_end": 0.012})
        timesteps, sigmas = _picked(known, steps)
        twice = np.append(sigmas[:1], np.repeat(sigmas[1:], 2))
        super().__init__(
            known, np.append(timesteps[:1], np.repeat(timesteps[1:], 2)), np.append(twice, 0)
        )
        self._first: tuple[Floats, Floats, np.float32] | None = None

    def step(self, prediction: Floats, latents: Floats, draw_noise: DrawNoise) -> Floats:  # noqa: ARG002
        sigma, following = self.sigmas[self.index], self.sigmas[self.index + 1]
        self.foreseen = self.clean(prediction, latents, sigma)
        slope = (latents - self.foreseen) / sigma
        self.index += 1
        if self._first is None:
            self._first = (latents, slope, following - sigma)
            start, length = latents, following - sigma
        else:
            start, first_slope, length = self._first
            self._first, slope = None, (first_slope + slope) / 2
        stepped: Floats = start + slope * length
        return stepped


def _picked(known: Trained, steps: int) -> tuple[Floats, Floats]:
    """Timesteps, and the noise at each, between the whole ones by interpolation."""
    timesteps = pick(known.spacing, known.offset, known.count, steps).astype(np.float32)
    return timesteps, np.interp(timesteps, np.arange(known.count), known.sigmas)
