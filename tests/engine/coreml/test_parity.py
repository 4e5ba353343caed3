"""The Core ML engine draws what the torch engine draws: same recipe, same seed, same picture.

Behind it are the stock torch modules (``torch_runtime``), so that what is compared is everything
but the networks: tokens, noise, schedulers, guidance, latents, masks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from app.core.events import Finished, Task
from app.core.model import Model
from app.core.placement import Placement
from app.core.recipe import Recipe, Scheduler, Size, Start
from app.engine.contract import Engine
from app.engine.coreml.engine import CoreMLEngine
from app.engine.torch.engine import TorchEngine
from tests.engine.conftest import TinyModel
from tests.engine.coreml.conftest import TinyCoreML
from tests.engine.coreml.torch_runtime import TorchRuntime

FAMILIES = ("sd1", "sd2", "sdxl", "starter")
LEAST_DB = 60.0
"""A level of 255 in single pixels. Another seed is at 15 dB, other negative words at 27 or more."""

KINDS = [
    pytest.param(kind, marks=() if kind == "starter" else pytest.mark.slow) for kind in FAMILIES
]


@pytest.fixture(scope="module")
def stock() -> Iterator[TorchEngine]:
    engine = TorchEngine(dtype=torch.float32)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def ours() -> Iterator[CoreMLEngine]:
    engine = CoreMLEngine(TorchRuntime(), (Placement.CPU,))
    yield engine
    engine.close()


def drawn(engine: Engine, recipe: Recipe, model: Model) -> np.ndarray:
    ending = engine.draw(Task("job", recipe, model, Placement.CPU), lambda _: None, lambda: False)
    assert isinstance(ending, Finished)
    return np.frombuffer(ending.pixels.rgb, np.uint8).astype(float)


def decibels(one: np.ndarray, other: np.ndarray) -> float:
    """Peak signal to noise of two pictures in levels of 255; 99 for the same."""
    error = float(((one - other) ** 2).mean())
    return 99.0 if error == 0 else 10 * np.log10(255**2 / error)


def recipe_for(model: Model, **changed: object) -> Recipe:
    recipe = Recipe(
        "a red apple on the blue house", model.id, Size(64, 64), 5, 5.0, 7, Scheduler.DDIM
    )
    return replace(recipe, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize("scheduler", Scheduler)
@pytest.mark.parametrize("kind", KINDS)
def test_each_family_is_drawn_the_same_with_each_scheduler(
    kind: str,
    scheduler: Scheduler,
    stock: TorchEngine,
    ours: CoreMLEngine,
    tiny_model: TinyModel,
    tiny_coreml: TinyCoreML,
) -> None:
    recipe = recipe_for(tiny_model(kind), scheduler=scheduler, negative_prompt="the dog")
    wanted = drawn(stock, recipe, tiny_model(kind))
    assert decibels(drawn(ours, recipe, tiny_coreml(kind)), wanted) > LEAST_DB


@pytest.mark.parametrize("scheduler", Scheduler)
@pytest.mark.parametrize("strength", [0.01, 0.6, 1.0])
def test_a_starting_picture_is_drawn_over_the_same(
    scheduler: Scheduler,
    strength: float,
    start: Start,
    stock: TorchEngine,
    ours: CoreMLEngine,
    tiny_model: TinyModel,
    tiny_coreml: TinyCoreML,
) -> None:
    begun = replace(start, strength=strength, mask=None, mask_sha256=None)
    recipe = recipe_for(tiny_model("starter"), scheduler=scheduler, start=begun)
    wanted = drawn(stock, recipe, tiny_model("starter"))
    assert decibels(drawn(ours, recipe, tiny_coreml("starter")), wanted) > LEAST_DB


@pytest.mark.parametrize("scheduler", Scheduler)
def test_a_mask_keeps_the_same(
    scheduler: Scheduler,
    start: Start,
    stock: TorchEngine,
    ours: CoreMLEngine,
    tiny_model: TinyModel,
    tiny_coreml: TinyCoreML,
) -> None:
    recipe = recipe_for(tiny_model("starter"), scheduler=scheduler, start=start)
    wanted = drawn(stock, recipe, tiny_model("starter"))
    assert decibels(drawn(ours, recipe, tiny_coreml("starter")), wanted) > LEAST_DB


@pytest.mark.parametrize("kind", FAMILIES)
def test_every_family_starts_from_a_picture_and_keeps_by_a_mask(
    kind: str,
    start: Start,
    stock: TorchEngine,
    ours: CoreMLEngine,
    tiny_model: TinyModel,
    tiny_coreml: TinyCoreML,
) -> None:
    recipe = recipe_for(tiny_model(kind), scheduler=Scheduler.EULER_A, start=start)
    wanted = drawn(stock, recipe, tiny_model(kind))
    assert decibels(drawn(ours, recipe, tiny_coreml(kind)), wanted) > LEAST_DB


@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize(
    "changed",
    [
        {"guidance": 1.0},
        {"size": Size(64, 96)},
        {"prompt": "x " * 200},
        {"prompt": "Ünïcödé 日本 🐘"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_other_recipes_are_drawn_the_same(
    kind: str,
    changed: dict[str, object],
    stock: TorchEngine,
    ours: CoreMLEngine,
    tiny_model: TinyModel,
    tiny_coreml: TinyCoreML,
) -> None:
    recipe = recipe_for(tiny_model(kind), **changed)
    wanted = drawn(stock, recipe, tiny_model(kind))
    assert decibels(drawn(ours, recipe, tiny_coreml(kind)), wanted) > LEAST_DB


@pytest.mark.parametrize("guidance", [1.0, 5.0])
@pytest.mark.parametrize("batches", [(1,), (2,)])
def test_guidance_takes_one_prediction_of_two_or_two_of_one(
    batches: tuple[int, ...],
    guidance: float,
    stock: TorchEngine,
    tiny_model: TinyModel,
    tiny_coreml: TinyCoreML,
) -> None:
    runtime = TorchRuntime()
    engine = CoreMLEngine(runtime, (Placement.CPU,))
    recipe = recipe_for(tiny_model("sd1"), guidance=guidance)
    found = drawn(engine, recipe, tiny_coreml("sd1", batches))
    engine.close()
    assert decibels(found, drawn(stock, recipe, tiny_model("sd1"))) > LEAST_DB
    taken = [batch for part, batch in runtime.predictions if part == "unet"]
    sides = 2 if guidance > 1 else 1
    assert taken == [batches[0]] * (recipe.steps * max(1, sides // batches[0]))
