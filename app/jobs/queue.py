"""Which job waits, runs and has ended: a pure state machine of immutable values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from app.core.events import Cancelled, Ending, Failed, JobId
from app.core.model import Model
from app.core.recipe import Recipe


class JobState(StrEnum):
    """Where a job is. The last three are endings."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """One picture that was asked for.

    Jobs of one submit share ``group``; this is number ``index`` (1 to ``of``) of them.
    """

    id: JobId
    recipe: Recipe
    model: Model
    state: JobState
    group: str
    index: int = 1
    of: int = 1


@dataclass(frozen=True, slots=True)
class Queue:
    """Jobs in the order they were asked for; at most one runs. Each method gives a new queue."""

    waiting: tuple[Job, ...] = ()
    running: Job | None = None

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The running job, then the waiting ones."""
        return self.waiting if self.running is None else (self.running, *self.waiting)

    def add(self, jobs: Iterable[Job]) -> Queue:
        """Put ``jobs`` at the end. Raises ValueError for an id that is already in the queue."""
        added = tuple(replace(job, state=JobState.WAITING) for job in jobs)
        ids = [job.id for job in (*self.jobs, *added)]
        if len(set(ids)) != len(ids):
            raise ValueError("a job can be queued only once")
        return replace(self, waiting=(*self.waiting, *added))

    def start_next(self) -> tuple[Queue, Job | None]:
        """Run the first that waits, unless one runs; the job that has now begun, or None."""
        if self.running is not None or not self.waiting:
            return self, None
        job = replace(self.waiting[0], state=JobState.RUNNING)
        return Queue(self.waiting[1:], job), job

    def stop(self, job_id: JobId) -> tuple[Queue, Job | None]:
        """Stop a job: a waiting one leaves at once, the running one is asked to.

        Gives the job in its new state (STOPPED or STOPPING), or None when there was nothing to do.
        """
        for job in self.waiting:
            if job.id == job_id:
                left = tuple(other for other in self.waiting if other.id != job_id)
                return replace(self, waiting=left), replace(job, state=JobState.STOPPED)
        if self.is_running(job_id) and self.running is not None:
            if self.running.state is JobState.STOPPING:
                return self, None
            job = replace(self.running, state=JobState.STOPPING)
            return replace(self, running=job), job
        return self, None

    def end(self, ending: Ending) -> tuple[Queue, Job | None]:
        """The running job has ended; gives it in its last state, or None for a late event.

        A job that was being stopped is STOPPED whatever the engine says.
        """
        if self.running is None or self.running.id != ending.job:
            return self, None
        if isinstance(ending, Cancelled) or self.running.state is JobState.STOPPING:
            state = JobState.STOPPED
        elif isinstance(ending, Failed):
            state = JobState.FAILED
        else:
            state = JobState.DONE
        return replace(self, running=None), replace(self.running, state=state)

    def is_running(self, job_id: JobId) -> bool:
        return self.running is not None and self.running.id == job_id
