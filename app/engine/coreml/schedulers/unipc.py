"""UniPC: one prediction corrects the last step and makes the next (Zhao et al. 2023, 2302.04867).

Second order, in the form that predicts the picture ("bh1" or "bh2" is its B(h)).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from app.engine.coreml.schedulers.dpm import spread_out
from app.engine.coreml.schedulers.solver import DrawNoise, Preserving
from app.engine.coreml.schedulers.trained import COMMON, Floats, never_clean, trained

_ORDER = 2


class UniPC(Preserving):
    """A predictor, and a corrector that costs no further look at the UNet."""

    def __init__(self, config: Mapping[str, Any], steps: int) -> None:
        takes = {
            **COMMON,
            "rescale_betas_zero_snr": False,
            "final_sigmas_type": "zero",
            "use_flow_sigmas": False,
            "thresholding": False,
            "predict_x0": True,
            "use_karras_sigmas": False,
            "solver_type": "bh2",
            "lower_order_final": True,
            "disable_corrector": (),
        }
        known = never_clean(trained(config, takes))
        super().__init__(known, *spread_out(known, steps))
        self._foreseen: list[Floats] = []
        self._before: Floats | None = None
        self._order = 1

    def step(self, prediction: Floats, latents: Floats, draw_noise: DrawNoise) -> Floats:  # noqa: ARG002
        now = self.clean(prediction, latents)
        # 1. Correct the step that led here, now that its end has been looked at
        if (
            self._before is not None
            and self.index - 1 not in self.trained.config["disable_corrector"]
        ):
            latents = self._walk(self.index - 1, self._before, self._order, now)
        # 2. Step on
        self._foreseen = [*self._foreseen, now][-_ORDER:]
        self.foreseen = now
        left = len(self.timesteps) - self.index
        most = min(_ORDER, left) if self.trained.config["lower_order_final"] else _ORDER
        self._order = min(most, len(self._foreseen))
        self._before = latents
        self.index += 1
        if self.sigmas[self.index] == 0:
            return now
        return self._walk(self.index - 1, latents, self._order, None)

    def _walk(self, start: int, latents: Floats, order: int, end: Floats | None) -> Floats:
        """From ``start`` to the next timestep; ``end``: what was foreseen there (corrector)."""
        # 1. How far it is, and B(h) with its integrals phi
        here = self.half_log_snr(start)
        far = self.half_log_snr(start + 1) - here
        alpha, sigma = self.alpha_sigma(start + 1)
        shrunk = np.float32(math.expm1(-far))
        scale = -far if self.trained.config["solver_type"] == "bh1" else shrunk
        phi_1 = shrunk / -far - 1
        phi_2 = phi_1 / -far - np.float32(0.5)
        # 2. The first-order walk
        now = self._foreseen[-1]
        walked = sigma / self.alpha_sigma(start)[1] * latents - alpha * shrunk * now
        # 3. The differences to its neighbours on the path, weighted
        bend: Floats | np.float32 = np.float32(0)
        weights = np.array([0.5], np.float32)
        if order == _ORDER:
            ratio = (self.half_log_snr(start - 1) - here) / far
            difference = (self._foreseen[-2] - now) / ratio
            if end is not None:
                grid = np.array([[1, 1], [ratio, 1]], np.float32)
                weights = np.linalg.solve(grid, np.array([phi_1, 2 * phi_2], np.float32) / scale)
            bend = weights[0] * difference
        if end is not None:
            bend = bend + weights[-1] * (end - now)
        return walked - alpha * scale * bend
