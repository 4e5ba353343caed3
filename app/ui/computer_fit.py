"""How well a model fits this computer, judged by the memory that drawing with it takes."""

from __future__ import annotations

import os
from enum import Enum
from typing import NamedTuple

GIB = 2**30
_EASY = 0.6
"""Of the computer's memory: with more than that, other programs are put aside and all is slow."""
_MOST = 0.9
_SIZES = (8, 16, 24, 32, 48, 64, 96, 128)
"""What computers are sold with, in GB."""


class Grade(Enum):
    """Its value is the token that colours the words."""

    WELL = "good"
    SLOW = "warn"
    NOT = "bad"


class Fit(NamedTuple):
    """The grade, and the words for it."""

    grade: Grade
    text: str


def computer_memory() -> int:
    """The bytes of memory this computer has; 0 where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0


def fit(needed: int, here: int) -> Fit | None:
    """How a model that takes ``needed`` bytes does with ``here``; None where one is not known."""
    if needed <= 0 or here <= 0:
        return None
    if needed <= _EASY * here:
        return Fit(Grade.WELL, "Runs well here")
    if needed <= _MOST * here:
        return Fit(Grade.SLOW, "Slow here")
    enough = next((size for size in _SIZES if needed <= _EASY * size * GIB), _SIZES[-1])
    return Fit(Grade.NOT, f"Needs {enough} GB of memory")
