"""The ratio a shape is known by."""

from __future__ import annotations

from math import gcd

_COMMON = ((1, 1), (3, 4), (4, 3), (2, 3), (3, 2), (9, 16), (16, 9), (4, 5), (5, 4), (1, 2), (2, 1))
"""The best known first: of two that are near enough, it wins."""

_NEAR = 0.045


def ratio_text(width: int, height: int) -> str:
    """ "3:4" for 576 by 768, and for 640 by 832, which is near enough to it."""
    wanted = width / height
    for across, down in _COMMON:
        if abs(across / down - wanted) / wanted <= _NEAR:
            return f"{across}:{down}"
    shared = gcd(width, height)
    return f"{width // shared}:{height // shared}"
