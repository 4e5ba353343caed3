"""Prepares a Core ML model in a child that is ended when macOS does not come back.

The verdict is kept either way: a hang, a crash and a wrong answer are remembered for this build of
macOS, so that nothing waits for them twice.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.errors import ImportRefused
from app.core.placement import Placement
from app.engine.coreml.verdicts import HALF, MEMORY, Verdict, Verdicts
from app.jobs.limited_child import Bounds, run_limited

if TYPE_CHECKING:  # numpy comes with them, and is for the child
    from app.engine.coreml.backend import BackendFactory
    from app.engine.coreml.preparing import Preparing

STAGE_S = 900.0
"""Seconds without a word after which macOS is taken to hang. First loads of 5 minutes are real."""

Report = Callable[["Preparing"], None]
IsCancelled = Callable[[], bool]


def prepare_model(
    folder: Path,
    placement: Placement,
    os_build: str,
    factory: BackendFactory,
    root: Path,
    report: Report,
    cancelled: IsCancelled,
    *,
    stage_s: float = STAGE_S,
    memory: int = 0,
) -> Verdict | None:
    """The verdict on ``folder`` at ``placement``, kept below ``root``; None when it was stopped.

    Returns at once what is known for this OS build. Blocks otherwise; events go to ``report`` in
    this thread. ``memory``: address space for the child, in bytes, 0 for no limit. Raises what
    ``prepare`` raises, and Bug.
    """
    verdicts = Verdicts(root)
    known = verdicts.read(folder, placement, os_build)
    if known is not None:
        return known
    watch = _Watch(stage_s, report, cancelled)
    work = functools.partial(_work, folder, placement, os_build, factory, root)
    bounds = Bounds(memory=memory, cpu_s=0, wall_s=float("inf"), grace_s=0.5)
    try:
        verdict = run_limited(work, str(folder), bounds, watch.report, watch.over)
    except ImportRefused as death:
        verdict = watch.failed(placement, os_build, _DEATHS[death.reason])
    finally:
        _sweep(verdicts.answers(folder))
    if verdict is None and watch.hung:
        verdict = watch.failed(placement, os_build, "hang")
    if verdict is not None and verdict.reason != MEMORY:  # that may be otherwise next time
        verdicts.write(folder, verdict)
    return verdict


_DEATHS = {"too much memory": MEMORY, "damaged": "crash", "too slow": "hang"}
"""What it means here that a child died as it did."""


def _sweep(answers: Path) -> None:
    """Take away what a child left that was ended while it wrote."""
    for half in answers.glob(f"*{HALF}"):
        half.unlink(missing_ok=True)


def _work(
    folder: Path,
    placement: Placement,
    os_build: str,
    factory: BackendFactory,
    root: Path,
    report: Callable[[object], None],
    cancelled: IsCancelled,
) -> Verdict | None:
    """In the child."""
    from app.engine.coreml.preparing import prepare

    return prepare(folder, placement, os_build, factory(), Verdicts(root), report, cancelled)


@dataclass
class _Watch:
    """Looks at how long the child has said nothing. Importing and starting count as well."""

    stage_s: float
    tell: Report
    cancelled: IsCancelled
    hung: bool = False
    part: str = ""
    _since: float = field(default_factory=time.monotonic)

    def report(self, event: Preparing) -> None:
        self._since, self.part = time.monotonic(), event.part.value
        self.tell(event)

    def over(self) -> bool:
        if self.cancelled():
            return True
        self.hung = time.monotonic() - self._since > self.stage_s
        return self.hung

    def failed(self, placement: Placement, os_build: str, reason: str) -> Verdict:
        return Verdict(placement, os_build, (), self.part, reason)
