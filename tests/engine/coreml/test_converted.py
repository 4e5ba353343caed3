"""End to end with real packages: converted, run op by op from their bytes, drawn by our engine.

Nothing of torch's engine is behind these pictures: the interpreter reads the .mlpackage files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from app.convert.coreml.converting import ConversionOptions, convert_model
from app.convert.mil.runtime import InterpretedRuntime
from app.core.model import Model
from app.core.placement import Placement
from app.core.recipe import Scheduler, Size, Start
from app.engine.coreml.engine import CoreMLEngine
from app.engine.coreml.model import read_coreml_model
from app.engine.torch.engine import TorchEngine
from tests.engine.conformance import CHECKS, Subject
from tests.engine.conftest import TinyModel
from tests.engine.coreml.test_parity import decibels, drawn, recipe_for

pytestmark = pytest.mark.slow

LEAST_DB = 45.0
"""Half precision in networks of random weights, after a handful of steps; measured: 56 to 60."""

SIDES = {"starter": 128, "sd1": 256, "sd2": 256, "sdxl": 256}


@pytest.fixture(scope="module")
def converted(
    tiny_folder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Model]:
    """A tiny model as the converter makes it; the starter's UNet takes one or two at a time."""
    root = tmp_path_factory.mktemp("converted")

    def convert(kind: str) -> Model:
        target = root / kind
        if not target.is_dir():
            size = Size(SIDES[kind], SIDES[kind])
            batches = (1, 2) if kind == "starter" else (2,)
            sizes = () if kind == "starter" else (size,)
            options = ConversionOptions(bits=16, sizes=sizes, batches=batches)
            convert_model(tiny_folder(kind), target, options, lambda _: None, lambda: False)
        return read_coreml_model(target)

    return convert


@pytest.fixture(scope="module")
def stock() -> Iterator[TorchEngine]:
    engine = TorchEngine(dtype=torch.float32)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def ours() -> Iterator[CoreMLEngine]:
    engine = CoreMLEngine(InterpretedRuntime(), (Placement.CPU,))
    yield engine
    engine.close()


def compared(
    kind: str,
    stock: TorchEngine,
    ours: CoreMLEngine,
    tiny_model: TinyModel,
    converted: Callable[[str], Model],
    **changed: object,
) -> float:
    size = Size(SIDES[kind], SIDES[kind])
    recipe = recipe_for(tiny_model(kind), size=size, negative_prompt="the dog", **changed)
    return decibels(drawn(ours, recipe, converted(kind)), drawn(stock, recipe, tiny_model(kind)))


@pytest.mark.parametrize("scheduler", Scheduler)
def test_the_starter_is_drawn_the_same_with_each_scheduler(
    scheduler: Scheduler,
    stock: TorchEngine,
    ours: CoreMLEngine,
    tiny_model: TinyModel,
    converted: Callable[[str], Model],
) -> None:
    found = compared("starter", stock, ours, tiny_model, converted, scheduler=scheduler)
    assert found > LEAST_DB


@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
def test_a_starting_picture_is_drawn_over_the_same(
    masked: bool,
    start: Start,
    stock: TorchEngine,
    ours: CoreMLEngine,
    tiny_model: TinyModel,
    converted: Callable[[str], Model],
) -> None:
    begun = start if masked else replace(start, mask=None, mask_sha256=None)
    changed = {"scheduler": Scheduler.EULER, "start": begun}
    assert compared("starter", stock, ours, tiny_model, converted, **changed) > LEAST_DB


def test_one_at_a_time_is_drawn_where_nothing_guides(
    stock: TorchEngine,
    ours: CoreMLEngine,
    tiny_model: TinyModel,
    converted: Callable[[str], Model],
) -> None:
    assert compared("starter", stock, ours, tiny_model, converted, guidance=1.0) > LEAST_DB


@pytest.mark.parametrize("kind", ["sd1", "sd2", "sdxl"])
def test_each_family_is_drawn_the_same(
    kind: str,
    stock: TorchEngine,
    ours: CoreMLEngine,
    tiny_model: TinyModel,
    converted: Callable[[str], Model],
) -> None:
    for scheduler in (Scheduler.DPMPP_2M_KARRAS, Scheduler.EULER_A):
        found = compared(kind, stock, ours, tiny_model, converted, scheduler=scheduler)
        assert found > LEAST_DB, scheduler


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_interpreted_engine_keeps_the_contract(
    check: Callable[[Subject], None], converted: Callable[[str], Model]
) -> None:
    model = converted("starter")
    recipe = recipe_for(model, size=model.limits.native, scheduler=Scheduler.EULER, steps=3)
    check(Subject(lambda: CoreMLEngine(InterpretedRuntime(), (Placement.CPU,)), model, recipe))


def test_one_weight_changed_in_the_file_changes_the_picture(
    ours: CoreMLEngine, converted: Callable[[str], Model]
) -> None:
    model = converted("starter")
    recipe = recipe_for(model, size=model.limits.native)
    before = drawn(ours, recipe, model)
    weights = Path(model.folder, "Unet.mlpackage/Data/com.apple.CoreML/weights/weight.bin")
    whole = weights.read_bytes()
    numbers = np.frombuffer(whole, np.float16).copy()
    at = len(numbers) // 2
    numbers[at : at + 16] = 1.0
    try:
        weights.write_bytes(numbers.tobytes())
        engine = CoreMLEngine(InterpretedRuntime(), (Placement.CPU,))
        assert (drawn(engine, recipe, model) != before).any()
        engine.close()
    finally:
        weights.write_bytes(whole)
    assert (drawn(ours, recipe, model) == before).all()
