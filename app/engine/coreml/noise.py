"""The noise of a seed: the very numbers that torch's CPU generator gives.

Both draw 32-bit words from MT19937 (Matsumoto and Nishimura 1998) and make normal numbers of them
by Box and Muller's method (1958). numpy's legacy generator has the same seeding and words; how
torch turns them into numbers is described in its DistributionTemplates.h and repeated here.
"""

from __future__ import annotations

import math

import numpy as np

from app.engine.coreml.runtime import Array

_BLOCK = 16
"""torch fills arrays of at least this many numbers in blocks of this many."""


class Noise:
    """One picture's generator. ``seed`` in [0, 2**32).

    ``normal(shape)`` equals ``torch.randn(shape, generator=g)`` for
    ``g = torch.Generator("cpu").manual_seed(seed)``, draw after draw: to 5e-7 where torch has its
    AVX2 kernel, to 2.5e-6 elsewhere (measured; its own kernels differ by as much).
    """

    def __init__(self, seed: int) -> None:
        self._words = np.random.RandomState(seed)
        self._kept: float | None = None

    def normal(self, shape: tuple[int, ...]) -> Array:
        """Independent standard normal numbers, float32 of ``shape``."""
        count = math.prod(shape)
        numbers = self._many(count) if count >= _BLOCK else self._few(count)
        return numbers.reshape(shape)

    def _many(self, count: int) -> Array:
        """Blocks of 16: eight cosines, then the eight sines of the same pairs.

        A count that is no multiple of 16 gets its last 16 numbers anew, from 16 more words.
        """
        numbers = self._uniform24(count)
        whole = count - count % _BLOCK
        numbers[:whole] = _normal_blocks(numbers[:whole])
        if whole < count:
            numbers[-_BLOCK:] = _normal_blocks(self._uniform24(_BLOCK))
        return numbers

    def _few(self, count: int) -> Array:
        """One number at a time, in double precision; the sine of a pair is kept for the next."""
        return np.array([self._single() for _ in range(count)], np.float32)

    def _single(self) -> float:
        if self._kept is not None:
            number, self._kept = self._kept, None
            return number
        angle, length = self._uniform53(), self._uniform53()
        radius = math.sqrt(-2.0 * math.log1p(-length))
        self._kept = radius * math.sin(2.0 * math.pi * angle)
        return radius * math.cos(2.0 * math.pi * angle)

    def _uniform24(self, count: int) -> Array:
        """Uniform numbers in [0, 1) from the low 24 bits of one word each."""
        words = self._words.randint(0, 2**32, count, np.uint32)
        return (words & 0xFFFFFF).astype(np.float32) * np.float32(2.0**-24)

    def _uniform53(self) -> float:
        """A uniform number in [0, 1) from the low 53 bits of two words, the high one first."""
        high, low = (int(word) for word in self._words.randint(0, 2**32, 2, np.uint32))
        return ((high << 32 | low) & (2**53 - 1)) * 2.0**-53


def _normal_blocks(uniform: Array) -> Array:
    """In float32 throughout, as torch has it: doubles would differ from it five times as much."""
    lengths, angles = np.moveaxis(uniform.reshape(-1, 2, _BLOCK // 2), 1, 0)
    radius = np.sqrt(np.float32(-2) * np.log(np.float32(1) - lengths))
    angle = np.float32(2 * math.pi) * angles
    return np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=1).reshape(-1)
