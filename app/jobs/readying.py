"""Makes a Core ML model ready on this Mac before it is drawn with: prepared, proven, tried.

The first load on a unit makes macOS compile for minutes; meanwhile other models draw. What is
learned is kept for this build of macOS, and asked for by ``app.jobs.placing``.
"""

from __future__ import annotations

import functools
import resource
import sys
from collections.abc import Callable, Container
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.errors import (
    BadResult,
    EaselError,
    NotFinite,
    PlacementUnavailable,
    PredictionFailed,
    WorldError,
)
from app.core.events import Task
from app.core.model import Model, ModelFormat
from app.core.placement import Placement
from app.core.recipe import Draft
from app.core.resolve import resolve
from app.engine.coreml.trying import STEPS, Trial, Trials, run_trial
from app.engine.coreml.verdicts import Verdict, Verdicts
from app.jobs.engines import CORE_ML, CoreMLHere
from app.jobs.limited_child import Bounds, run_limited
from app.jobs.placing import ByMac
from app.jobs.preparing import prepare_model

if TYPE_CHECKING:
    from app.engine.contract import EngineFactory

TRIAL_S = 600.0
"""Seconds after which a trial is given up: it is for a number, and not needed."""
_PROMPT = "a red apple"
_SEED = 1

Report = Callable[[object], None]
"""Told ``app.engine.coreml.preparing.Preparing`` and ``Trying``."""
IsCancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Need:
    """Where a model is to be prepared. ``again``: it was once, for another build of macOS."""

    placement: Placement
    again: bool


@dataclass(frozen=True, slots=True)
class Trying:
    """A few steps of a picture are drawn, to know how long one takes."""

    placement: Placement


@dataclass(frozen=True, slots=True)
class Readied:
    """A model draws at ``placement`` now. ``trial`` is None where it came to nothing."""

    placement: Placement
    trial: Trial | None


class Readying:
    """``root``: where verdicts and trials are kept. ``wanted`` as in ``placing.ByMac``."""

    def __init__(self, here: CoreMLHere, root: Path, wanted: Callable[[], str]) -> None:
        self._here = here
        self._root = root
        self._placing = ByMac(here.mac, root, wanted)
        self._verdicts = Verdicts(root)
        self._trials = Trials(root)

    def needed(self, model: Model) -> Need | None:
        """None where ``model`` can be drawn with at once, or nowhere with Core ML. Quick."""
        if model.format is not ModelFormat.COREML:
            return None
        place = self._best(model)
        if place is None or self._known(model, place) is not None:
            return None
        before = self._verdicts.latest(Path(model.folder), place)
        return Need(place, before is not None)

    def trial(self, model: Model) -> Trial | None:
        """What drawing with ``model`` took here, on this build of macOS. Quick."""
        if model.format is not ModelFormat.COREML:
            return None
        place = self._best(model)
        build = self._here.mac.build
        return None if place is None else self._trials.read(Path(model.folder), place, build)

    def make_ready(self, model: Model, report: Report, cancelled: IsCancelled) -> Readied | None:
        """Prepare ``model`` at the first placement where it works; blocks. None when stopped.

        Raises what preparing raised at the last placement there is, ModelError, NoSpace,
        FolderNotWritable.
        """
        refused: set[Placement] = set()
        error: EaselError = PlacementUnavailable(CORE_ML[0].value, "the model is not made for it")
        while (place := self._best(model, refused)) is not None:
            # 1. Compiled, loaded, asked a question with a known answer
            verdict = self._prepared(model, place, report, cancelled)
            if verdict is None:
                return None
            if not verdict.works:
                refused.add(place)
                error = verdict.error()
                continue
            # 2. A few steps of a picture
            report(Trying(place))
            try:
                trial = self._tried(model, place, cancelled)
            except (NotFinite, PredictionFailed) as found:
                self._placing.failed(model, place, found)
                refused.add(place)
                error = found
                continue
            except (BadResult, WorldError):  # no word against it: three steps are no picture
                trial = None
            return None if cancelled() else Readied(place, trial)
        raise error

    def _best(self, model: Model, refused: Container[Placement] = ()) -> Placement | None:
        ladder = self._placing.order(model, CORE_ML)
        return next((place for place in ladder if place not in refused), None)

    def _known(self, model: Model, place: Placement) -> Verdict | None:
        return self._verdicts.read(Path(model.folder), place, self._here.mac.build)

    def _prepared(
        self, model: Model, place: Placement, report: Report, cancelled: IsCancelled
    ) -> Verdict | None:
        return prepare_model(
            Path(model.folder),
            place,
            self._here.mac.build,
            self._here.backend,
            self._root,
            report,
            cancelled,
        )

    def _tried(self, model: Model, place: Placement, cancelled: IsCancelled) -> Trial | None:
        """In a child of its own: what it takes in memory is then all the model's."""
        draft = Draft(_PROMPT, steps=max(STEPS, model.limits.min_steps))
        (recipe,) = resolve(draft, model, lambda _: _SEED)
        task = Task("trial", recipe, model, place, previews=False)
        work = functools.partial(_try, self._here.engine, task, self._here.mac.build)
        bounds = Bounds(memory=0, cpu_s=0, wall_s=TRIAL_S, grace_s=0.5)
        trial = run_limited(work, model.folder, bounds, lambda _: None, cancelled)
        if trial is not None:
            self._trials.write(Path(model.folder), trial)
        return trial


def _try(
    make_engine: EngineFactory,
    task: Task,
    os_build: str,
    report: Report,  # noqa: ARG001
    cancelled: IsCancelled,
) -> Trial | None:
    """In the child."""
    engine = make_engine()
    try:
        return run_trial(engine, task, os_build, peak_memory, cancelled)
    finally:
        engine.close()


def peak_memory() -> int:
    """The most bytes of memory that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
