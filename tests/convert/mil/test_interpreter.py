"""It computes what the bytes say, checks what they promise, and is precise about its modes."""

from __future__ import annotations

import shutil
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.convert.mil.calls import ProgramFault
from app.convert.mil.interpreter import Interpreter
from app.convert.mil.operations import CONSTANTS, OPERATIONS
from app.convert.mil.program import Operation
from tests.convert.mil.programs import edited, numbers, operations, run, weight_file, write

WEIGHT = numbers(4, 3, 3, 3, seed=1)
GIVEN = numbers(1, 3, 8, 8, seed=2)


def convolution(mb: Any, a: Any) -> Any:
    y = mb.conv(x=a, weight=WEIGHT.numpy().astype("float16"), pad_type="same", name="conv")
    return mb.relu(x=y, name="y")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    return write(folder / "p.mlpackage", convolution, [GIVEN.shape], "fp16")


@pytest.fixture
def package(sound: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(sound, tmp_path / "p.mlpackage"))


def test_one_byte_of_the_weights_changes_the_answer(package: Path) -> None:
    before = run(package, [GIVEN])["y"]
    content = bytearray(weight_file(package).read_bytes())
    at = content.index(WEIGHT.half().numpy().tobytes())
    content[at + 1] ^= 0x80  # the sign of the first weight
    weight_file(package).write_bytes(content)

    changed = WEIGHT.clone()
    changed[0, 0, 0, 0] *= -1
    after = run(package, [GIVEN])["y"]

    assert not torch.equal(before, after)
    expected = torch.relu(torch.nn.functional.conv2d(GIVEN, changed, padding=1))
    assert torch.allclose(after, expected, atol=1e-6)


def test_a_constant_of_the_program_changes_the_answer(package: Path) -> None:
    with edited(package) as spec:
        for one in operations(spec):
            value = one.attributes["val"].immediateValue.tensor
            if one.outputs[0].name.startswith("conv_strides") or (
                list(value.ints.values) == [1, 1] and "stride" in one.outputs[0].name
            ):
                value.ints.values[:] = [2, 2]
                break
        else:
            raise AssertionError("no strides")

    with pytest.raises(ProgramFault, match=r"conv: is \[1, 4, 4, 4\], declared"):
        run(package, [GIVEN])


def set_shape(spec: Any, name: str, *shape: int) -> None:
    (output,) = (o.outputs[0] for o in operations(spec) if o.outputs[0].name == name)
    tensor = output.type.tensorType
    del tensor.dimensions[:]
    for size in shape:
        tensor.dimensions.add().constant.size = size
    tensor.rank = len(shape)


@pytest.mark.parametrize("shape", [(1, 4, 8, 9), (1, 4, 64), (4, 8, 8), ()])
@pytest.mark.parametrize("name", ["conv", "y"])
def test_a_declared_shape_that_lies_is_caught(
    package: Path, name: str, shape: tuple[int, ...]
) -> None:
    with edited(package) as spec:
        set_shape(spec, name, *shape)

    with pytest.raises(ProgramFault) as caught:
        run(package, [GIVEN])

    assert caught.value.operation == name
    assert "[1, 4, 8, 8]" in caught.value.detail


def test_a_described_shape_that_lies_is_caught(package: Path) -> None:
    with edited(package) as spec:
        spec.description.output[0].type.multiArrayType.shape[:] = [4, 8, 8]

    with pytest.raises(ProgramFault, match="another shape than described"):
        run(package, [GIVEN])


def test_a_dimension_that_is_not_known_fits(package: Path) -> None:
    with edited(package) as spec:
        (conv,) = (o for o in operations(spec) if o.outputs[0].name == "conv")
        conv.outputs[0].type.tensorType.dimensions[2].unknown.variadic = False

    assert run(package, [GIVEN])["y"].shape == (1, 4, 8, 8)


@pytest.mark.parametrize("dtype", [23, 1], ids=["whole", "bool"])
def test_a_declared_type_that_lies_is_caught(package: Path, dtype: int) -> None:
    with edited(package) as spec:
        (conv,) = (o for o in operations(spec) if o.outputs[0].name == "conv")
        conv.outputs[0].type.tensorType.dataType = dtype

    with pytest.raises(ProgramFault, match=r"conv: is torch\.float32, declared"):
        run(package, [GIVEN])


