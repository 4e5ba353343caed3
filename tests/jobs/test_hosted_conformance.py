"""The engines' own suite, through both hosts: a host changes nothing an engine promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core.model import ModelFormat
from app.core.recipe import Recipe, Scheduler, Size
from app.engine.contract import EngineFactory
from app.jobs.child_host import ChildHost
from app.jobs.host import Host
from app.jobs.hosts import Hosts
from app.jobs.thread_host import ThreadHost
from tests.engine.conformance import CHECKS, Subject
from tests.engine.numpy_engine import make_numpy_engine, numpy_model
from tests.jobs.hosted_engine import HostedEngine

HOSTS: dict[str, Callable[[EngineFactory], Host]] = {
    "thread": ThreadHost,
    "child": ChildHost,
    "alone": lambda make_engine: Hosts({ModelFormat.DIFFUSERS: ThreadHost(make_engine)}),
}


@pytest.fixture(params=HOSTS)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    model = numpy_model(tmp_path)
    recipe = Recipe("a red apple", model.id, Size(64, 48), 4, 4.0, 1, Scheduler.EULER)
    engines: list[HostedEngine] = []

    def make() -> HostedEngine:
        engines.append(HostedEngine(lambda: HOSTS[request.param](make_numpy_engine)))
        return engines[-1]

    yield Subject(make, model, recipe)
    for engine in engines:
        engine.close()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_an_engine_in_a_host_keeps_the_contract(
    check: Callable[[Subject], None], subject: Subject
) -> None:
    check(subject)
