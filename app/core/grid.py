"""A grid of pictures: one recipe, two of its fields varied against each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from app.core.recipe import Draft, Scheduler

MOST = 100
"""Pictures of one grid."""


class Axis(StrEnum):
    """What is varied; the value is the field's name in ``Draft``."""

    SEED = "seed"
    GUIDANCE = "guidance"
    SCHEDULER = "scheduler"
    STEPS = "steps"


Value = int | float | Scheduler


@dataclass(frozen=True, slots=True)
class Grid:
    """``rows`` are the values of ``down``, ``columns`` those of ``across``; none empty."""

    down: Axis
    rows: tuple[Value, ...]
    across: Axis
    columns: tuple[Value, ...]

    @property
    def count(self) -> int:
        return len(self.rows) * len(self.columns)

    def drafts(self, draft: Draft) -> tuple[Draft, ...]:
        """``draft`` once for each cell, row by row, one picture each."""
        cells: list[dict[str, Any]] = [
            {self.down.value: row, self.across.value: column}
            for row in self.rows
            for column in self.columns
        ]
        return tuple(replace(draft, **cell, count=1) for cell in cells)

    def labels(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The words of the rows and of the columns."""
        return (
            tuple(label(self.down, value) for value in self.rows),
            tuple(label(self.across, value) for value in self.columns),
        )


def label(axis: Axis, value: Value) -> str:
    """ "seed 17", "guidance 7.5", "Euler a", "20 steps"."""
    match axis:
        case Axis.SCHEDULER:
            return str(value)
        case Axis.STEPS:
            return f"{value} steps" if value != 1 else "1 step"
        case _:
            return (
                f"{axis.value} {value:g}" if isinstance(value, float) else f"{axis.value} {value}"
            )
