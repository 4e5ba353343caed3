"""What a bench found: numbers, a target, and whether it is met."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.bench.statistics import Estimate, is_met, median_of, ratio_of


class Kind(StrEnum):
    """How a finding is judged against its target."""

    RATIO = "ratio"  # ours / peer, at most the target
    VALUE = "value"  # our own number, at most the target
    SHARE = "share"  # a share in [0, 1], at least the target
    CHECK = "check"  # 1 holds, 0 does not


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    ``ours`` and ``peer`` hold one number a run, in ``unit``; ``peer`` is empty where there is
    none. ``estimate`` is given where the interval comes from elsewhere (shares).
    """

    bench: str
    name: str
    kind: Kind
    unit: str
    ours: tuple[float, ...] = ()
    peer: tuple[float, ...] = ()
    target: float | None = None
    estimate: Estimate | None = None
    note: str = ""

    @property
    def judged(self) -> Estimate | None:
        """The number that is held against the target; None when only one side was measured."""
        if self.estimate is not None:
            return self.estimate
        if self.kind is Kind.RATIO:
            return ratio_of(self.ours, self.peer) if self.ours and self.peer else None
        return median_of(self.ours) if self.ours else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none, or nothing to hold against it."""
        judged = self.judged
        if self.target is None or judged is None:
            return None
        if self.kind is Kind.RATIO:
            return is_met(judged, self.target)
        if self.kind is Kind.VALUE:
            return is_met(judged, self.target, relative=True)
        return judged.value >= self.target
