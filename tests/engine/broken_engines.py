"""Engines broken on purpose: each breaks one promise of the contract."""

from __future__ import annotations

from app.core.events import Cancelled, Decoding, Finished, Task
from app.engine.contract import IsCancelled, Report
from tests.engine.numpy_engine import NumpyEngine


class IgnoresCancel(NumpyEngine):
    """Draws to the end whatever is asked."""

    def draw(self, task: Task, report: Report, cancelled: IsCancelled) -> Finished | Cancelled:
        del cancelled
        return super().draw(task, report, lambda: False)


class ReusesSeed(NumpyEngine):
    """Goes on with the seed of its first picture."""

    _first: int | None = None

    def draw(self, task: Task, report: Report, cancelled: IsCancelled) -> Finished | Cancelled:
        from dataclasses import replace

        if self._first is None:
            self._first = task.recipe.seed
        stuck = replace(task, recipe=replace(task.recipe, seed=self._first))
        return super().draw(stuck, report, cancelled)


class ReportsAfterCancel(NumpyEngine):
    """Stops when asked, and then has one more thing to say."""

    def draw(self, task: Task, report: Report, cancelled: IsCancelled) -> Finished | Cancelled:
        ending = super().draw(task, report, cancelled)
        if isinstance(ending, Cancelled):
            report(Decoding(task.job))
        return ending
