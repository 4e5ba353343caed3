"""Each rule finds the fault that it is for, planted in a small program, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import coremltools as ct
import numpy as np
import pytest
from coremltools.converters.mil import Builder
from coremltools.converters.mil.mil import types

from app.convert.coreml.lint import Fault, Rule, functions_of, lint
from app.convert.coreml.lowering import corrected_converter
from app.core.coreml_manifest import FeatureSpec, FunctionSpec

HALF, WIDE = types.fp16, types.fp32
Body = Callable[[Any, Any], Any]
"""Gets ``x`` (1, 4, 4) in fp16 and ``timestep`` (1,) in fp32, and gives the result."""


@pytest.fixture
def package(tmp_path: Path) -> Callable[[Body], Path]:
    """A package of one program, exactly as it is written."""

    def made(body: Body) -> Path:
        @Builder.program(
            input_specs=[
                Builder.TensorSpec((1, 4, 4), HALF),
                Builder.TensorSpec((1,), WIDE),
            ],
            opset_version=ct.target.iOS17,
        )
        def program(x: Any, timestep: Any) -> Any:
            used = Builder.cast(x=Builder.sin(x=timestep), dtype="fp16")
            return Builder.identity(x=body(Builder.add(x=x, y=used), timestep), name="answer")

        with corrected_converter():
            model = ct.convert(
                program,
                minimum_deployment_target=ct.target.iOS17,
                compute_precision=ct.precision.FLOAT32,
                pass_pipeline=ct.PassPipeline.EMPTY,
                skip_model_load=True,
            )
            model.save(str(tmp_path / "made.mlpackage"))
        return tmp_path / "made.mlpackage"

    return made


def found(path: Path) -> list[Rule]:
    taken, given = functions_of(path)["main"]
    return [fault.rule for fault in lint(path, [FunctionSpec("main", taken, given)])]


def attention(x: Any, timestep: Any) -> Any:
    """What may be: a sinusoid in fp32, then attention as it is written for the Neural Engine."""
    wave = Builder.sin(x=Builder.mul(x=timestep, y=np.float32(0.5)))
    moved = Builder.add(x=x, y=Builder.cast(x=wave, dtype="fp16"))
    weights = Builder.softmax(x=Builder.matmul(x=moved, y=moved, transpose_y=True), axis=-1)
    return Builder.matmul(x=weights, y=moved)


def test_a_sound_program_has_no_fault(package: Callable[[Body], Path]) -> None:
    assert found(package(attention)) == []


def strange(x: Any, _: Any) -> Any:
    return Builder.erf(x=x)


def narrow_to_wide(x: Any, _: Any) -> Any:
    return Builder.cast(x=Builder.cast(x=x, dtype="fp32"), dtype="fp16")


def wide_layer(x: Any, timestep: Any) -> Any:
    """The timestep's way is wide further than its sinusoid."""
    activated = Builder.silu(x=Builder.mul(x=timestep, y=np.float32(0.5)))
    return Builder.add(x=x, y=Builder.cast(x=activated, dtype="fp16"))


def infinite(x: Any, _: Any) -> Any:
    return Builder.add(x=x, y=np.float16(-np.inf))


def infinite_in_the_file(x: Any, _: Any) -> Any:
    mask = np.zeros((1, 4, 4), np.float16)
    mask[0, 0, 3] = np.inf
    return Builder.add(x=x, y=mask)


def too_large(x: Any, timestep: Any) -> Any:
    scaled = Builder.mul(x=timestep, y=np.float32(1e6))
    return Builder.add(x=x, y=Builder.cast(x=scaled, dtype="fp16"))


def turned(x: Any, _: Any) -> Any:
    weights = Builder.softmax(x=Builder.matmul(x=x, y=x), axis=-1)
    back = Builder.transpose(x=weights, perm=(0, 2, 1))
    return Builder.matmul(x=back, y=x)


def turned_later(x: Any, _: Any) -> Any:
    weights = Builder.softmax(x=Builder.matmul(x=x, y=x), axis=-1)
    back = Builder.transpose(x=Builder.reshape(x=weights, shape=(4, 4)), perm=(1, 0))
    return Builder.matmul(x=x, y=Builder.reshape(x=back, shape=(1, 4, 4)))


