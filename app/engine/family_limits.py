"""What the models of a family can do, worked out from the shape of their networks."""

from __future__ import annotations

import math
from dataclasses import dataclass

from app.core.model import Family, Feature, Limits
from app.core.recipe import Size


@dataclass(frozen=True, slots=True)
class Shape:
    """``factor``: pixels a latent stands for, a side. ``depth``: how often the UNet halves.

    ``sample``: latent side the UNet was trained at; ``max_tokens`` as in ``Limits``.
    """

    factor: int
    depth: int
    sample: int
    max_tokens: int


ASPECTS = ((1, 1), (3, 4), (4, 3), (9, 16), (16, 9))

_GUIDANCE = {Family.SD1: 7.5, Family.SD2: 7.5, Family.SDXL: 6.0}


def limits_of(family: Family, shape: Shape) -> Limits:
    """The limits of a model of ``family``.

    The native side is the UNet's sample size in pixels: 512 (SD 1.x, 2.x base), 768 (2.x v), 1024
    (SDXL). Sides go in steps of 8 as diffusers asks (a UNet pads what it cannot halve); the shapes
    offered have about the native area and sides in multiples of 64, as in these models' training.
    """
    side = shape.sample * shape.factor
    step = math.lcm(8, shape.factor)
    even = max(64, shape.factor * 2**shape.depth)
    grid = even if side % even == 0 and side >= 8 * even else step
    native = Size(side, side)
    return Limits(
        native=native,
        shapes=tuple(dict.fromkeys(_shaped(side, aspect, grid) for aspect in ASPECTS)),
        min_side=max(step, side // 4 // step * step),
        max_side=2 * side,
        side_step=step,
        max_tokens=shape.max_tokens,
        guidance=_GUIDANCE[family],
        features=frozenset(Feature),
    )


def _shaped(side: int, aspect: tuple[int, int], grid: int) -> Size:
    """About ``side`` times ``side`` pixels at ``aspect``, both sides on the ``grid``."""
    across, down = aspect
    scale = side / math.sqrt(across * down)
    return Size(*(max(1, round(part * scale / grid)) * grid for part in aspect))
