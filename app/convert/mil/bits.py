"""Elements of less than a byte, as weight files and palettized constants pack them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Bytes = np.ndarray[Any, np.dtype[np.uint8]]


def packed_size(bits: int, count: int) -> int:
    """Bytes that ``count`` elements of ``bits`` take."""
    return -(-bits * count // 8)


def unpack(packed: Bytes, bits: int, count: int) -> Bytes:
    """``count`` unsigned elements of ``bits`` (1 to 8) from ``packed_size(bits, count)`` bytes.

    The first element is in the lowest bits of the first byte; one that is split over two bytes
    has its low bits in the earlier one.
    """
    if bits == 8:
        return packed[:count]
    # 1. The pattern repeats after a whole number of bytes and of elements
    period = math.lcm(bits, 8)
    width, elements = period // 8, period // bits
    groups = -(-count // elements)
    padded = np.zeros(groups * width, np.uint8)
    padded[: packed.size] = packed
    rows = padded.reshape(groups, width)
    # 2. The k-th element of each group lies at the same place
    unpacked = np.empty((groups, elements), np.uint8)
    mask = np.uint8((1 << bits) - 1)
    for k in range(elements):
        byte, shift = divmod(k * bits, 8)
        column = rows[:, byte] >> np.uint8(shift)
        if shift + bits > 8:
            column = column | (rows[:, byte + 1] << np.uint8(8 - shift))
        unpacked[:, k] = column & mask
    return unpacked.reshape(-1)[:count]


def as_signed(unpacked: Bytes, bits: int) -> np.ndarray[Any, np.dtype[np.int8]]:
    """The same elements read as two's complement of ``bits``."""
    half = 1 << (bits - 1)
    return ((unpacked ^ np.uint8(half)).astype(np.int16) - half).astype(np.int8)
