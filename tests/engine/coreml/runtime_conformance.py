"""What every runtime must do, as checks that run on any of them.

A check takes a ``Subject`` and raises AssertionError when its runtime breaks the contract
(``app.engine.coreml.runtime``). Broken runtimes show that the checks can fail
(``test_runtime_conformance.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.core.coreml_manifest import FeatureSpec, Units
from app.core.errors import (
    ModelDamaged,
    ModelError,
    ModelIncomplete,
    ModelMissing,
    PredictionFailed,
)
from app.engine.coreml.runtime import Array, Model, Runtime


@dataclass(frozen=True)
class Subject:
    """``package``: a sound model whose answers depend on every input; ``inputs``, ``outputs``: what
    is known of it from elsewhere. ``damaged``: one that cannot be loaded. ``units``: for both.
    """

    runtime: Runtime
    package: Path
    damaged: Path
    inputs: Mapping[str, FeatureSpec]
    outputs: Mapping[str, FeatureSpec]
    units: Units = Units.CPU

    @contextmanager
    def model(self) -> Iterator[Model]:
        model = self.runtime.open(self.package, self.units)
        try:
            yield model
        finally:
            model.close()

    def values(self, seed: int = 0) -> dict[str, Array]:
        """Small numbers that every declared type holds without rounding."""
        draw = np.random.default_rng(seed)
        return {
            name: draw.integers(-2, 3, spec.shape).astype(spec.dtype)
            for name, spec in self.inputs.items()
        }


def describes_itself(subject: Subject) -> None:
    with subject.model() as model:
        assert dict(model.inputs) == dict(subject.inputs)
        assert set(model.outputs) == set(subject.outputs)
        for name, spec in subject.outputs.items():
            assert model.outputs[name].dtype == spec.dtype
            assert model.outputs[name].shape in ((), spec.shape)


def answers_in_float32_c_order(subject: Subject) -> None:
    with subject.model() as model:
        answers = model.predict(subject.values())
    assert set(answers) == set(subject.outputs)
    for name, answer in answers.items():
        assert answer.dtype == np.float32
        assert answer.flags.c_contiguous
        assert answer.shape == subject.outputs[name].shape
        assert np.isfinite(answer).all()


def answers_the_same_again(subject: Subject) -> None:
    with subject.model() as model:
        first, second = model.predict(subject.values()), model.predict(subject.values())
    for name in first:
        assert np.array_equal(first[name], second[name])


def answers_belong_to_the_caller(subject: Subject) -> None:
    """A later prediction, a write and a close change nothing of an earlier answer."""
    with subject.model() as model:
        first = model.predict(subject.values())
        kept = {name: answer.copy() for name, answer in first.items()}
        second = model.predict(subject.values(seed=1))
        assert any(not np.array_equal(first[name], second[name]) for name in first)
        for answer in second.values():
            answer[...] = 7.0
    for name in first:
        assert np.array_equal(first[name], kept[name])
        assert first[name].flags.writeable


def leaves_its_inputs_alone(subject: Subject) -> None:
    values = subject.values()
    kept = {name: value.copy() for name, value in values.items()}
    with subject.model() as model:
        model.predict(values)
    for name, value in values.items():
        assert value.dtype == kept[name].dtype
        assert np.array_equal(value, kept[name])


def casts_to_what_is_declared(subject: Subject) -> None:
    """Other types of the same numbers, read-only and out of order, give the same answers."""
    values = subject.values()
    with subject.model() as model:
        expected = model.predict(values)
        for dtype in (np.float32, np.float64, np.int64):
            other = {name: _turned(value.astype(dtype)) for name, value in values.items()}
            found = model.predict(other)
            assert all(np.array_equal(found[name], expected[name]) for name in expected)


def every_input_counts(subject: Subject) -> None:
    with subject.model() as model:
        expected = model.predict(subject.values())
        for name in subject.inputs:
            values = subject.values()
            values[name] = values[name] + values[name].dtype.type(1)
            found = model.predict(values)
            assert any(not np.array_equal(found[n], expected[n]) for n in expected), name


def refuses_what_it_does_not_take(subject: Subject) -> None:
    """A name too few or too many, a wrong shape or kind; and it is as it was after that."""
    name, value = next(iter(subject.values().items()))
    wrong: list[dict[str, Array]] = [
        {n: v for n, v in subject.values().items() if n != name},
        {**subject.values(), "extra": value},
        {**subject.values(), name: value[..., :-1]},
        {**subject.values(), name: value[None]},
        {**subject.values(), name: value.ravel()} if value.ndim > 1 else {},
        {**subject.values(), name: value.astype(str)},
        {**subject.values(), name: value.astype(complex)},
    ]
    with subject.model() as model:
        expected = model.predict(subject.values())
        for values in wrong:
            _expect_input_refused(model, values)
        found = model.predict(subject.values())
    assert all(np.array_equal(found[n], expected[n]) for n in expected)


def is_closed_for_good(subject: Subject) -> None:
    model = subject.runtime.open(subject.package, subject.units)
    model.close()
    model.close()
    try:
        model.predict(subject.values())
    except RuntimeError:
        return
    raise AssertionError("it answered after it was closed")


def two_models_are_two(subject: Subject) -> None:
    with subject.model() as one, subject.model() as other:
        first = one.predict(subject.values())
        other.predict(subject.values(seed=1))
        again = one.predict(subject.values())
    assert all(np.array_equal(first[name], again[name]) for name in first)


def says_what_is_missing(subject: Subject) -> None:
    for suffix in (".mlpackage", ".mlmodelc"):
        gone = subject.package.parent / f"Gone{suffix}"
        try:
            subject.runtime.open(gone, subject.units)
        except (ModelIncomplete, ModelMissing) as error:
            said = error
        else:
            raise AssertionError("it opened a model that is not there")
        incomplete = ModelIncomplete(str(gone.parent), (gone.name,))
        assert said in (incomplete, ModelMissing(str(gone)))


def says_what_is_damaged(subject: Subject) -> None:
    try:
        subject.runtime.open(subject.damaged, subject.units)
    except (ModelDamaged, ModelError, PredictionFailed):
        return
    raise AssertionError("it opened a damaged model")


def _turned(value: Array) -> Array:
    """The same numbers in Fortran's order, not to be written to."""
    turned = np.asfortranarray(value)
    turned.setflags(write=False)
    return turned


def _expect_input_refused(model: Model, values: dict[str, Array]) -> None:
    try:
        model.predict(values)
    except PredictionFailed as error:
        reason = error.reason
    else:
        raise AssertionError(f"it took {sorted(values)}")
    assert reason == "input"


CHECKS: tuple[Callable[[Subject], None], ...] = (
    describes_itself,
    answers_in_float32_c_order,
    answers_the_same_again,
    answers_belong_to_the_caller,
    leaves_its_inputs_alone,
    casts_to_what_is_declared,
    every_input_counts,
    refuses_what_it_does_not_take,
    is_closed_for_good,
    two_models_are_two,
    says_what_is_missing,
    says_what_is_damaged,
)
