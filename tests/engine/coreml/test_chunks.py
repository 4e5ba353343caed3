"""Two halves of a UNet are one model to whoever opens them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.coreml_manifest import FeatureSpec, Units
from app.core.errors import ModelIncomplete, PredictionFailed
from app.engine.coreml.chunks import ChunkedRuntime
from app.engine.coreml.pyobjc_runtime import CoreMLRuntime
from tests.engine.coreml.runtime_conformance import CHECKS, Subject
from tests.engine.coreml.standin.world import World
from tests.engine.coreml.tiny_packages import TinyModels, computed, write_package
from tests.engine.coreml.worker import OnWorker, worker

SAMPLE, STEP, TEXT = ((2, 4, 8, 8), "float16"), ((2,), "float16"), ((2, 8, 1, 7), "float16")
HALF = ((2, 6, 4, 4), "float16")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(TinyModels(), tmp_path, padding=2)
    yield world
    world.check()


@pytest.fixture
def subject(world: World, tmp_path: Path) -> Iterator[Subject]:
    first = write_package(
        tmp_path / "UnetChunk1.mlpackage",
        {"": ({"sample": SAMPLE, "timestep": STEP}, {"half": HALF})},
    )
    write_package(
        tmp_path / "UnetChunk2.mlpackage",
        {"": ({"half": HALF, "timestep": STEP, "text": TEXT}, {"noise_pred": SAMPLE})},
    )
    damaged = write_package(tmp_path / "Damaged.mlpackage", {"nothing": ({}, {})})
    names = {"sample": SAMPLE, "timestep": STEP, "text": TEXT}
    inputs = {name: FeatureSpec(name, *about) for name, about in names.items()}
    outputs = {"noise_pred": FeatureSpec("noise_pred", *SAMPLE)}
    with worker() as call:
        runtime = OnWorker(ChunkedRuntime(CoreMLRuntime(world.bridge, tmp_path / "c")), call)
        yield Subject(runtime, first, damaged, inputs, outputs)


@pytest.mark.parametrize("check", CHECKS, ids=[check.__name__ for check in CHECKS])
def test_conformance(check: Callable[[Subject], None], subject: Subject) -> None:
    check(subject)


def test_the_second_is_given_what_the_first_answered(subject: Subject) -> None:
    values: dict[str, Any] = subject.values()
    half = computed({n: values[n] for n in ("sample", "timestep")}, *HALF)
    expected = computed(
        {"half": half, "timestep": values["timestep"], "text": values["text"]}, *SAMPLE
    )
    with subject.model() as model:
        assert np.array_equal(model.predict(values)["noise_pred"], expected)


def test_half_a_unet_is_incomplete_and_the_half_is_closed(subject: Subject, world: World) -> None:
    folder = subject.package.parent
    (folder / "UnetChunk2.mlpackage").rename(folder / "elsewhere")
    with pytest.raises(ModelIncomplete) as caught:
        subject.runtime.open(subject.package, Units.CPU)
    assert caught.value == ModelIncomplete(str(folder), ("UnetChunk2.mlpackage",))
    del caught
    assert len(world.living) == 0


def test_a_half_that_fails_is_the_unet(subject: Subject, world: World) -> None:
    with subject.model() as model:
        assert isinstance(world.models, TinyModels)
        world.models.answers["half"] = np.zeros((1, 1), np.float16)
        with pytest.raises(PredictionFailed) as caught:
            model.predict(subject.values())
    assert caught.value == PredictionFailed("unet", "output")
