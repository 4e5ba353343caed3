"""The one thing a window or a command talks to: drafts in, events out, pictures on the disk."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol

from app.core.errors import Bug, EaselError, EngineDied, EngineUnresponsive
from app.core.events import (
    Cancelled,
    Decoding,
    Ending,
    Failed,
    Finished,
    JobId,
    Loading,
    Stepped,
    Task,
)
from app.core.model import Model
from app.core.placement import Placement
from app.core.recipe import Draft, Recipe
from app.core.resolve import resolve
from app.jobs.events import (
    EngineChanged,
    EngineState,
    Listener,
    NotSaved,
    Queued,
    Retrying,
    Saved,
    SessionEvent,
    Snapshot,
    Started,
)
from app.jobs.host import Died, Host, HostEvent, Ready, Starting
from app.jobs.journal import Journal
from app.jobs.ladder import Ladder
from app.jobs.queue import Job, JobState, Queue

if TYPE_CHECKING:
    from pathlib import Path

    from app.library.library import Picture

log = logging.getLogger(__name__)

DEATHS_IN_A_ROW = 2
"""After so many jobs have taken the engine down, the ones that wait are not tried."""

SAVING_TIME = 30.0
"""Seconds ``close`` waits for pictures that are on their way to the disk."""


class Keeps(Protocol):
    """What a session needs of ``library.Library``."""

    def save(self, recipe: Recipe, finished: Finished) -> Picture: ...


@dataclass(frozen=True, slots=True)
class _Save:
    job: Job
    finished: Finished


@dataclass(frozen=True, slots=True)
class _Journal:
    """Bring the journal up to date."""


class Session:
    """Draws what is submitted, one picture after the other, and saves each as it is finished.

    Methods may be called from any thread and return at once, except ``close``. Events reach the
    listeners in order, on a thread of the session: a listener must pass them on, not work there.
    A picture is saved while the next is drawn, so that ``Saved`` of one job may come after
    ``Started`` of the next. Nothing starts before ``warm_up`` or the first ``submit``.
    """

    def __init__(
        self,
        host: Host,
        library: Keeps,
        models: Callable[[], tuple[Model, ...]],
        journal: Path | None = None,
        listener: Listener | None = None,
        *,
        previews: bool = True,
    ) -> None:
        self._host = host
        self._library = library
        self._models = models
        self._journal = None if journal is None else Journal(journal)
        self._listeners: tuple[Listener, ...] = () if listener is None else (listener,)
        self._previews = previews

        self._lock = threading.RLock()
        self._queue = Queue()
        self._ladder: Ladder | None = None
        """Where the running job stands; None: not handed to the host yet."""
        self._saving: tuple[Job, ...] = ()
        self._left: tuple[Job, ...] | None = None
        """Jobs of last time that nobody has decided about; None: not read yet."""
        self._engine = EngineState.DOWN
        self._placements: tuple[Placement, ...] = ()
        self._deaths = 0
        self._begun = self._closed = False

        self._outbox: SimpleQueue[SessionEvent | None] = SimpleQueue()
        self._disk: SimpleQueue[_Save | _Journal | None] = SimpleQueue()
        self._threads = (
            threading.Thread(target=self._deliver, name="easel-events", daemon=True),
            threading.Thread(target=self._keep, name="easel-saver", daemon=True),
        )

    # What may be asked.

    def warm_up(self, model: Model | None = None) -> None:
        """Start the engine, and let it read ``model``'s networks, before they are needed."""
        with self._lock:
            self._begin()
            self._host.warm(model)

    def models(self) -> tuple[Model, ...]:
        """The models that can be drawn with, the first of them the one to offer."""
        return self._models()

    def submit(self, draft: Draft, model: Model) -> tuple[Job, ...]:
        """Queue one job a picture. Raises RecipeProblem, and then nothing is queued."""
        recipes = resolve(draft, model)
        group = _new_id()
        jobs = tuple(
            Job(_new_id(), recipe, model, JobState.WAITING, group, index, len(recipes))
            for index, recipe in enumerate(recipes, 1)
        )
        self._enqueue(jobs)
        return jobs

    def stop(self, job_id: JobId) -> None:
        """Stop a job that waits or runs; ``Cancelled`` tells when it has. Others are ignored."""
        with self._lock:
            self._queue, job = self._queue.stop(job_id)
            if job is None or self._closed:
                return
            if job.state is JobState.STOPPED:
                self._tell(Cancelled(job_id))
                self._note()
            elif self._ladder is None:
                self._ended(Cancelled(job_id))
            else:
                self._host.cancel(job_id)

    def stop_all(self) -> None:
        """Stop the running job and all that wait."""
        with self._lock:
            for job in reversed(self._queue.jobs):
                self.stop(job.id)

    def snapshot(self) -> Snapshot:
        """The session now. It may be ahead of the events that have been heard."""
        with self._lock:
            return Snapshot(
                self._queue.jobs, self._queue.running, self._saving, self._engine, self._placements
            )

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell ``listener`` every event from now on; call what is returned to end that."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def end() -> None:
            with self._lock:
                self._listeners = tuple(x for x in self._listeners if x is not listener)

        return end

    def restore(self) -> tuple[Job, ...]:
        """Jobs that had not ended when the app last did; ``resume`` or ``forget`` them."""
        with self._lock:
            if self._left is None:
                known = {model.id: model for model in self._models()} if self._journal else {}
                self._left = self._journal.read(known.get) if self._journal else ()
            return self._left

    def resume(self) -> tuple[Job, ...]:
        """Queue the jobs of last time again."""
        with self._lock:
            jobs = self.restore()
            self._left = ()
            if jobs:
                self._enqueue(jobs)
            return jobs

    def forget(self) -> None:
        """Drop the jobs of last time."""
        with self._lock:
            self.restore()
            self._left = ()
            self._begin()
            self._note()

    def close(self) -> None:
        """Stop the engine and wait, for a bounded time, for pictures that are being saved.

        Jobs that have not ended stay in the journal and get no ending now. Idempotent.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            begun = self._begun
        self._host.close()
        if not begun:
            return
        self._disk.put(_Journal())
        self._disk.put(None)
        self._join(self._threads[1], SAVING_TIME)
        self._outbox.put(None)
        self._join(self._threads[0], SAVING_TIME)

    # What happens inside; all of it with the lock held, except the two threads' loops.

    def _begin(self) -> None:
        if self._closed:
            raise RuntimeError("the session is closed")
        if self._begun:
            return
        self._begun = True
        self.restore()
        for thread in self._threads:
            thread.start()
        self._host.start(self._on_host_event)

    def _enqueue(self, jobs: Iterable[Job]) -> None:
        with self._lock:
            self._begin()
            self._queue = self._queue.add(jobs)
            for job in jobs:
                self._tell(Queued(job))
            self._note()
            self._start_next()

    def _start_next(self) -> None:
        self._queue, job = self._queue.start_next()
        if job is not None:
            self._ladder = None
            self._tell(Started(job))
            self._hand_over()

    def _hand_over(self) -> None:
        """Give the running job to the host; where placements are unknown, wait for ``Ready``."""
        job = self._queue.running
        if job is None or self._ladder is not None:
            return
        if self._placements:
            self._ladder = Ladder(self._placements)
            self._draw(job, self._ladder.placement)
        elif self._engine is EngineState.DOWN:
            self._host.warm()

    def _draw(self, job: Job, placement: Placement) -> None:
        self._host.draw(Task(job.id, job.recipe, job.model, placement, self._previews))

    def _on_host_event(self, event: HostEvent) -> None:
        with self._lock:
            if self._closed:
                return
            match event:
                case Starting():
                    self._engine_is(EngineState.STARTING)
                case Ready(placements):
                    self._placements = placements
                    self._engine_is(EngineState.READY)
                    self._hand_over()
                case Died(_, error):
                    self._engine_is(EngineState.DOWN, error)
                    if self._queue.running is not None and self._ladder is None:
                        self._ended(Failed(self._queue.running.id, error))
                case Loading() | Stepped() | Decoding():
                    running = self._queue.running
                    if running and running.id == event.job and running.state is JobState.RUNNING:
                        self._tell(event)
                case Finished() | Cancelled() | Failed():
                    if self._queue.is_running(event.job):
                        self._ended(event)

    def _ended(self, ending: Ending) -> None:
        """The running job's engine is done with it: try elsewhere, or end it and go on."""
        # 1. Another placement?
        running, ladder = self._queue.running, self._ladder
        if isinstance(ending, Failed):
            if ladder is not None and running is not None and running.state is JobState.RUNNING:
                further = ladder.after(ending.error)
                if further is not None:
                    self._ladder = further
                    before, after = ladder.placement, further.placement
                    self._tell(Retrying(running, before, after, ending.error))
                    self._draw(running, after)
                    return
            if ladder is not None:
                ending = Failed(ending.job, ladder.verdict(ending.error))
        # 2. The end of this job
        self._queue, job = self._queue.end(ending)
        if job is None:
            return
        if job.state is JobState.STOPPED:
            self._tell(Cancelled(job.id))
        elif isinstance(ending, Failed):
            self._tell(ending)
        elif isinstance(ending, Finished):
            self._saving = (*self._saving, job)
            self._disk.put(_Save(job, ending))
        # 3. The next
        self._count_deaths(ending)
        self._note()
        self._start_next()

    def _count_deaths(self, ending: Ending) -> None:
        """An engine that dies of every job must not be started for a hundred of them."""
        if isinstance(ending, Finished):
            self._deaths = 0
        elif isinstance(ending, Failed) and isinstance(
            ending.error, EngineDied | EngineUnresponsive
        ):
            self._deaths += 1
        if isinstance(ending, Failed) and self._deaths >= DEATHS_IN_A_ROW:
            self._deaths = 0
            waiting, self._queue = self._queue.waiting, Queue(running=self._queue.running)
            for job in waiting:
                self._tell(Failed(job.id, ending.error))

    def _engine_is(self, state: EngineState, error: EaselError | None = None) -> None:
        self._engine = state
        self._tell(EngineChanged(state, self._placements, error))

    def _tell(self, event: SessionEvent) -> None:
        self._outbox.put(event)

    def _note(self) -> None:
        if self._journal is not None:
            self._disk.put(_Journal())

    # The two threads.

    def _deliver(self) -> None:
        while (event := self._outbox.get()) is not None:
            for listener in self._listeners:
                try:
                    listener(event)
                except Exception:
                    log.exception("a listener failed")

    def _keep(self) -> None:
        written: tuple[Job, ...] | None = None
        while (what := self._disk.get()) is not None:
            if isinstance(what, _Save):
                self._save(what.job, what.finished)
            written = self._write_journal(written)

    def _save(self, job: Job, finished: Finished) -> None:
        told: tuple[SessionEvent, ...]
        try:
            picture = self._library.save(job.recipe, finished)
            told = (Saved(job, picture, finished.pixels),)
        except Exception as error:
            known = error if isinstance(error, EaselError) else Bug.of(error)
            pixels, seconds, placement = finished.pixels, finished.seconds, finished.placement
            told = (NotSaved(job, pixels, seconds, placement, known), Failed(job.id, known))
        with self._lock:
            self._saving = tuple(other for other in self._saving if other.id != job.id)
            for event in told:
                self._tell(event)

    def _write_journal(self, written: tuple[Job, ...] | None) -> tuple[Job, ...] | None:
        """Write what has not ended, unless ``written`` says it already; what is now in the file."""
        if self._journal is None:
            return None
        with self._lock:
            jobs = (*(self._left or ()), *self._saving, *self._queue.jobs)
        if written is not None and [job.id for job in jobs] == [job.id for job in written]:
            return written
        try:
            self._journal.write(jobs)
        except OSError as error:
            log.warning("the queue could not be noted: %s", error)
            return None
        return jobs

    @staticmethod
    def _join(thread: threading.Thread, seconds: float) -> None:
        if thread is not threading.current_thread():
            thread.join(seconds)


def _new_id() -> JobId:
    return uuid.uuid4().hex
