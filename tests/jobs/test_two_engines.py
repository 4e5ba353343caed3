"""Two engines, one session: each draws models of its format, and one takes over from the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.errors import BlackResult, EngineDied, NotFinite, OutOfMemory
from app.core.events import Cancelled, Failed
from app.core.model import Model, ModelFormat
from app.core.placement import Placement
from app.core.recipe import Draft
from app.engine.contract import EngineFactory
from app.jobs.child_host import ChildHost
from app.jobs.events import EngineChanged, EngineState, Retrying, Saved
from app.jobs.hosts import Hosts
from app.jobs.session import Session
from app.jobs.thread_host import ThreadHost
from app.library.library import Library
from tests.engine.numpy_engine import make_numpy_engine, make_slow_numpy_engine, numpy_model
from tests.jobs.engines import (
    make_crash,
    make_misbehaving,
    make_none,
    make_two_placements,
)
from tests.jobs.hearing import Heard

Open = Callable[..., tuple[Session, Heard]]


@pytest.fixture
def plain(tmp_path: Path) -> Model:
    return numpy_model(tmp_path)


@pytest.fixture
def coreml(plain: Model) -> Model:
    return replace(plain, id="as core ml", format=ModelFormat.COREML, twin=plain)


@pytest.fixture
def open_session(tmp_path: Path, plain: Model, coreml: Model) -> Iterator[Open]:
    sessions: list[Session] = []

    def open_session(
        first: EngineFactory, second: EngineFactory = make_numpy_engine
    ) -> tuple[Session, Heard]:
        heard = Heard()
        hosts = Hosts(
            {ModelFormat.COREML: ThreadHost(first), ModelFormat.DIFFUSERS: ChildHost(second)}
        )
        keeps = Library(tmp_path / "pictures", tmp_path / "fallback")
        sessions.append(Session(hosts, keeps, lambda: (coreml, plain), None, heard))
        return sessions[-1], heard

    yield open_session
    for session in sessions:
        session.close()


def test_each_draws_its_own(open_session: Open, coreml: Model, plain: Model) -> None:
    session, heard = open_session(make_numpy_engine)
    (one,) = session.submit(Draft("a red apple", seed=3), coreml)
    (other,) = session.submit(Draft("a red apple", seed=3), plain)
    first, second = heard.ending(one.id), heard.ending(other.id)
    assert isinstance(first, Saved)
    assert isinstance(second, Saved)
    assert first.pixels == second.pixels


def test_an_engine_that_nothing_needs_is_not_started(open_session: Open, coreml: Model) -> None:
    session, heard = open_session(make_numpy_engine, make_none)
    (job,) = session.submit(Draft("a red apple"), coreml)
    assert isinstance(heard.ending(job.id), Saved)
    states = [event.state for event in heard.events if isinstance(event, EngineChanged)]
    assert states == [EngineState.STARTING, EngineState.READY]


def test_the_twin_finishes_the_same_recipe_and_seed(
    open_session: Open, coreml: Model, plain: Model
) -> None:
    session, heard = open_session(make_misbehaving)
    (job,) = session.submit(Draft("black cat", seed=5), coreml)
    saved = heard.ending(job.id)
    assert isinstance(saved, Saved)
    assert saved.picture.recipe == job.recipe
    retrying = heard.wait(Retrying)
    assert (retrying.error, retrying.after) == (BlackResult(), Placement.CPU)
    (again,) = session.submit(Draft("black cat", seed=5), plain)
    assert heard.ending(again.id).pixels == saved.pixels


def test_a_twin_that_fails_too_is_told_by_the_first_error(
    open_session: Open, coreml: Model
) -> None:
    session, heard = open_session(make_two_placements, make_two_placements)
    (job,) = session.submit(Draft("everywhere"), coreml)
    assert heard.ending(job.id) == Failed(job.id, NotFinite("decoding"))
    assert len([event for event in heard.events if isinstance(event, Retrying)]) == 3


def test_a_twin_whose_engine_cannot_be_made(open_session: Open, coreml: Model) -> None:
    session, heard = open_session(make_misbehaving, make_crash)
    (job,) = session.submit(Draft("black cat"), coreml)
    assert heard.ending(job.id) == Failed(job.id, BlackResult())
    assert heard.wait(EngineChanged, lambda e: e.error is not None).error == EngineDied(-9)
    (after,) = session.submit(Draft("a red apple"), coreml)
    assert isinstance(heard.ending(after.id), Saved)


def test_a_model_without_a_twin_fails(open_session: Open, coreml: Model) -> None:
    session, heard = open_session(make_misbehaving)
    (job,) = session.submit(Draft("black cat"), replace(coreml, twin=None))
    assert heard.ending(job.id) == Failed(job.id, BlackResult())
    assert not [event for event in heard.events if isinstance(event, Retrying)]


def test_all_rungs_of_the_first_engine_come_before_the_twin(
    open_session: Open, coreml: Model
) -> None:
    session, heard = open_session(make_two_placements)
    (job,) = session.submit(Draft("everywhere"), coreml)
    assert isinstance(heard.ending(job.id), Saved)
    steps = [(e.before, e.after, e.error) for e in heard.events if isinstance(e, Retrying)]
    assert steps == [
        (Placement.CUDA, Placement.CPU, NotFinite("decoding")),
        (Placement.CPU, Placement.CPU, OutOfMemory(2, 1)),
    ]


def test_stop_while_the_twins_engine_is_being_made(open_session: Open, coreml: Model) -> None:
    session, heard = open_session(make_misbehaving)
    (job,) = session.submit(Draft("black cat"), coreml)
    heard.wait(EngineChanged, lambda e: e.state is EngineState.STARTING and bool(e.placements))
    session.stop(job.id)
    ending = heard.ending(job.id)
    assert isinstance(ending, Cancelled | Saved)  # it may have been quicker
    (after,) = session.submit(Draft("a red apple"), coreml)
    assert isinstance(heard.ending(after.id), Saved)


def test_stop_while_the_twin_draws(open_session: Open, coreml: Model) -> None:
    session, heard = open_session(make_misbehaving, make_slow_numpy_engine)
    (job,) = session.submit(Draft("black cat"), coreml)
    heard.wait(Retrying)
    session.stop(job.id)
    assert heard.ending(job.id) == Cancelled(job.id)
