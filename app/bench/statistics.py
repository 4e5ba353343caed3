"""Medians, their bootstrap intervals, and when a target counts as met."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

RESAMPLES = 4000
CONFIDENCE = 0.95
SLACK = 0.02
"""How far the interval's upper end may lie over a target that still counts as met."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A median and the two ends of its bootstrap interval."""

    value: float
    low: float
    high: float


def median_of(values: Sequence[float]) -> Estimate:
    """The median of ``values`` with its percentile bootstrap interval (Efron 1979).

    The same values give the same interval. One value is its own interval. Raises ValueError when
    there is none.
    """
    return bootstrap(values, statistics.median)


def ratio_of(ours: Sequence[float], peer: Sequence[float]) -> Estimate:
    """The median of the pairwise ratios ours/peer: pairs share the state the machine was in.

    Raises ValueError when there are not as many of one as of the other, or a peer's is not
    positive.
    """
    if any(value <= 0 for value in peer):
        raise ValueError("a peer's number is not positive: no ratio")
    return median_of([a / b for a, b in zip(ours, peer, strict=True)])


def bootstrap(values: Sequence[float], statistic: Callable[[Sequence[float]], float]) -> Estimate:
    """``statistic`` of ``values`` with its percentile bootstrap interval."""
    if not values:
        raise ValueError("nothing was measured")
    draw = random.Random(len(values))
    found = sorted(
        statistic(draw.choices(values, k=len(values)))
        for _ in range(RESAMPLES if len(values) > 1 else 1)
    )
    tail = (1.0 - CONFIDENCE) / 2.0
    low = found[int(tail * (len(found) - 1))]
    high = found[round((1.0 - tail) * (len(found) - 1))]
    return Estimate(statistic(values), low, high)


def proportion_of(hits: int, tries: int) -> Estimate:
    """A share in [0, 1] with its Wilson 95 % interval (Wilson 1927)."""
    if not 0 <= hits <= tries or tries == 0:
        raise ValueError(f"{hits} of {tries} is no share")
    z = statistics.NormalDist().inv_cdf((1.0 + CONFIDENCE) / 2.0)
    share = hits / tries
    scale = 1.0 + z * z / tries
    centre = (share + z * z / (2 * tries)) / scale
    half = z * ((share * (1 - share) + z * z / (4 * tries)) / tries) ** 0.5 / scale
    return Estimate(share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def is_met(estimate: Estimate, target: float, *, relative: bool = False) -> bool:
    """Whether the interval's upper end is at most ``SLACK`` over ``target``.

    ``relative`` takes the slack as a share of the target: for milliseconds and megabytes, where
    0.02 would mean nothing.
    """
    slack = SLACK * target if relative else SLACK
    return estimate.high <= target + slack + 1e-12
