"""What every scheduler is: a walk from noise to a picture, one prediction of the UNet a step."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from app.engine.coreml.schedulers.trained import Floats, Trained

DrawNoise = Callable[[], Floats]
"""Fresh normal noise of the latents' shape, from the picture's generator."""


class Solver(ABC):
    """One picture's walk. All arrays are latents, float32 (1, channels, rows, columns).

    For each of ``timesteps`` from where it starts: predict on ``scaled(latents)``, then ``step``.
    ``foreseen`` is the finished picture as the last step foresaw it.
    """

    order: ClassVar[int] = 1
    """Timesteps that one step asked for takes."""

    def __init__(self, trained: Trained, timesteps: Floats) -> None:
        self.trained = trained
        self.timesteps = timesteps.astype(np.float64)
        self.foreseen: Floats | None = None
        self.index = 0

    def start_at(self, index: int) -> None:
        """Leave out the first ``index`` timesteps. Before the first step only."""
        self.index = index

    @property
    def initial_spread(self) -> np.float32:
        """The standard deviation of the noise that a walk from the first timestep begins with."""
        return np.float32(1)

    def scaled(self, latents: Floats) -> Floats:
        """``latents`` as the UNet wants to see them at this timestep: of about unit spread."""
        return latents

    @abstractmethod
    def noised(self, known: Floats, noise: Floats) -> Floats:
        """Clean latents under the noise of this timestep; after the last step, as they are."""

    @abstractmethod
    def step(self, prediction: Floats, latents: Floats, draw_noise: DrawNoise) -> Floats:
        """The latents of the next timestep."""


class BySigma(Solver):
    """A solver that walks along ``sigmas``: noise over picture, the last after the last step."""

    def __init__(self, trained: Trained, timesteps: Floats, sigmas: Floats) -> None:
        super().__init__(trained, timesteps)
        self.sigmas = sigmas.astype(np.float32)

    def alpha_sigma(self, index: int) -> tuple[np.float32, np.float32]:
        """The shares of picture and noise there, their squares one together."""
        sigma = self.sigmas[index]
        alpha = 1 / np.sqrt(sigma**2 + 1)
        return alpha, sigma * alpha


class Exploding(BySigma):
    """Walks on ``picture + sigma * noise`` (Karras et al. 2022): Euler's and Heun's methods."""

    @property
    def initial_spread(self) -> np.float32:
        most: np.float32 = self.sigmas.max()
        return np.sqrt(most**2 + 1) if self.trained.spacing == "leading" else most

    def scaled(self, latents: Floats) -> Floats:
        scaled: Floats = latents / np.sqrt(self.sigmas[self.index] ** 2 + 1)
        return scaled

    def noised(self, known: Floats, noise: Floats) -> Floats:
        noised: Floats = known + noise * self.sigmas[self.index]
        return noised

    def clean(self, prediction: Floats, latents: Floats, sigma: np.float32) -> Floats:
        """The finished latents that ``prediction`` means."""
        if self.trained.prediction == "sample":
            return prediction
        if self.trained.prediction == "v_prediction":
            within = sigma**2 + 1
            clean: Floats = prediction * (-sigma / np.sqrt(within)) + latents / within
            return clean
        return latents - sigma * prediction


class Preserving(BySigma):
    """Walks on ``alpha * picture + sigma * noise`` of unit spread: the DPM-Solver family."""

    def noised(self, known: Floats, noise: Floats) -> Floats:
        alpha, sigma = self.alpha_sigma(self.index)
        return alpha * known + sigma * noise

    def clean(self, prediction: Floats, latents: Floats) -> Floats:
        """The finished latents that ``prediction`` means."""
        alpha, sigma = self.alpha_sigma(self.index)
        return clean(self.trained.prediction, prediction, latents, alpha, sigma)

    def half_log_snr(self, index: int) -> np.float32:
        """lambda = log(alpha / sigma), the time that these solvers step in (Lu et al. 2022)."""
        alpha, sigma = (math.log(share) for share in self.alpha_sigma(index))
        return np.float32(alpha) - np.float32(sigma)


class ByTimestep(Solver):
    """A solver that looks up the noise of whole timesteps: DDIM, PNDM and LCM."""

    def noised(self, known: Floats, noise: Floats) -> Floats:
        if self.index >= len(self.timesteps):
            return known
        alpha = self.alpha(self.timesteps[self.index])
        noised: Floats = np.sqrt(alpha) * known + np.sqrt(1 - alpha) * noise
        return noised

    def alpha(self, timestep: float) -> np.float32:
        """What is left of the picture's power there; before the first timestep, the end's."""
        found: np.float32 = (
            self.trained.alphas[int(timestep)] if timestep >= 0 else self.trained.last_alpha
        )
        return found

    def clean(self, prediction: Floats, latents: Floats, alpha: np.float32) -> Floats:
        """The finished latents that ``prediction`` means."""
        kind = self.trained.prediction
        return clean(kind, prediction, latents, np.sqrt(alpha), np.sqrt(1 - alpha))


def clean(
    kind: str, prediction: Floats, latents: Floats, alpha: np.float32, sigma: np.float32
) -> Floats:
    """The picture in ``latents = alpha * picture + sigma * noise``, given the UNet's prediction."""
    if kind == "sample":
        return prediction
    if kind == "v_prediction":
        return alpha * latents - sigma * prediction
    return (latents - sigma * prediction) / alpha
