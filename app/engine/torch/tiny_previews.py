"""Previews by a tiny autoencoder (TAESD, Bohan 2023): sharp, where that costs next to nothing."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from app.core.errors import ModelError, NotFinite
from app.core.events import Pixels
from app.engine.previews import ColourMatrix, Previewer
from app.engine.torch.autoencoding import decode
from app.engine.torch.loading import load_network

if TYPE_CHECKING:
    from app.engine.previews import Latents

TINY_CHANNELS = 4
"""Latent channels of the families that there are tiny autoencoders of."""

MOST_OF_A_STEP = 1 / 3
_STEM = "diffusion_pytorch_model"

TRIES = 2
"""Previews made before their cost is judged: the first also pays for warming up."""


class TinyPreviewer(Previewer):
    """A ``Previewer`` whose pictures ``vae`` decodes, as long as one costs a third of a step.

    Where it costs more, ``colours`` make them as ever. A preview is half the picture's side.
    """

    def __init__(
        self, vae: Any, colours: ColourMatrix, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(colours, clock)
        self._vae = vae
        self._tries = 0
        self._cost = 0.0
        self._step = 0.0
        self._resumed: float | None = None

    @property
    def is_cheap(self) -> bool:
        """Whether the next preview will be decoded."""
        return self._tries < TRIES or self._cost <= self._step * MOST_OF_A_STEP

    def due(self) -> bool:
        now = self._clock()
        if self._resumed is not None:
            self._step = now - self._resumed
        self._resumed = now
        return super().due()

    def make(self, latents: Latents) -> Pixels:
        if not self.is_cheap:
            return super().make(latents)
        self._last = began = self._clock()
        try:
            pixels = _half(decode(self._vae, torch.from_numpy(latents)[None]))
        except NotFinite:  # the tiny one may overflow where the real one will not
            self._tries, self._cost = TRIES, math.inf
            return super().make(latents)
        self._resumed = self._clock()
        took = self._resumed - began
        self._cost = took if self._tries == 0 else min(self._cost, took)
        self._tries += 1
        return pixels


def load_tiny(folder: Path, device: torch.device) -> Any:
    """The tiny autoencoder in ``folder``, in float16 on a GPU; None when it cannot be used.

    A preview is no reason not to draw.
    """
    from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny

    dtype = torch.float32 if device.type == "cpu" else torch.float16
    try:
        tiny = load_network(AutoencoderTiny, folder.parent, folder.name, dtype, device, stem=_STEM)
    except ModelError:
        return None
    return tiny if tiny.config.latent_channels == TINY_CHANNELS else None


def _half(pixels: Pixels) -> Pixels:
    whole = Image.frombytes("RGB", (pixels.width, pixels.height), pixels.rgb)
    half = whole.reduce(2)
    return Pixels(half.width, half.height, np.asarray(half).tobytes())
