"""How far a conversion is, and how long it still takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.convert.coreml.converting import Converting, Stage
from app.convert.importing import Stopped

SECONDS: dict[Stage, tuple[float, float]] = {
    Stage.CHECKING: (0.5, 0.0),
    Stage.LOADING: (0.5, 0.006),
    Stage.PALETTIZING: (0.2, 0.02),
    Stage.ANSWERING: (0.5, 0.06),
    Stage.CONVERTING: (4.0, 0.06),
    Stage.STORING: (2.0, 0.06),
    Stage.MERGING: (2.0, 0.04),
    Stage.PROVING: (0.5, 0.01),
}
"""Seconds that a stage takes once, and for each million of weights. Full-size SD 1.5 on two cores
of 2023; only their proportions matter once the work has begun."""
PALETTE_S = 0.3
"""Seconds that finding a tensor's palette takes."""


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of one part, over ``millions`` of weights in ``layers`` tensors."""

    stage: Stage
    part: str
    millions: float = 0.0
    layers: int = 0

    @property
    def seconds(self) -> float:
        """Reference seconds."""
        once, each = SECONDS[self.stage]
        return once + each * self.millions + PALETTE_S * self.layers


class Pace:
    """Counts reference seconds against the clock; reports, and raises Stopped when asked to."""

    def __init__(
        self,
        steps: Iterable[Step],
        report: Callable[[Converting], None],
        cancelled: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._waiting = list(steps)
        self._total = sum(step.seconds for step in self._waiting)
        self._report, self._cancelled, self._clock = report, cancelled, clock
        self._start, self._done, self._within = clock(), 0.0, 0.0
        self._current: Step | None = None

    def begin(self, stage: Stage, part: str) -> None:
        """The step before is done; this one, the next that was planned for it, begins."""
        self.look()
        self._done += self._current.seconds if self._current else 0.0
        self._within = 0.0
        self._current = next(
            step for step in self._waiting if (step.stage, step.part) == (stage, part)
        )
        self._waiting.remove(self._current)
        self._say()

    def share(self, share: float) -> None:
        """``share`` (0 to 1) of the current step is done."""
        self.look()
        self._within = min(max(share, self._within), 1.0)
        self._say()

    def finish(self) -> None:
        """All is done."""
        self._done, self._within = self._total, 0.0
        self._say()

    def look(self) -> None:
        """Raises Stopped when the person said so."""
        if self._cancelled():
            raise Stopped

    def _say(self) -> None:
        current = self._current
        assert current is not None  # something has begun
        elapsed = self._clock() - self._start
        done = min(self._done + self._within * current.seconds, self._total)
        rate = elapsed / done if done > 0.02 * self._total else 1.0
        left = (self._total - done) * rate
        self._report(Converting(current.stage, current.part, done, self._total, elapsed, left))
