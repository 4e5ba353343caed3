"""Carries reports out and asks whether to stop. Stopping travels as an exception."""

from __future__ import annotations

from app.core.events import JobId, Loading, Progress
from app.engine.contract import IsCancelled, Report


class Stopped(Exception):
    """The task at hand was cancelled: control flow that never leaves the engine."""


class Watch:
    """One task's reports and its cancel; after a cancel was seen nothing is reported any more."""

    def __init__(self, job: JobId, report: Report, cancelled: IsCancelled) -> None:
        self.job = job
        self._report = report
        self._cancelled = cancelled
        self._loading_said = False
        self._drawing = False

    def check(self) -> None:
        """Raise Stopped once the task is cancelled."""
        if self._cancelled():
            raise Stopped

    def report(self, progress: Progress) -> None:
        """Report ``progress``, unless the task is cancelled: then raise Stopped."""
        self.check()
        self._drawing = True
        self._report(progress)

    def loading(self) -> None:
        """Networks are about to be read. Said once, and only before the first step."""
        self.check()
        if not self._loading_said and not self._drawing:
            self._loading_said = True
            self._report(Loading(self.job))
