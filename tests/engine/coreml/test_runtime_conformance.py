"""The shared suite on Core ML's runtime over the stand-in, and on runtimes that are broken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.coreml_manifest import FeatureSpec, Units
from app.engine.coreml.pyobjc_runtime import CoreMLRuntime
from app.engine.coreml.runtime import Array, Model
from tests.engine.coreml import runtime_conformance
from tests.engine.coreml.runtime_conformance import CHECKS, Subject
from tests.engine.coreml.standin.world import World
from tests.engine.coreml.tiny_packages import UNET, TinyModels, write_package
from tests.engine.coreml.worker import OnWorker, worker

TAKES, GIVES = UNET[""]


def specs(features: Mapping[str, Any]) -> dict[str, FeatureSpec]:
    return {name: FeatureSpec(name, shape, dtype) for name, (shape, dtype) in features.items()}


def subject_of(runtime: Any, folder: Path) -> Subject:
    package = write_package(folder / "Unet.mlpackage")
    damaged = folder / "Damaged.mlpackage"
    write_package(damaged, {"nothing": ({}, {})})
    return Subject(runtime, package, damaged, specs(TAKES), specs(GIVES))


@pytest.fixture(params=[0, 3], ids=["plain", "padded"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    world = World(TinyModels(), tmp_path, padding=request.param)
    with worker() as call:
        yield subject_of(OnWorker(CoreMLRuntime(world.bridge, tmp_path / "c"), call), tmp_path)
    world.check()


@pytest.mark.parametrize("check", CHECKS, ids=[check.__name__ for check in CHECKS])
def test_core_ml(check: Any, subject: Subject) -> None:
    check(subject)


class Broken:
    """Breaks one thing of a sound runtime; ``how`` is the check that must see it."""

    def __init__(self, sound: Any, how: str) -> None:
        self._sound = sound
        self._how = how

    def open(self, path: Path, units: Units, function: str = "main") -> Model:
        if self._how == "says_what_is_missing" and not path.exists():
            raise FileNotFoundError(path)
        if self._how == "says_what_is_damaged" and path.stem == "Damaged":
            path = path.with_name("Unet.mlpackage")
        return _BrokenModel(self._sound.open(path, units, function), self._how)


class _BrokenModel:
    _shared: dict[str, Array]

    def __init__(self, sound: Model, how: str) -> None:
        self._sound = sound
        self._how = how
        self._calls = 0
        self._kept: dict[str, Array] | None = None

    @property
    def inputs(self) -> Mapping[str, FeatureSpec]:
        if self._how == "describes_itself":
            return {}
        return self._sound.inputs

    @property
    def outputs(self) -> Mapping[str, FeatureSpec]:
        return self._sound.outputs

    def predict(self, values: Mapping[str, Array]) -> dict[str, Array]:
        self._calls += 1
        given = dict(values)
        if self._how == "casts_to_what_is_declared" and given["timestep"].dtype == np.int64:
            given["timestep"] = given["timestep"] + 1
        if self._how == "every_input_counts" and "timestep" in given:
            given["timestep"] = np.zeros((2,))
        if self._how == "refuses_what_it_does_not_take":
            given.pop("extra", None)
        if self._how == "leaves_its_inputs_alone":
            values["timestep"].setflags(write=True)
            values["timestep"][...] = 1
        if self._how == "is_closed_for_good" and self._kept is not None:
            return self._kept
        if self._how == "two_models_are_two" and hasattr(_BrokenModel, "_shared"):
            return _BrokenModel._shared
        answers = self._sound.predict(given)
        if self._how == "answers_in_float32_c_order":
            return {name: answer.astype(np.float16) for name, answer in answers.items()}
        if self._how == "answers_the_same_again":
            return {name: answer + self._calls for name, answer in answers.items()}
        if self._how == "answers_belong_to_the_caller":
            self._kept = self._kept or {name: answer.copy() for name, answer in answers.items()}
            for name, answer in answers.items():
                self._kept[name][...] = answer
            return self._kept
        if self._how == "is_closed_for_good":
            self._kept = answers
        if self._how == "two_models_are_two" and given["timestep"].sum() != self._first():
            _BrokenModel._shared = answers
        return answers

    def _first(self) -> float:
        values = np.random.default_rng(0)
        drawn = {n: values.integers(-2, 3, s.shape) for n, s in self._sound.inputs.items()}
        return float(drawn["timestep"].sum())

    def close(self) -> None:
        if self._how == "is_closed_for_good" and self._kept is None:
            self._kept = self._sound.predict(
                {name: np.zeros(spec.shape) for name, spec in self._sound.inputs.items()}
            )
        self._sound.close()


@pytest.mark.parametrize("check", CHECKS, ids=[check.__name__ for check in CHECKS])
def test_a_broken_runtime_fails(check: Any, tmp_path: Path) -> None:
    world = World(TinyModels(), tmp_path)
    with worker() as call:
        sound = OnWorker(CoreMLRuntime(world.bridge, tmp_path / "c"), call)
        subject = subject_of(Broken(sound, check.__name__), tmp_path)
        with pytest.raises((AssertionError, FileNotFoundError)):
            check(subject)
    if hasattr(_BrokenModel, "_shared"):
        del _BrokenModel._shared


def test_the_suite_is_all_of_it() -> None:
    here = vars(runtime_conformance).items()
    checks = {
        name
        for name, one in here
        if callable(one)
        and getattr(one, "__annotations__", {}) == {"subject": "Subject", "return": "None"}
    }
    assert checks == {check.__name__ for check in CHECKS}
