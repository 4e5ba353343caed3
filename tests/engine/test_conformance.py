"""The contract, held against the numpy engine; and engines broken on purpose, each found out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.recipe import Recipe, Scheduler, Size
from app.engine.contract import Engine
from tests.engine.broken_engines import IgnoresCancel, ReportsAfterCancel, ReusesSeed
from tests.engine.conformance import CHECKS, Subject, failures
from tests.engine.numpy_engine import make_numpy_engine, numpy_model


def subject(make: Callable[[], Engine], folder: Path) -> Subject:
    model = numpy_model(folder)
    recipe = Recipe("a red apple", model.id, Size(64, 48), 4, 4.0, 1, Scheduler.EULER)
    return Subject(make, model, recipe)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_numpy_engine_keeps_the_contract(
    check: Callable[[Subject], None], tmp_path: Path
) -> None:
    check(subject(make_numpy_engine, tmp_path))


@pytest.mark.parametrize(
    ("broken", "caught_by"),
    [
        (IgnoresCancel, "a_cancel_between_steps_stops_there"),
        (ReusesSeed, "draws_another_picture_from_another_seed"),
        (ReportsAfterCancel, "a_cancel_while_loading_stops_before_the_first_step"),
    ],
)
def test_an_engine_that_breaks_one_promise_is_found_out(
    broken: Callable[[], Engine], caught_by: str, tmp_path: Path
) -> None:
    assert caught_by in failures(subject(broken, tmp_path))


def test_the_numpy_engine_itself_fails_nothing(tmp_path: Path) -> None:
    assert failures(subject(make_numpy_engine, tmp_path)) == set()
