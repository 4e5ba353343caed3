"""End to end with real packages: converted, run op by op from their bytes, drawn by our engine.

Nothing of torch's engine is behind these pictures: the interpreter reads the .mlpackage files.
"""

from __future__ import annotations

import json
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
from app.core.recipe import Scheduler, Start
from app.engine.coreml.engine import CoreMLEngine
from app.engine.coreml.model import read_coreml_model
from app.engine.model_folder import read_model
from app.engine.torch.engine import TorchEngine
from tests.convert.coreml.tinier import write_tinier
from tests.engine.conformance import CHECKS, Subject
from tests.engine.coreml.test_parity import decibels, drawn, recipe_for

pytestmark = pytest.mark.slow

LEAST_DB = 45.0
"""Half precision in networks of random weights, after a handful of steps."""

SCHEDULE = {
    "_class_name": "DDIMScheduler",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
    "set_alpha_to_one": False,
}
"""Stable Diffusion's: random weights on a steeper one leave the numbers that pictures have."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Model]:
    """A model that converts in seconds."""
    root = tmp_path_factory.mktemp("source")

    def made(family: str) -> Model:
        folder = root / family
        if not folder.is_dir():
            write_tinier(family, folder)
            prediction = "v_prediction" if family in ("sd2", "starter") else "epsilon"
            config = json.dumps(SCHEDULE | {"prediction_type": prediction})
            (folder / "scheduler" / "scheduler_config.json").write_text(config, encoding="utf-8")
        return read_model(folder)

    return made


@pytest.fixture(scope="module")
def converted(
    source: Callable[[str], Model], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Model]:
    """The same as the converter makes it; the starter's UNet takes one or two at a time."""
    root = tmp_path_factory.mktemp("converted")

    def made(family: str) -> Model:
        target = root / family
        if not target.is_dir():
            batches = (1, 2) if family == "starter" else (1,) if family == "lcm" else (2,)
            options = ConversionOptions(bits=16, batches=batches)
            folder = Path(source(family).folder)
            convert_model(folder, target, options, lambda _: None, lambda: False)
        return read_coreml_model(target)

    return made


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


Compare = Callable[..., float]


@pytest.fixture(scope="module")
def compared(
    stock: TorchEngine,
    ours: CoreMLEngine,
    source: Callable[[str], Model],
    converted: Callable[[str], Model],
) -> Compare:
    """``compared(family, **recipe)``: decibels between the two engines' pictures."""

    def compare(family: str, **changed: object) -> float:
        model = converted(family)
        said = {"size": model.limits.native, "negative_prompt": "the dog"} | changed
        recipe = recipe_for(source(family), **said)
        return decibels(drawn(ours, recipe, model), drawn(stock, recipe, source(family)))

    return compare


@pytest.mark.parametrize("scheduler", Scheduler)
def test_the_starter_is_drawn_the_same_with_each_scheduler(
    scheduler: Scheduler, compared: Compare
) -> None:
    assert compared("starter", scheduler=scheduler) > LEAST_DB


@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
@pytest.mark.parametrize("family", ["starter", "sd1"])
def test_a_starting_picture_is_drawn_over_the_same(
    family: str, masked: bool, start: Start, compared: Compare
) -> None:
    begun = start if masked else replace(start, mask=None, mask_sha256=None)
    assert compared(family, scheduler=Scheduler.EULER, start=begun) > LEAST_DB


def test_one_at_a_time_is_drawn_where_nothing_guides(compared: Compare) -> None:
    assert compared("starter", guidance=1.0) > LEAST_DB


@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
def test_each_family_is_drawn_the_same(family: str, compared: Compare) -> None:
    for scheduler in (Scheduler.DPMPP_2M_KARRAS, Scheduler.EULER_A):
        assert compared(family, scheduler=scheduler) > LEAST_DB, scheduler


@pytest.mark.parametrize("guidance", [1.0, 8.0])
def test_a_consistency_model_is_told_its_guidance(guidance: float, compared: Compare) -> None:
    assert compared("lcm", scheduler=Scheduler.LCM, guidance=guidance) > LEAST_DB


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
