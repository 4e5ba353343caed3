"""The suite on the interpreter, and on Core ML's runtime over a stand-in whose answers are its.

The package is a real one: made by coremltools (``real_package.py``), with weights in its blob.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.convert.mil.runtime import InterpretedRuntime
from app.core.coreml_manifest import FeatureSpec, Units
from app.core.errors import EaselError, ModelIncomplete
from app.engine.coreml.descriptions import describe
from app.engine.coreml.pyobjc_runtime import CoreMLRuntime
from tests.engine.coreml.runtime_conformance import CHECKS, Subject
from tests.engine.coreml.standin.world import Fault, Features, World
from tests.engine.coreml.worker import OnWorker, worker

INPUTS = {
    "sample": FeatureSpec("sample", (2, 4, 8, 8), "float16"),
    "timestep": FeatureSpec("timestep", (2,), "float32"),
    "ids": FeatureSpec("ids", (2, 1), "int32"),
}
OUTPUTS = {"noise_pred": FeatureSpec("noise_pred", (2, 6, 8, 8), "float16")}
Check = Callable[[Subject], None]


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made in a process of its own: coremltools leaves threads and temporary folders behind."""
    file = tmp_path_factory.mktemp("real") / "Unet.mlpackage"
    script = Path(__file__).with_name("real_package.py")
    subprocess.run([sys.executable, str(script), str(file)], check=True, capture_output=True)
    return file


def subject_of(runtime: Any, package: Path) -> Subject:
    damaged = package.with_name("Damaged.mlpackage")
    (damaged / "Data").mkdir(parents=True, exist_ok=True)
    (damaged / "Manifest.json").write_text("{}", "utf-8")
    return Subject(runtime, package, damaged, INPUTS, OUTPUTS)


@pytest.mark.parametrize("check", CHECKS, ids=[check.__name__ for check in CHECKS])
def test_the_interpreter(check: Check, package: Path) -> None:
    check(subject_of(InterpretedRuntime(), package))


def test_a_package_that_is_not_there_is_a_part_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelIncomplete) as caught:
        InterpretedRuntime().open(tmp_path / "Unet.mlpackage", Units.CPU)
    assert caught.value == ModelIncomplete(str(tmp_path), ("Unet.mlpackage",))


class Interpreted:
    """``Models`` of real packages: what they are and say is the interpreter's."""

    def describe(self, path: Path, function: str) -> tuple[Features, Features]:
        try:
            model = InterpretedRuntime().open(path, Units.CPU, function or "main")
        except EaselError as error:
            raise Fault("com.apple.CoreML", 3, str(error)) from error
        takes = {name: (one.shape, one.dtype) for name, one in model.inputs.items()}
        return takes, {name: ((), one.dtype) for name, one in model.outputs.items()}

    def answer(
        self, path: Path, function: str, units: int, inputs: Mapping[str, Any]
    ) -> dict[str, Any]:
        del units
        model = InterpretedRuntime().open(path, Units.CPU, function or "main")
        found = model.predict(inputs)
        return {name: found[name].astype(one.dtype) for name, one in model.outputs.items()}


@pytest.fixture
def on_core_ml(package: Path, tmp_path: Path) -> Iterator[Subject]:
    world = World(Interpreted(), tmp_path, padding=5)
    with worker() as call:
        runtime = OnWorker(CoreMLRuntime(world.bridge, tmp_path / "cache"), call)
        yield subject_of(runtime, package)
    world.check()


@pytest.mark.parametrize("check", CHECKS, ids=[check.__name__ for check in CHECKS])
def test_core_ml_s_runtime_over_it(check: Check, on_core_ml: Subject) -> None:
    check(on_core_ml)


def test_both_answer_the_same(on_core_ml: Subject, package: Path) -> None:
    values = on_core_ml.values(seed=3)
    with on_core_ml.model() as model:
        found = model.predict(values)["noise_pred"]
    expected = InterpretedRuntime().open(package, Units.CPU).predict(values)["noise_pred"]
    assert np.array_equal(found, expected)
    assert np.abs(expected).max() > 1


def test_the_description_is_read_from_the_real_specification(package: Path) -> None:
    found = describe(package)
    assert {one.name: one for one in found.functions[0].inputs} == INPUTS
    assert [one.name for one in found.functions[0].outputs] == ["noise_pred"]
    assert found.target == 14
