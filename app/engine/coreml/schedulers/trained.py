"""What a model was trained with: its noise at each timestep, from scheduler_config.json.

Names and defaults are diffusers'; numbers are float32 where diffusers has float32, so that both
engines walk the same path.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.engine.coreml.runtime import Array

Floats = Array
"""float32."""

_PLAIN: Mapping[str, tuple[object, ...]] = {
    "prediction_type": ("epsilon", "v_prediction", "sample"),
    "timestep_spacing": ("linspace", "leading", "trailing"),
    "final_sigmas_type": ("zero", "sigma_min"),
    "interpolation_type": ("linear",),
    "timestep_type": ("discrete",),
    "lambda_min_clipped": (-math.inf,),
    "thresholding": (False,),
    "use_lu_lambdas": (False,),
    "use_flow_sigmas": (False,),
    "predict_x0": (True,),
    "variance_type": (None,),
}
"""What Easel's solvers know of settings that have more values in diffusers."""


@dataclass(frozen=True, slots=True)
class Trained:
    """``alphas``: how much of the picture's power is left at each timestep, float32 (timesteps,).

    (alpha-bar in DDPM, Ho et al. 2020; ``alphas_cumprod`` in diffusers.) ``prediction``: what the
    UNet says: "epsilon", "v_prediction" (Salimans and Ho 2022) or "sample". ``spacing``: how
    timesteps are picked (Lin et al. 2023, table 2); ``offset`` is added to "leading" ones.
    ``config`` is the rest.
    """

    alphas: Floats
    prediction: str
    spacing: str
    offset: int
    config: Mapping[str, Any]

    @property
    def count(self) -> int:
        """How many timesteps the model was trained with."""
        return len(self.alphas)

    @property
    def sigmas(self) -> Floats:
        """Noise over picture at each timestep, float32 (Karras et al. 2022 for these models)."""
        ratio: Floats = np.sqrt((1 - self.alphas) / self.alphas)
        return ratio

    @property
    def last_alpha(self) -> np.float32:
        """What a step that ends before timestep 0 ends at."""
        return np.float32(1) if self.config.get("set_alpha_to_one") else self.alphas[0]


COMMON: Mapping[str, Any] = {
    "num_train_timesteps": 1000,
    "trained_betas": None,
    "beta_start": 0.0001,
    "beta_end": 0.02,
    "beta_schedule": "linear",
    "prediction_type": "epsilon",
    "timestep_spacing": "linspace",
    "steps_offset": 0,
}
"""The settings that every scheduler takes, with most of their defaults."""


def trained(config: Mapping[str, Any], defaults: Mapping[str, Any]) -> Trained:
    """``config`` as a scheduler reads it that takes the settings ``defaults`` names, and no other.

    Raises ValueError for a value that is unknown here.
    """
    known = {name: config.get(name, default) for name, default in defaults.items()}
    for name, values in _PLAIN.items():
        if name in known and known[name] not in values:
            raise ValueError(f"{name} {known[name]!r}")
    betas = _betas(known)
    if known.get("rescale_betas_zero_snr"):
        betas = _zero_snr(betas)
    alphas = np.cumprod((1 - betas).astype(np.float64)).astype(np.float32)
    return Trained(
        alphas,
        str(known["prediction_type"]),
        str(known["timestep_spacing"]),
        int(known["steps_offset"]),
        known,
    )


def never_clean(known: Trained) -> Trained:
    """``known``, whose last timestep keeps a trace of the picture, or its sigma would be infinite.

    (2**-24 as in diffusers: float16's smallest number.)
    """
    if known.config["rescale_betas_zero_snr"]:
        known.alphas[-1] = 2.0**-24
    return known


def _betas(known: Mapping[str, Any]) -> Floats:
    """Noise added at each timestep, float32."""
    count = int(known["num_train_timesteps"])
    if not 2 <= count <= 100_000:
        raise ValueError(f"num_train_timesteps {count}")
    start, end = float(known["beta_start"]), float(known["beta_end"])
    schedule = known["beta_schedule"]
    if known["trained_betas"] is not None:
        return np.asarray(known["trained_betas"], np.float32)
    if schedule == "linear":
        return _line(start, end, count)
    if schedule == "scaled_linear":
        return _line(start**0.5, end**0.5, count) ** 2
    if schedule == "squaredcos_cap_v2":  # Nichol and Dhariwal 2021
        t = np.arange(count + 1) / count
        left = np.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2
        betas: Floats = np.minimum(1 - left[1:] / left[:-1], 0.999).astype(np.float32)
        return betas
    raise ValueError(f"beta_schedule {schedule!r}")


def _line(start: float, end: float, count: int) -> Floats:
    """``torch.linspace`` to the last bit: from both ends, with one rounding a number."""
    first, last = np.float32(start), np.float32(end)
    step = float((last - first) / np.float32(max(1, count - 1)))
    i = np.arange(count)
    rising, falling = float(first) + step * i, float(last) - step * (count - 1 - i)
    return np.where(i < count // 2, rising, falling).astype(np.float32)


def _zero_snr(betas: Floats) -> Floats:
    """Betas whose last timestep is noise alone (Lin et al. 2023, algorithm 1)."""
    roots = np.sqrt(np.cumprod((1 - betas).astype(np.float64)).astype(np.float32))
    roots = (roots - roots[-1]) * (roots[0] / (roots[0] - roots[-1]))
    left = roots**2
    rescaled: Floats = 1 - np.concatenate([left[:1], left[1:] / left[:-1]])
    return rescaled


def pick(spacing: str, offset: int, count: int, steps: int, most: int | None = None) -> Floats:
    """``steps`` of ``count`` timesteps, falling, as floats; not rounded for "linspace".

    ``most``: how many to divide "leading" and "linspace" by, where it is more than ``steps``.
    """
    most = steps if most is None else most
    if spacing == "linspace":
        return np.linspace(0, count - 1, most)[::-1][:steps]
    if spacing == "leading":
        picked = np.arange(most) * (count // most) + offset
        return picked[::-1][:steps].astype(np.float64)
    return np.round(np.arange(count, 0, -count / steps)) - 1


def timestep_of(sigmas: Floats, trained_sigmas: Floats) -> Floats:
    """The timesteps, with fractions, at which the model knew noise of ``sigmas``."""
    logs = np.log(trained_sigmas)
    wanted = np.log(np.maximum(sigmas, 1e-10))
    low = np.clip(np.searchsorted(logs, wanted, "right") - 1, 0, len(logs) - 2)
    share = (logs[low] - wanted) / (logs[low] - logs[low + 1])
    share = np.clip(share, 0, 1)
    fractional: Floats = (1 - share) * low + share * (low + 1)
    return fractional


def karras(highest: float, lowest: float, steps: int) -> Floats:
    """Sigmas that spend their steps where the picture's details are (Karras et al. 2022, eq. 5)."""
    rho = 7.0
    ramp = np.linspace(0, 1, steps)
    high, low = highest ** (1 / rho), lowest ** (1 / rho)
    sigmas: Floats = (high + ramp * (low - high)) ** rho
    return sigmas
