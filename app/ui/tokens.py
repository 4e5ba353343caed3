"""The colours, distances and sizes of the window. Plain values: no Qt here."""

from __future__ import annotations

from typing import NamedTuple


class Tokens(NamedTuple):
    """One colour scheme, as "#rrggbb".

    ``faint`` is the quietest colour that may carry words; ``ghost`` is quieter and never does
    (outlines of what is absent, switched-off icons). ``link`` is the accent where it is words.
    """

    dark: bool
    window: str
    surface: str
    sunken: str
    canvas: str
    line: str
    text: str
    dim: str
    faint: str
    ghost: str
    accent: str
    accent_lit: str
    on_accent: str
    soft: str
    link: str
    good: str
    warn: str
    bad: str


LIGHT = Tokens(
    dark=False,
    window="#F5F3F0",
    surface="#FFFFFF",
    sunken="#ECE9E4",
    canvas="#E7E3DD",
    line="#DEDAD3",
    text="#1E1B18",
    dim="#635D57",
    faint="#6B655F",
    ghost="#A09A92",
    accent="#BE4923",
    accent_lit="#CB522A",
    on_accent="#FFFFFF",
    soft="#F7E6DE",
    link="#A93F1D",
    good="#33704A",
    warn="#855200",
    bad="#A6261B",
)

DARK = Tokens(
    dark=True,
    window="#1D1B1A",
    surface="#282624",
    sunken="#161514",
    canvas="#131211",
    line="#3B3835",
    text="#F3F0EC",
    dim="#A8A29B",
    faint="#948E87",
    ghost="#736E68",
    accent="#EE7B4F",
    accent_lit="#F68B61",
    on_accent="#241007",
    soft="#3A2A22",
    link="#EE7B4F",
    good="#7CC492",
    warn="#E3B264",
    bad="#F08A7D",
)

HALO = 3
"""Pixels around every control for its focus halo; part of the control's own size."""

RADIUS = 8.0
CARD_RADIUS = 12.0
PICTURE_RADIUS = 6.0

CONTROL = 30
ACTION = 34
TOOLBAR = 52
INSPECTOR = 288
THUMBNAIL = 84


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two "#rrggbb" colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
