"""The queue ends every job once, runs one at a time, and drops what comes late."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from app.core.errors import BlackResult
from app.core.events import Cancelled, Ending, Failed, Finished, Pixels
from app.core.placement import Placement
from app.jobs.queue import JobState, Queue
from tests.jobs.recipes import job

ENDED = {JobState.DONE, JobState.STOPPED, JobState.FAILED}
IDS = st.integers(0, 30).map(str)


def finished(id: str) -> Finished:
    return Finished(id, Pixels(1, 1, b"abc"), Placement.CPU, 1.0)


def ending(kind: str, id: str) -> Ending:
    if kind == "finished":
        return finished(id)
    return Cancelled(id) if kind == "cancelled" else Failed(id, BlackResult())


class QueueMachine(RuleBasedStateMachine):
    """Any calls in any order, with ids known, unknown, waiting, running and long ended."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = Queue()
        self.added: list[str] = []
        self.started: list[str] = []
        self.ended: dict[str, JobState] = {}

    @rule(count=st.integers(1, 3))
    def add(self, count: int) -> None:
        jobs = [job(str(len(self.added) + i)) for i in range(count)]
        self.queue = self.queue.add(jobs)
        self.added += [j.id for j in jobs]

    @rule()
    def start_next(self) -> None:
        was_running = self.queue.running
        self.queue, begun = self.queue.start_next()
        if begun is not None:
            assert was_running is None
            assert begun.state is JobState.RUNNING
            self.started.append(begun.id)

    @rule(id=IDS)
    def stop(self, id: str) -> None:
        self.queue, stopped = self.queue.stop(id)
        if stopped is not None and stopped.state is JobState.STOPPED:
            self.end_once(id, stopped.state)

    @rule(id=IDS, kind=st.sampled_from(["finished", "cancelled", "failed"]))
    def end(self, id: str, kind: str) -> None:
        running = self.queue.running
        self.queue, ended = self.queue.end(ending(kind, id))
        if ended is None:
            assert running is None or running.id != id
            return
        assert running is not None
        if running.state is JobState.STOPPING:
            assert ended.state is JobState.STOPPED
        self.end_once(id, ended.state)

    def end_once(self, id: str, state: JobState) -> None:
        assert id not in self.ended
        assert state in ENDED
        self.ended[id] = state

    @invariant()
    def each_job_waits_runs_or_has_ended(self) -> None:
        here = [j.id for j in self.queue.jobs]
        assert sorted([*here, *self.ended]) == sorted(self.added)

    @invariant()
    def jobs_start_in_the_order_they_were_added(self) -> None:
        assert self.started == sorted(self.started, key=self.added.index)


TestQueue = QueueMachine.TestCase


@given(st.lists(IDS, min_size=2, max_size=5).filter(lambda ids: len(set(ids)) < len(ids)))
def test_a_job_can_be_queued_only_once(ids: list[str]) -> None:
    with pytest.raises(ValueError, match="only once"):
        Queue().add(job(id) for id in ids)


def test_a_job_that_was_being_stopped_is_stopped_even_when_its_picture_came() -> None:
    queue, _ = Queue().add([job("1")]).start_next()
    queue, stopping = queue.stop("1")
    assert stopping is not None
    assert stopping.state is JobState.STOPPING
    queue, ended = queue.end(finished("1"))
    assert ended is not None
    assert ended.state is JobState.STOPPED
    assert queue == Queue()


def test_a_second_stop_of_the_running_job_does_nothing() -> None:
    queue, _ = Queue().add([job("1")]).start_next()
    queue, _ = queue.stop("1")
    assert queue.stop("1") == (queue, None)
