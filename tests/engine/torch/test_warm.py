"""Networks read ahead of a draw: there when it comes, and never in its way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.core.errors import ModelMissing
from app.core.events import Finished, Loading, Progress, Task
from app.core.model import Model
from app.core.placement import Placement
from app.core.recipe import Recipe, Scheduler, Size
from app.engine.torch.engine import TorchEngine
from app.jobs.work import Warms
from tests.engine.conftest import TinyModel


@pytest.fixture
def engine() -> Iterator[TorchEngine]:
    engine = TorchEngine("resident")
    yield engine
    engine.close()


def drawn(engine: TorchEngine, model: Model) -> tuple[list[Progress], Finished]:
    recipe = Recipe("a red apple", model.id, Size(64, 64), 2, 4.0, 1, Scheduler.EULER)
    told: list[Progress] = []
    ending = engine.draw(Task("job", recipe, model, Placement.CPU), told.append, lambda: False)
    assert isinstance(ending, Finished)
    return told, ending


def test_a_warm_engine_has_nothing_to_load_and_draws_the_same(
    engine: TorchEngine, tiny_model: TinyModel
) -> None:
    assert isinstance(engine, Warms)
    model = tiny_model("starter")
    told, cold = drawn(engine, model)
    assert any(isinstance(progress, Loading) for progress in told)
    warm = TorchEngine("resident")
    warm.warm(model, Placement.CPU, lambda: False)
    told, ending = drawn(warm, model)
    warm.close()
    assert not any(isinstance(progress, Loading) for progress in told)
    assert ending.pixels == cold.pixels


def test_warming_that_is_no_longer_wanted_reads_nothing(
    engine: TorchEngine, tiny_model: TinyModel
) -> None:
    model = tiny_model("starter")
    engine.warm(model, Placement.CPU, lambda: True)
    told, _ = drawn(engine, model)
    assert any(isinstance(progress, Loading) for progress in told)


def test_a_missing_model_is_named_and_the_engine_goes_on(
    engine: TorchEngine, tiny_model: TinyModel
) -> None:
    model = tiny_model("starter")
    with pytest.raises(ModelMissing):
        engine.warm(replace(model, folder="/nowhere"), Placement.CPU, lambda: False)
    drawn(engine, model)