def turned_by_flag(x: Any, _: Any) -> Any:
    weights = Builder.softmax(x=Builder.matmul(x=x, y=x), axis=-1)
    return Builder.matmul(x=x, y=weights, transpose_y=True)


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (strange, Rule.OPERATION),
        (narrow_to_wide, Rule.WIDE),
        (wide_layer, Rule.WIDE),
        (infinite, Rule.CONSTANT),
        (infinite_in_the_file, Rule.CONSTANT),
        (too_large, Rule.CONSTANT),
        (turned, Rule.TRANSPOSED),
        (turned_later, Rule.TRANSPOSED),
        (turned_by_flag, Rule.TRANSPOSED),
    ],
)
def test_a_planted_fault_is_found_by_its_rule(
    package: Callable[[Body], Path], body: Body, rule: Rule
) -> None:
    assert set(found(package(body))) == {rule}


def test_more_than_five_dimensions_are_found(package: Callable[[Body], Path]) -> None:
    path = package(lambda x, _: Builder.reshape(x=x, shape=(1, 1, 1, 4, 4)))
    _change(path, _add_a_dimension)
    assert set(found(path)) == {Rule.RANK, Rule.INTERFACE}


def _add_a_dimension(spec: Any) -> None:
    (block,) = spec.mlProgram.functions["main"].block_specializations.values()
    for op in block.operations:
        if op.type == "identity":
            op.outputs[0].type.tensorType.dimensions.add().constant.size = 1


def _change(path: Path, change: Callable[[Any], None]) -> None:
    """Write another program into the package at ``path``."""
    file = path / "Data/com.apple.CoreML/model.mlmodel"
    spec = ct.proto.Model_pb2.Model()
    spec.ParseFromString(file.read_bytes())
    change(spec)
    file.write_bytes(spec.SerializeToString())


def _lengthen(spec: Any) -> None:
    spec.description.input[0].type.multiArrayType.shape[1] = 8


@pytest.mark.parametrize(
    "lie",
    [
        lambda spec: replace(spec, inputs=spec.inputs[:1]),
        lambda spec: replace(spec, outputs=(replace(spec.outputs[0], name="image"),)),
        lambda spec: replace(spec, outputs=(replace(spec.outputs[0], dtype="float32"),)),
        lambda spec: replace(spec, inputs=(replace(spec.inputs[0], shape=(1, 4, 5)),)),
        lambda spec: replace(spec, name="other"),
    ],
)
def test_what_is_declared_has_to_be_what_is_there(
    package: Callable[[Body], Path], lie: Callable[[FunctionSpec], FunctionSpec]
) -> None:
    path = package(attention)
    taken, given = functions_of(path)["main"]
    true = FunctionSpec("main", taken, given)
    assert {fault.rule for fault in lint(path, [lie(true)])} == {Rule.INTERFACE}


def test_a_description_that_contradicts_its_program_is_found(
    package: Callable[[Body], Path],
) -> None:
    path = package(attention)
    _change(path, _lengthen)
    taken, given = functions_of(path)["main"]
    assert taken[0] == FeatureSpec("x", (1, 8, 4), "float16")
    faults = lint(path, [FunctionSpec("main", taken, given)])
    assert {fault.rule for fault in faults} == {Rule.INTERFACE}
    assert Fault(Rule.INTERFACE, "x") in faults


def test_a_program_that_is_declared_wide_may_compute_in_fp32(tmp_path: Path) -> None:
    @Builder.program(input_specs=[Builder.TensorSpec((1, 4), WIDE)], opset_version=ct.target.iOS17)
    def program(z: Any) -> Any:
        return Builder.silu(x=z, name="image")

    with corrected_converter():
        model = ct.convert(
            program,
            minimum_deployment_target=ct.target.iOS17,
            compute_precision=ct.precision.FLOAT32,
            skip_model_load=True,
        )
        model.save(str(tmp_path / "wide.mlpackage"))
    assert found(tmp_path / "wide.mlpackage") == []
