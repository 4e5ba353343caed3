"""The ratio a shape is known by."""

from __future__ import annotations

from math import gcd

_KNOWN = ((1, 1), (3, 4), (4, 3), (2, 3), (3, 2), (4, 5), (5, 4), (9, 16), (16, 9), (1, 2), (2, 1))


def ratio_text(width: int, height: int) -> str:
    """ "3:4" for 576 by 768, and for 640 by 832, which is near enough to it."""
    wanted = width / height
    across, down = min(_KNOWN, key=lambda known: abs(known[0] / known[1] - wanted))
    if abs(across / down - wanted) / wanted <= 0.045:
        return f"{across}:{down}"
    shared = gcd(width, height)
    return f"{width // shared}:{height // shared}"
