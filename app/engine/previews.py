"""Previews that cost almost nothing: latents become colours by one small matrix.

An autoencoder's latents are close to linear in the colours they stand for, so a matrix with a
bias, fitted once by least squares, gives a picture of latent size in well under a millisecond.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.events import Pixels
from app.core.model import Family

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Latents = npt.NDArray[np.float32]

PER_SECOND = 10


@dataclass(frozen=True, slots=True)
class ColourMatrix:
    """rgb = latents @ ``matrix`` + ``bias``, in [0, 1]; one row of ``matrix`` a latent channel."""

    matrix: tuple[tuple[float, float, float], ...]
    bias: tuple[float, float, float]


_SD = ColourMatrix(
    (
        (0.149, 0.104, 0.104),
        (0.094, 0.143, 0.087),
        (-0.079, 0.095, 0.132),
        (-0.092, -0.136, -0.237),
    ),
    (0.5, 0.5, 0.5),
)
"""Fitted to the SD 1.4 autoencoder, which SD 2.x shares but for its decoder's last training
(published measurement: discuss.huggingface.co/t/23204; halved here from [-1, 1] to [0, 1])."""

_SDXL = ColourMatrix(
    (
        (0.235, 0.235, 0.235),
        (-0.235, -0.020, 0.039),
        (0.098, 0.059, -0.020),
        (-0.275, -0.196, -0.137),
    ),
    (0.588, 0.549, 0.510),
)
"""Measured on the SDXL autoencoder (published as levels of 255:
huggingface.co/blog/TimothyAlexisVass/explaining-the-sdxl-latent-space)."""


def matrix_for(folder: Path, family: Family, channels: int) -> ColourMatrix:
    """The matrix of the model in ``folder``: its own preview.json, else its family's.

    preview.json holds {"matrix": [[r, g, b] a channel], "bias": [r, g, b]}. A model of another
    number of channels gets a matrix that spreads them over the colours: rough, but it moves.
    """
    try:
        data = json.loads((folder / "preview.json").read_bytes())
        own = ColourMatrix(tuple(_triple(row) for row in data["matrix"]), _triple(data["bias"]))
        if len(own.matrix) == channels:
            return own
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    if channels == 4:
        return _SDXL if family is Family.SDXL else _SD
    share = 0.45 / max(1, channels / 3) ** 0.5
    rows = tuple(_unit(channel % 3, share) for channel in range(channels))
    return ColourMatrix(rows, (0.5, 0.5, 0.5))


class Previewer:
    """Makes previews at most ``PER_SECOND`` times a second by ``clock`` (seconds, monotonic).

    Steps in between are passed over, so that what is shown is always the newest.
    """

    def __init__(self, colours: ColourMatrix, clock: Callable[[], float] = time.monotonic) -> None:
        self._colours = colours
        self._clock = clock
        self._last: float | None = None

    def due(self) -> bool:
        """Whether it is time for one. Ask before fetching latents from a device: that waits."""
        return self._last is None or self._clock() - self._last >= 1 / PER_SECOND

    def make(self, latents: Latents) -> Pixels:
        """A picture of ``latents``, float32 (channels, rows, columns) of about unit spread."""
        self._last = self._clock()
        return to_pixels(latents, self._colours)


def to_pixels(latents: Latents, colours: ColourMatrix) -> Pixels:
    """``latents``, float32 (channels, rows, columns), as a picture of rows x columns."""
    import numpy as np

    channels, rows, columns = latents.shape
    matrix = np.asarray(colours.matrix, np.float32)
    bias = np.asarray(colours.bias, np.float32)
    rgb = latents.reshape(channels, -1).T @ matrix + bias
    levels = np.nan_to_num(np.clip(rgb, 0, 1) * 255).round().astype(np.uint8)
    return Pixels(columns, rows, levels.tobytes())


def _triple(row: Sequence[float]) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in row)
    return red, green, blue


def _unit(colour: int, share: float) -> tuple[float, float, float]:
    red, green, blue = (share if i == colour else 0.0 for i in range(3))
    return red, green, blue
