"""Everything a session writes: finished pictures and the journal, on a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol

from app.core.errors import Bug, EaselError
from app.core.events import Failed, Finished
from app.core.recipe import Recipe
from app.jobs.events import NotSaved, Saved, SessionEvent
from app.jobs.journal import Journal
from app.jobs.queue import Job

if TYPE_CHECKING:
    from app.library.library import Picture

log = logging.getLogger(__name__)


class Keeps(Protocol):
    """What a session needs of ``library.Library``."""

    def save(self, recipe: Recipe, finished: Finished) -> Picture: ...


@dataclass(frozen=True, slots=True)
class _Save:
    job: Job
    finished: Finished


@dataclass(frozen=True, slots=True)
class _Note:
    """Bring the journal up to date."""


class Saver:
    """``saved`` is called on the saver's thread with a job and the events that end it;

    ``outstanding`` gives the jobs that the journal should hold at this moment.
    """

    def __init__(
        self,
        library: Keeps,
        journal: Journal | None,
        outstanding: Callable[[], tuple[Job, ...]],
        saved: Callable[[Job, tuple[SessionEvent, ...]], None],
    ) -> None:
        self._library = library
        self._journal = journal
        self._outstanding = outstanding
        self._saved = saved
        self._written: tuple[str, ...] | None = None
        """Ids of the jobs in the journal; None: not written yet, or that failed."""
        self._work: SimpleQueue[_Save | _Note | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="easel-saver", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def save(self, job: Job, finished: Finished) -> None:
        self._work.put(_Save(job, finished))

    def note(self) -> None:
        """The outstanding jobs have changed."""
        if self._journal is not None:
            self._work.put(_Note())

    def close(self, seconds: float) -> None:
        """Save what is to be saved, note what is left, and end; waits for at most ``seconds``."""
        self.note()
        self._work.put(None)
        if self._thread is not threading.current_thread():
            self._thread.join(seconds)

    def _run(self) -> None:
        while (what := self._work.get()) is not None:
            if isinstance(what, _Save):
                self._saved(what.job, self._save(what.job, what.finished))
            self._write_journal()

    def _save(self, job: Job, finished: Finished) -> tuple[SessionEvent, ...]:
        try:
            picture = self._library.save(job.recipe, finished)
        except Exception as error:
            known = error if isinstance(error, EaselError) else Bug.of(error)
            pixels, seconds, placement = finished.pixels, finished.seconds, finished.placement
            lost = NotSaved(job, pixels, seconds, placement, known)
            return lost, Failed(job.id, known)
        return (Saved(job, picture, finished.pixels),)

    def _write_journal(self) -> None:
        """A journal that cannot be written is no reason to stop drawing."""
        if self._journal is None:
            return
        jobs = self._outstanding()
        ids = tuple(job.id for job in jobs)
        if ids == self._written:
            return
        try:
            self._journal.write(jobs)
            self._written = ids
        except EaselError as error:
            log.warning("the queue could not be noted: %s", error)
            self._written = None
