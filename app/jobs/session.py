"""The one thing a window or a command talks to: drafts in, events out, pictures on the disk."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING

from app.core.errors import EaselError, EngineDied, EngineUnresponsive
from app.core.events import (
    Cancelled,
    Decoding,
    Ending,
    Failed,
    Finished,
    JobId,
    Loading,
    PartlyUsed,
    Stepped,
    Task,
)
from app.core.model import Model, ModelFormat
from app.core.placement import Placement
from app.core.recipe import Draft
from app.core.resolve import resolve
from app.jobs.events import (
    EngineChanged,
    EngineState,
    Listener,
    Queued,
    Retrying,
    SessionEvent,
    Snapshot,
    Started,
)
from app.jobs.host import Died, Host, HostEvent, Ready, Starting
from app.jobs.journal import Journal
from app.jobs.ladder import Ladder
from app.jobs.outbox import Outbox
from app.jobs.placing import AsOffered, Placing
from app.jobs.queue import Job, JobState, Queue
from app.jobs.saver import Keeps, Saver

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Keeps", "Session"]

DEATHS_IN_A_ROW = 2
"""After so many jobs have taken the engine down, the ones that wait are not tried."""

SAVING_TIME = 30.0
"""Seconds ``close`` waits for pictures that are on their way to the disk."""


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
        placing: Placing | None = None,
        previews: bool = True,
    ) -> None:
        self._host = host
        self._placing = placing or AsOffered()
        self._models = models
        self._journal = None if journal is None else Journal(journal)
        self.previews = previews
        """Whether what is drawn from now on is shown on its way; may be changed."""
        self._saver = Saver(library, self._journal, self._outstanding, self._on_saved)
        self._outbox = Outbox()
        if listener is not None:
            self._outbox.listen(listener)

        self._lock = threading.RLock()
        self._queue = Queue()
        self._ladder: Ladder | None = None
        """Where the running job stands; None: not handed to the host yet."""
        self._left_ladder: tuple[Ladder, EaselError] | None = None
        """The ladder the running job has come to the end of, and why, while it waits for the
        engine of its model's twin."""
        self._saving: tuple[Job, ...] = ()
        self._left: tuple[Job, ...] | None = None
        """Jobs of last time that nobody has decided about; None: not read yet."""
        self._engine = EngineState.DOWN
        self._placements: dict[ModelFormat, tuple[Placement, ...]] = {}
        self._deaths = 0
        self._begun = self._closed = False

    # What may be asked.

    def warm_up(self, model: Model | None = None) -> None:
        """Start the engine, and let it read ``model``'s networks, before they are needed.

        While there are jobs only the engine is started: theirs are the networks it needs.
        """
        with self._lock:
            self._begin()
            self._host.warm(None if self._queue.jobs else model)

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
                self._outbox.put(Cancelled(job_id))
                self._saver.note()
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
                self._queue.jobs, self._queue.running, self._saving, self._engine, self._known()
            )

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell ``listener`` every event from now on; call what is returned to end that."""
        return self._outbox.listen(listener)

    def restore(self) -> tuple[Job, ...]:
        """Jobs that had not ended when the app last did; ``resume`` or ``forget`` them."""
        with self._lock:
            if self._left is None:

                @cache
                def known() -> dict[str, Model]:  # nothing left, nothing read
                    return {model.id: model for model in self._models()}

                journal = self._journal
                self._left = journal.read(lambda id: known().get(id)) if journal else ()
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
            self._saver.note()

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
        if begun:
            self._saver.close(SAVING_TIME)
            self._outbox.close(SAVING_TIME)

    # What happens inside; all of it with the lock held.

    def _begin(self) -> None:
        if self._closed:
            raise RuntimeError("the session is closed")
        if self._begun:
            return
        self._begun = True
        self.restore()
        self._outbox.start()
        self._saver.start()
        self._host.start(self._on_host_event)

    def _enqueue(self, jobs: Iterable[Job]) -> None:
        with self._lock:
            self._begin()
            self._queue = self._queue.add(jobs)
            for job in jobs:
                self._outbox.put(Queued(job))
            self._saver.note()
            self._start_next()

    def _start_next(self) -> None:
        self._queue, job = self._queue.start_next()
        if job is not None:
            self._ladder = self._left_ladder = None
            self._outbox.put(Started(job))
            self._hand_over()

    def _hand_over(self) -> None:
        """Give the running job to the host; where placements are unknown, wait for ``Ready``."""
        job, way = self._queue.running, self._way()
        if job is None or way is None or self._ladder is not None:
            return
        model, placements = way
        if not placements:
            self._host.warm(model)
            return
        if self._left_ladder is None:
            self._ladder = Ladder(model, placements)
        else:
            left, error = self._left_ladder
            self._ladder, self._left_ladder = left.below(placements, error), None
            self._outbox.put(Retrying(job, left.placement, placements[0], error))
        self._draw(job, self._ladder)

    def _way(self) -> tuple[Model, tuple[Placement, ...]] | None:
        """What the running job is drawn with next, and where; () while its engine is not known.

        That is the model's twin where no placement of its own engine has worked on this system.
        """
        model = self._queue.running.model if self._queue.running else None
        if self._left_ladder is not None:
            model = self._left_ladder[0].model.twin
        if model is None:
            return None
        offered = self._placements.get(model.format, ())
        placements = self._placing.order(model, offered) if offered else ()
        if offered and not placements and model.twin is not None:
            model = model.twin
            offered = self._placements.get(model.format, ())
            placements = self._placing.order(model, offered) if offered else ()
        return model, placements or offered

    def _draw(self, job: Job, ladder: Ladder) -> None:
        task = Task(job.id, job.recipe, ladder.model, ladder.placement, self.previews)
        self._host.draw(task)

    def _on_host_event(self, event: HostEvent) -> None:
        with self._lock:
            if self._closed:
                return
            match event:
                case Starting():
                    self._engine_is(EngineState.STARTING)
                case Ready(placements, format):
                    self._placements[format] = placements
                    self._engine_is(EngineState.READY)
                    self._hand_over()
                case Died(_, error, format):
                    self._engine_is(EngineState.DOWN, error)
                    way = self._way() if self._ladder is None else None
                    if way and way[0].format is format and self._queue.running is not None:
                        self._ended(Failed(self._queue.running.id, error))
                case Loading() | PartlyUsed() | Stepped() | Decoding():
                    running = self._queue.running
                    if running and running.id == event.job and running.state is JobState.RUNNING:
                        self._outbox.put(event)
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
                    self._placing.failed(ladder.model, before, ending.error)
                    self._outbox.put(Retrying(running, before, after, ending.error))
                    self._draw(running, further)
                    return
                if ladder.twin(ending.error) is not None:
                    self._placing.failed(ladder.model, ladder.placement, ending.error)
                    self._ladder, self._left_ladder = None, (ladder, ending.error)
                    self._hand_over()
                    return
            if self._left_ladder is not None:  # the twin's engine could not be made
                left, error = self._left_ladder
                ending = Failed(ending.job, left.verdict(error))
            elif ladder is not None:
                ending = Failed(ending.job, ladder.verdict(ending.error))
        # 2. The end of this job
        self._queue, job = self._queue.end(ending)
        if job is None:
            return
        if job.state is JobState.STOPPED:
            self._outbox.put(Cancelled(job.id))
        elif isinstance(ending, Failed):
            self._outbox.put(ending)
        elif isinstance(ending, Finished):
            self._saving = (*self._saving, job)
            self._saver.save(job, ending)
        # 3. The next
        self._count_deaths(ending)
        self._saver.note()
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
                self._outbox.put(Failed(job.id, ending.error))

    def _engine_is(self, state: EngineState, error: EaselError | None = None) -> None:
        self._engine = state
        self._outbox.put(EngineChanged(state, self._known(), error))

    def _known(self) -> tuple[Placement, ...]:
        """Every placement of the engines that have been ready, best first."""
        return tuple(place for places in self._placements.values() for place in places)

    # What the saver asks and says, on its thread.

    def _outstanding(self) -> tuple[Job, ...]:
        with self._lock:
            return (*(self._left or ()), *self._saving, *self._queue.jobs)

    def _on_saved(self, job: Job, told: tuple[SessionEvent, ...]) -> None:
        with self._lock:
            self._saving = tuple(other for other in self._saving if other.id != job.id)
            for event in told:
                self._outbox.put(event)


def _new_id() -> JobId:
    return secrets.token_hex(16)