def test_typed_rounds_each_result_and_fp32_rounds_none(sound: Path) -> None:
    kept: dict[str, dict[str, torch.Tensor]] = {"typed": {}, "fp32": {}}
    for mode, seen in kept.items():
        Interpreter.open(sound, mode=mode).run(  # type: ignore[arg-type]
            {"a": GIVEN},
            lambda operation, made, seen=seen: seen.update({operation.name: made[0].clone()}),
        )
    exact = torch.nn.functional.conv2d(GIVEN, WEIGHT, padding=1)

    assert kept["fp32"]["conv"].dtype == torch.float32
    assert torch.allclose(kept["fp32"]["conv"], exact, atol=1e-6)
    assert kept["typed"]["conv"].dtype == torch.float16
    assert torch.equal(kept["typed"]["conv"], kept["fp32"]["conv"].half())
    assert not torch.equal(kept["typed"]["conv"].float(), exact)


def test_typed_overflows_as_half_precision_does(tmp_path: Path) -> None:
    path = write(
        tmp_path / "p.mlpackage",
        lambda mb, a: mb.real_div(x=mb.mul(x=a, y=a), y=a, name="y"),
        [(2,)],
        "fp16",
    )
    given = torch.tensor([300.0, 2.0])

    assert run(path, [given], "fp32")["y"].tolist() == [300.0, 2.0]
    assert run(path, [given], "typed")["y"].tolist() == [float("inf"), 2.0]


def test_inputs_are_rounded_to_what_the_model_takes(sound: Path) -> None:
    given = GIVEN + 1e-5

    assert torch.equal(run(sound, [given])["y"], run(sound, [given.half().float()])["y"])


def test_what_nobody_needs_is_let_go(tmp_path: Path) -> None:
    """A chain of ten sums: never more than two of its values are alive."""

    def chain(mb: Any, a: Any) -> Any:
        for at in range(10):
            a = mb.add(x=a, y=np.float32(1), name=f"y{at}")
        return a

    path = write(tmp_path / "p.mlpackage", chain, [(64, 64)])
    made: list[weakref.ref[torch.Tensor]] = []
    alive: list[int] = []

    def observe(_: Operation, results: tuple[torch.Tensor, ...]) -> None:
        made.append(weakref.ref(results[0]))
        alive.append(sum(one() is not None for one in made))

    result = Interpreter.open(path).run({"a": torch.zeros(64, 64)}, observe)

    assert result["y9"].eq(10).all()
    assert len(alive) == 10
    assert max(alive) == 2


def test_an_input_may_be_a_result(tmp_path: Path) -> None:
    path = write(
        tmp_path / "p.mlpackage",
        lambda mb, a: (mb.identity(x=a, name="same"), mb.add(x=a, y=a, name="twice")),
        [(3,)],
    )
    interpreter = Interpreter.open(path)
    given = torch.ones(3)

    for _ in range(2):
        assert interpreter.run({"a": given})["twice"].tolist() == [2, 2, 2]
    assert given.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    "body",
    [
        lambda mb, a: mb.tile(x=a, reps=[1 << 20, 1 << 20], name="y"),
        lambda mb, a: mb.pad(x=a, pad=[1 << 30, 0, 1 << 30, 0], name="y"),
        lambda mb, a: mb.upsample_nearest_neighbor(
            x=mb.expand_dims(x=a, axes=[0]),
            scale_factor_height=1 << 24,
            scale_factor_width=1 << 24,
            name="y",
        ),
    ],
    ids=["tile", "pad", "upsample"],
)
def test_a_huge_result_is_refused_before_it_is_made(tmp_path: Path, body: Any) -> None:
    """As long as it is declared as what it is it is refused when opened; here it is declared small
    and would take all memory if it were only compared afterwards."""
    path = write(tmp_path / "p.mlpackage", body, [(2, 2)])
    with edited(path) as spec:
        set_shape(spec, "y", 2, 2)
        spec.description.output[0].type.multiArrayType.shape[:] = [2, 2]

    with pytest.raises(ProgramFault, match=r"y: .*: would give"):
        run(path, [torch.ones(2, 2)])


def test_an_index_outside_is_a_fault(tmp_path: Path) -> None:
    path = write(
        tmp_path / "p.mlpackage",
        lambda mb, a, b: mb.gather(x=a, indices=b, axis=0, name="y"),
        [(3, 2), (1,)],
        ["fp32", "int32"],
    )
    inputs = [torch.arange(6).reshape(3, 2).float(), torch.tensor([3], dtype=torch.int32)]

    with pytest.raises(ProgramFault, match="y: gather"):
        run(path, inputs)
    assert run(path, [inputs[0], inputs[1] - 1])["y"].tolist() == [[4, 5]]


def test_every_operation_has_a_case() -> None:
    folder = Path(__file__).parent
    text = "".join(file.read_text() for file in sorted(folder.glob("test_*.py")))
    ours = (OPERATIONS | CONSTANTS).keys()

    lacking = {name for name in ours if f"mb.{name}(" not in text and f'"{name}"' not in text}

    assert lacking == set()
