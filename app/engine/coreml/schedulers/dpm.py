"""DPM-Solver++ of second order, with and without noise (Lu et al. 2022, arXiv 2211.01095)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from app.engine.coreml.schedulers.solver import DrawNoise, Preserving
from app.engine.coreml.schedulers.trained import (
    COMMON,
    Floats,
    Trained,
    karras,
    never_clean,
    pick,
    timestep_of,
    trained,
)

_FEW = 15
"""Below this many steps the last one is of first order, where the model's settings allow."""


class DPMSolver(Preserving):
    """Two points of the UNet's path foretell the third ("2M": multistep, order two).

    With ``algorithm_type`` "sde-dpmsolver++" each step also adds fresh noise (algorithm 2's
    stochastic form, section 5 of the paper).
    """

    def __init__(self, config: Mapping[str, Any], steps: int) -> None:
        takes = {
            **COMMON,
            "rescale_betas_zero_snr": False,
            "final_sigmas_type": "zero",
            "lambda_min_clipped": -np.inf,
            "use_lu_lambdas": False,
            "use_flow_sigmas": False,
            "variance_type": None,
            "thresholding": False,
            "use_karras_sigmas": False,
            "algorithm_type": "dpmsolver++",
            "solver_type": "midpoint",
            "lower_order_final": True,
            "euler_at_final": False,
        }
        known = never_clean(trained(config, takes))
        self._noisy = known.config["algorithm_type"] == "sde-dpmsolver++"
        self._heun = known.config["solver_type"] == "heun"
        super().__init__(known, *spread_out(known, steps))
        self._before: Floats | None = None

    def step(self, prediction: Floats, latents: Floats, draw_noise: DrawNoise) -> Floats:
        # 1. What the UNet foresees now, and foresaw before
        before, now = self._before, self.clean(prediction, latents)
        self._before = self.foreseen = now
        noise = draw_noise() if self._noisy else None
        i, last = self.index, self.index == len(self.timesteps) - 1
        self.index += 1
        if self.sigmas[i + 1] == 0:
            return now
        if self.sigmas[i + 1] == self.sigmas[i]:  # Karras's last sigma is "sigma_min" already
            return latents
        # 2. How far it is, in log SNR, and what the noise is multiplied by
        here = self.half_log_snr(i)
        far = self.half_log_snr(i + 1) - here
        alpha, sigma = self.alpha_sigma(i + 1)
        stretched = 2 * far if self._noisy else far
        shrunk = 1 - np.float32(math.exp(-stretched))
        kept = sigma / self.alpha_sigma(i)[1]
        walked = (
            kept * np.float32(math.exp(-far)) if self._noisy else kept
        ) * latents + alpha * shrunk * now
        # 3. The bend of the path, where two points of it are known
        if before is not None and not (last and self._ends_straight()):
            bend = (now - before) / ((here - self.half_log_snr(i - 1)) / far)
            weight = 1 - shrunk / stretched if self._heun else shrunk / 2
            walked = walked + alpha * weight * bend
        return walked if noise is None else walked + sigma * np.sqrt(shrunk) * noise

    def _ends_straight(self) -> bool:
        config = self.trained.config
        few = bool(config["lower_order_final"]) and len(self.timesteps) < _FEW
        return bool(config["euler_at_final"]) or few


def spread_out(known: Trained, steps: int) -> tuple[Floats, Floats]:
    """The whole timesteps of ``steps`` steps, and their sigmas with that of the end."""
    sigmas = known.sigmas
    if known.config["use_karras_sigmas"]:
        walked = karras(float(sigmas[-1]), float(sigmas[0]), steps)
        timesteps = timestep_of(walked, sigmas)
        if known.config["beta_schedule"] != "squaredcos_cap_v2":
            timesteps = timesteps.round()
    else:
        timesteps = np.round(pick(known.spacing, known.offset, known.count, steps, steps + 1))
        walked = np.interp(timesteps, np.arange(known.count), sigmas)
    last = sigmas[0] if known.config["final_sigmas_type"] == "sigma_min" else 0
    return np.trunc(timesteps), np.append(walked, last)
