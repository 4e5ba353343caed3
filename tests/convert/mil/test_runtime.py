"""The interpreter as the engine sees it: names, shapes, dtypes, errors, ownership."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch

from app.convert.mil.calls import ProgramFault
from app.convert.mil.runtime import InterpretedModel, InterpretedRuntime
from app.core.coreml_manifest import FeatureSpec, Units
from app.core.errors import ModelIncomplete, OutOfMemory, PredictionFailed
from app.engine.coreml.runtime import Model, Runtime
from tests.convert.mil.programs import coremltools_quiet, edited, numbers, weight_file, write

TABLE = numbers(16, 4, seed=1)


def embedding(mb: Any, a: Any, b: Any) -> Any:
    rows = mb.gather(x=TABLE.numpy().astype("float16"), indices=a, axis=0)
    return (
        mb.mul(x=rows, y=b, name="scaled"),
        mb.transpose(x=rows, perm=[1, 0], name="turned"),
        mb.cast(x=mb.add(x=a, y=np.int32(1)), dtype="int32", name="next"),
    )


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runtime")
    path = folder / "TextEncoder.mlpackage"
    return write(path, embedding, [(3,), (1, 4)], ["int32", "fp16"])


@pytest.fixture
def model(package: Path) -> InterpretedModel:
    return InterpretedRuntime().open(package, Units.ALL)


IDS = np.array([3, 0, 15], np.int32)
SCALE = np.full((1, 4), 2, np.float32)


def test_it_is_a_runtime(package: Path) -> None:
    runtime: Runtime = InterpretedRuntime()
    model: Model = runtime.open(package, Units.CPU)

    assert model.inputs == {
        "a": FeatureSpec("a", (3,), "int32"),
        "b": FeatureSpec("b", (1, 4), "float16"),
    }
    assert model.outputs == {
        "scaled": FeatureSpec("scaled", (3, 4), "float16"),
        "turned": FeatureSpec("turned", (4, 3), "float16"),
        "next": FeatureSpec("next", (3,), "int32"),
    }


def test_answers_are_float32_in_c_order_and_the_callers(model: InterpretedModel) -> None:
    given = {"a": IDS, "b": SCALE}
    first = model.predict(given)
    rows = TABLE.numpy()[IDS]

    assert np.array_equal(first["scaled"], rows * 2)
    assert np.array_equal(first["turned"], rows.T)
    assert first["next"].tolist() == [4, 1, 16]
    for answer in first.values():
        assert answer.dtype == np.float32
        assert answer.flags.c_contiguous
        assert answer.flags.writeable
        answer[...] = 7
    assert np.array_equal(model.predict(given)["turned"], rows.T)
    assert IDS.tolist() == [3, 0, 15]


@pytest.mark.parametrize(
    "ids",
    [
        IDS.astype(np.float32),
        IDS.astype(np.float64),
        IDS.astype(np.int64),
        IDS.astype(np.uint8),
        IDS.astype(">i4"),
        np.repeat(IDS, 2)[::2],
        np.ascontiguousarray(IDS[::-1])[::-1],
    ],
)
def test_numbers_are_cast_to_what_is_declared(model: InterpretedModel, ids: Any) -> None:
    ids.flags.writeable = False

    answer = model.predict({"a": ids, "b": SCALE.astype(np.float64)})

    assert np.array_equal(answer["scaled"], TABLE.numpy()[IDS] * 2)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"a": IDS},
        {"a": IDS, "b": SCALE, "c": SCALE},
        {"a": IDS, "B": SCALE},
        {"a": IDS[None], "b": SCALE},
        {"a": IDS[:2], "b": SCALE},
        {"a": IDS, "b": SCALE[0]},
        {"a": IDS, "b": SCALE.T},
        {"a": IDS, "b": SCALE > 0},
        {"a": IDS, "b": SCALE.astype(complex)},
        {"a": IDS, "b": SCALE.astype(str)},
        {"a": IDS, "b": SCALE.astype(object)},
        {"a": IDS, "b": None},
    ],
)
def test_other_names_shapes_and_kinds_are_refused(model: InterpretedModel, given: Any) -> None:
    with pytest.raises(PredictionFailed) as caught:
        model.predict(given)

    assert caught.value == PredictionFailed("text_encoder", "input")


def test_a_package_that_promises_something_else(tmp_path: Path) -> None:
    path = tmp_path / "Unet.mlpackage"
    write(path, lambda mb, a: mb.add(x=a, y=a, name="y"), [(2, 3)])
    with edited(path) as spec:
        spec.description.output[0].type.multiArrayType.shape[:] = [3, 2]

    with pytest.raises(PredictionFailed) as caught:
        InterpretedRuntime().open(path, Units.ALL).predict({"a": np.ones((2, 3))})

    assert caught.value == PredictionFailed("unet", "output")
    assert isinstance(caught.value.__cause__, ProgramFault)
    assert caught.value.__cause__.operation == "y"


def test_a_closed_model(model: InterpretedModel) -> None:
    model.close()
    model.close()

    with pytest.raises(RuntimeError):
        model.predict({"a": IDS, "b": SCALE})
    assert set(model.inputs) == {"a", "b"}


def test_no_package(tmp_path: Path) -> None:
    with pytest.raises(ModelIncomplete):
        InterpretedRuntime().open(tmp_path / "Unet.mlpackage", Units.ALL)


def test_functions_over_the_same_weights(tmp_path: Path) -> None:
    """As macOS 15 has them: several sizes, the weights once."""
    weight = numbers(32, 16, seed=2)

    def body(mb: Any, a: Any) -> Any:
        return mb.linear(x=a, weight=weight.numpy(), name="y")

    merged = tmp_path / "Unet.mlpackage"
    one = write(tmp_path / "one.mlpackage", body, [(1, 16)], target="iOS18")
    two = write(tmp_path / "two.mlpackage", body, [(2, 16)], target="iOS18")
    with coremltools_quiet() as ct:
        parts = ct.utils.MultiFunctionDescriptor()
        parts.add_function(str(one), "main", "single")
        parts.add_function(str(two), "main", "pair")
        parts.default_function_name = "single"
        ct.utils.save_multifunction(parts, str(merged))
    runtime = InterpretedRuntime("fp32")

    assert weight_file(merged).stat().st_size == weight_file(one).stat().st_size
    for name, batch in (("single", 1), ("pair", 2)):
        model = runtime.open(merged, Units.ALL, name)
        given = numbers(batch, 16, seed=batch)
        assert model.inputs["a"].shape == (batch, 16)
        answer = torch.from_numpy(model.predict({"a": given.numpy()})["y"])
        assert torch.allclose(answer, given @ weight.T, atol=1e-5)
    with pytest.raises(ModelIncomplete):
        runtime.open(merged, Units.ALL)


@pytest.mark.linux
def test_no_memory_left(tmp_path: Path) -> None:
    path = tmp_path / "Unet.mlpackage"
    write(path, lambda mb, a: mb.tile(x=a, reps=[32, 32], name="y"), [(1024, 1024)])
    model = InterpretedRuntime().open(path, Units.ALL)
    given = {"a": np.zeros((1024, 1024), np.float32)}
    limits = resource.getrlimit(resource.RLIMIT_AS)

    resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + 2**30, limits[1]))
    try:
        with pytest.raises(OutOfMemory):
            model.predict(given)  # 4 GiB
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
