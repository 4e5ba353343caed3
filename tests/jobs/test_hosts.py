"""What both hosts promise, held with real threads and real spawned processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core.errors import BlackResult, Bug, ModelMissing, OutOfMemory
from app.core.events import Cancelled, Failed, Finished, Loading, Stepped
from app.core.model import Model
from app.core.placement import Placement
from app.engine.contract import EngineFactory
from app.jobs.child_host import ChildHost
from app.jobs.host import Died, Host, Ready, Starting
from app.jobs.thread_host import ThreadHost
from tests.engine.numpy_engine import (
    make_numpy_engine,
    make_slow_numpy_engine,
    numpy_model,
)
from tests.jobs.engines import make_misbehaving, make_none, make_warming
from tests.jobs.hearing import Heard, endings
from tests.jobs.recipes import task

Start = Callable[[EngineFactory], tuple[Host, Heard]]


@pytest.fixture(params=[ThreadHost, ChildHost])
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    """Starts a host with an engine, and closes it after the test."""
    hosts: list[Host] = []

    def start(make_engine: EngineFactory) -> tuple[Host, Heard]:
        host: Host = request.param(make_engine)
        hosts.append(host)
        heard = Heard()
        host.start(heard)
        return host, heard

    yield start
    for host in hosts:
        host.close()


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return numpy_model(tmp_path)


def test_a_task_is_drawn_and_told_in_order(start: Start, model: Model) -> None:
    host, heard = start(make_numpy_engine)
    drawn = task(model, steps=3)
    host.draw(drawn)
    assert isinstance(heard.ending(drawn.job), Finished)
    assert heard.events[:2] == [Starting(), Ready((Placement.CPU,))]
    names = [type(event).__name__ for event in heard.of(drawn.job)]
    assert names == ["Loading", "Stepped", "Stepped", "Stepped", "Decoding", "Finished"]


def test_the_same_task_gives_the_same_bytes_in_a_thread_and_in_a_child(
    start: Start, model: Model
) -> None:
    host, heard = start(make_numpy_engine)
    drawn = task(model)
    host.draw(drawn)
    found = heard.ending(drawn.job)
    here = make_numpy_engine().draw(drawn, lambda _: None, lambda: False)
    assert isinstance(here, Finished)
    assert found.pixels == here.pixels


def test_a_cancel_while_loading_ends_the_job(start: Start, model: Model) -> None:
    host, heard = start(make_slow_numpy_engine)
    drawn = task(model)
    host.draw(drawn)
    heard.wait(Loading)
    host.cancel(drawn.job)
    assert heard.ending(drawn.job) == Cancelled(drawn.job)
    assert not any(isinstance(event, Stepped) for event in heard.events)


def test_a_cancel_between_steps_ends_the_job_and_the_next_is_drawn(
    start: Start, model: Model
) -> None:
    host, heard = start(make_slow_numpy_engine)
    long, next_one = task(model, steps=150), task(model, steps=1)
    host.draw(long)
    heard.wait(Stepped)
    host.cancel(long.job)
    assert heard.ending(long.job) == Cancelled(long.job)
    host.draw(next_one)
    assert isinstance(heard.ending(next_one.job), Finished)
    assert sorted(endings(heard.events)) == sorted([long.job, next_one.job])  # type: ignore[type-var]


def test_a_cancel_before_the_engine_is_there_ends_the_job(start: Start, model: Model) -> None:
    host, heard = start(make_numpy_engine)
    drawn = task(model)
    host.draw(drawn)
    host.cancel(drawn.job)
    assert heard.ending(drawn.job) == Cancelled(drawn.job)
    assert endings(heard.events) == [drawn.job]


def test_a_cancel_of_another_job_changes_nothing(start: Start, model: Model) -> None:
    host, heard = start(make_numpy_engine)
    drawn = task(model)
    host.cancel("nobody")
    host.draw(drawn)
    host.cancel("nobody")
    assert isinstance(heard.ending(drawn.job), Finished)
    host.cancel(drawn.job)


def test_a_typed_error_of_the_engine_arrives_as_it_was_raised(start: Start) -> None:
    host, heard = start(make_numpy_engine)
    drawn = task(numpy_model(Path("/nowhere/at/all")))
    host.draw(drawn)
    assert heard.ending(drawn.job) == Failed(drawn.job, ModelMissing("/nowhere/at/all"))


@pytest.mark.parametrize("prompt", ["typo", "leave"])
def test_an_exception_nobody_expected_is_a_bug_and_the_engine_goes_on(
    start: Start, model: Model, prompt: str
) -> None:
    host, heard = start(make_misbehaving)
    wrong, right = task(model, prompt), task(model)
    host.draw(wrong)
    ending = heard.ending(wrong.job)
    assert isinstance(ending, Failed)
    assert isinstance(ending.error, Bug)
    assert "tests/jobs/engines.py" in ending.error.traceback
    host.draw(right)
    assert isinstance(heard.ending(right.job), Finished)


def test_python_out_of_memory_is_named_so(start: Start, model: Model) -> None:
    host, heard = start(make_misbehaving)
    drawn = task(model, "memory")
    host.draw(drawn)
    assert heard.ending(drawn.job) == Failed(drawn.job, OutOfMemory())


def test_an_engine_that_cannot_be_made_says_why_and_is_tried_again_when_asked(
    start: Start, model: Model
) -> None:
    host, heard = start(make_none)
    assert heard.wait(Died).error == BlackResult()
    for _ in range(2):
        drawn = task(model)
        host.draw(drawn)
        assert heard.ending(drawn.job) == Failed(drawn.job, BlackResult())
    assert sum(event == Starting() for event in heard.events) >= 3


def test_one_task_at_a_time(start: Start, model: Model) -> None:
    host, heard = start(make_slow_numpy_engine)
    first, second = task(model), task(model)
    host.draw(first)
    with pytest.raises(RuntimeError, match="another task"):
        host.draw(second)
    assert isinstance(heard.ending(first.job), Finished)
    assert heard.of(second.job) == []


def test_networks_are_read_ahead_where_the_engine_can(start: Start, model: Model) -> None:
    host, heard = start(make_warming)
    host.warm(model)
    drawn = task(model)
    host.draw(drawn)
    heard.ending(drawn.job)
    assert (Path(model.folder) / "warmed").read_text() == Placement.CPU.value


def test_warming_an_engine_that_cannot_read_ahead_is_no_error(start: Start, model: Model) -> None:
    host, heard = start(make_numpy_engine)
    host.warm(model)
    drawn = task(model)
    host.draw(drawn)
    assert isinstance(heard.ending(drawn.job), Finished)


def test_nothing_is_heard_after_close_and_nothing_can_be_asked(start: Start, model: Model) -> None:
    host, heard = start(make_slow_numpy_engine)
    drawn = task(model, steps=150)
    host.draw(drawn)
    heard.wait(Stepped)
    host.close()
    known = len(heard.events)
    host.close()
    host.cancel(drawn.job)
    with pytest.raises(RuntimeError):
        host.draw(task(model))
    with pytest.raises(RuntimeError):
        host.warm()
    assert len(heard.events) == known


@pytest.mark.parametrize("kind", [ThreadHost, ChildHost])
def test_a_host_that_never_started_refuses_work_and_closes(
    kind: Callable[[EngineFactory], Host], model: Model
) -> None:
    host = kind(make_numpy_engine)
    with pytest.raises(RuntimeError):
        host.draw(task(model))
    host.close()
    with pytest.raises(RuntimeError):
        host.start(Heard())


def test_a_host_starts_once(start: Start) -> None:
    host, _ = start(make_numpy_engine)
    with pytest.raises(RuntimeError):
        host.start(Heard())
