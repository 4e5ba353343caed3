"""Is a message signed by the holder of a key? Ed25519, as RFC 8032 (5.1) has it, in plain Python.

A few milliseconds a signature. It is no place for a secret: how long it takes depends on the
numbers. Easel only verifies; whoever signs does so on a machine of their own.
"""

from __future__ import annotations

import hashlib

Point = tuple[int, int, int, int]
"""Extended homogeneous coordinates X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z."""

_P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
"""A square root of -1."""


def is_signed(message: bytes, signature: bytes, key: bytes) -> bool:
    """Whether ``signature`` (64 bytes) of ``message`` is by the public ``key`` (32 bytes)."""
    if len(signature) != 64 or len(key) != 32:
        return False
    holder, nonce = decode(key), decode(signature[:32])
    factor = int.from_bytes(signature[32:], "little")
    if holder is None or nonce is None or factor >= ORDER:
        return False
    challenge = scalar(signature[:32] + key + message)
    return _same(multiply(BASE, factor), _add(nonce, multiply(holder, challenge)))


def scalar(data: bytes) -> int:
    """The SHA-512 of ``data`` as a number below the order of the group."""
    return int.from_bytes(hashlib.sha512(data).digest(), "little") % ORDER


def multiply(point: Point, times: int) -> Point:
    """``point`` added to itself ``times`` times."""
    total = (0, 1, 1, 0)
    while times:
        if times & 1:
            total = _add(total, point)
        point = _add(point, point)
        times >>= 1
    return total


def encode(point: Point) -> bytes:
    """The 32 bytes of ``point``: y, and the lowest bit of x in the highest place."""
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode(data: bytes) -> Point | None:
    """The point of those 32 bytes; None when there is none."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


def _add(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = 2 * one[3] * other[3] * _D % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _same(one: Point, other: Point) -> bool:
    return all((one[i] * other[2] - other[i] * one[2]) % _P == 0 for i in (0, 1))


def _base() -> Point:
    found = decode((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))
    assert found is not None  # the curve's own
    return found


BASE = _base()
