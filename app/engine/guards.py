"""Looks at a finished picture before anyone else does: broken networks draw black or flat ones."""

from __future__ import annotations

from app.core.errors import BlackResult, FlatResult
from app.core.events import Pixels

TOLERANCE = 2
"""Levels of 255 that still count as one colour: what rounding leaves of a constant."""


def check_pixels(pixels: Pixels) -> None:
    """Raise BlackResult or FlatResult when ``pixels`` is one colour all over.

    A dark picture with anything in it passes.
    """
    import numpy as np

    colours = np.frombuffer(pixels.rgb, np.uint8).reshape(-1, 3)
    low, high = colours.min(axis=0), colours.max(axis=0)
    if int((high - low).max()) > TOLERANCE:
        return
    if int(high.max()) <= TOLERANCE:
        raise BlackResult()
    red, green, blue = (int(level) for level in colours[0])
    raise FlatResult(f"#{red:02x}{green:02x}{blue:02x}")
