"""Packages that are not what they say, by accident or on purpose."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.convert.mil.interpreter import Interpreter
from app.convert.mil.package import MANIFEST, open_package
from app.core.errors import (
    EaselError,
    ModelDamaged,
    ModelIncomplete,
    ModelMissing,
    ModelUnsupported,
)
from tests.convert.mil.programs import edited, model_file, numbers, operations, weight_file, write

BIG = 1 << 40


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of a convolution, two sums and a split."""
    weight = numbers(4, 3, 3, 3, seed=1).numpy()

    def body(mb: Any, a: Any) -> Any:
        y = mb.conv(x=a, weight=weight, pad_type="same", name="conv")
        first, second = mb.split(x=y, num_splits=2, axis=1, name="split")
        return mb.add(x=first, y=second, name="y")

    return write(tmp_path_factory.mktemp("sound") / "p.mlpackage", body, [(1, 3, 8, 8)])


@pytest.fixture
def package(sound: Path, tmp_path: Path) -> Path:
    """A copy of it, to be broken."""
    return Path(shutil.copytree(sound, tmp_path / "p.mlpackage"))


def refused(package: Path, kind: type[EaselError]) -> Any:
    with pytest.raises(kind) as caught:
        Interpreter.open(package)
    return caught.value


def manifest(package: Path) -> Any:
    return json.loads((package / MANIFEST).read_text())


def named(spec: Any, name: str) -> Any:
    return next(one for one in operations(spec) if one.outputs[0].name == name)


def blob_value(spec: Any) -> Any:
    """The convolution's weight as the program has it."""
    for one in operations(spec):
        if one.type == "const" and one.attributes["val"].WhichOneof("value") == "blobFileValue":
            return one.attributes["val"]
    raise AssertionError("no weights")


def test_a_sound_package_is_opened(sound: Path) -> None:
    function = Interpreter.open(sound).function

    assert [one.type for one in function.operations if one.type != "const"] == [
        "conv",
        "split",
        "add",
    ]
    assert function.inputs["a"].shape == (1, 3, 8, 8)
    assert function.inputs["a"].dtype == "float32"


# --- files ------------------------------------------------------------------------------------


def test_no_folder(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.mlpackage", ModelMissing).folder.endswith("none.mlpackage")


def test_an_empty_folder(tmp_path: Path) -> None:
    assert refused(tmp_path, ModelIncomplete).missing == (MANIFEST,)


def test_a_compiled_model(tmp_path: Path) -> None:
    (tmp_path / "coremldata.bin").touch()

    assert "compiled" in refused(tmp_path, ModelUnsupported).found


def test_no_model(package: Path) -> None:
    model_file(package).unlink()

    assert refused(package, ModelIncomplete).missing == ("Data/com.apple.CoreML/model.mlmodel",)


def test_no_weights(package: Path) -> None:
    weight_file(package).unlink()

    assert refused(package, ModelIncomplete).missing == ("weight.bin",)


@pytest.mark.parametrize(
    "text", ["", "[", '{"itemInfoEntries": ', "\x00", "[" * 100_000, '{"a": "\ud800"}']
)
def test_a_manifest_that_is_no_json(package: Path, text: str) -> None:
    (package / MANIFEST).write_bytes(text.encode("utf-8", "surrogatepass"))

    refusal = refused(package, ModelDamaged)

    assert refusal.file == str(package / MANIFEST)
    assert refusal.reason in ("not JSON", "mismatch")


@pytest.mark.parametrize(
    "data",
    [
        [],
        1,
        "text",
        {},
        {"rootModelIdentifier": "x", "itemInfoEntries": {}},
        {"rootModelIdentifier": [], "itemInfoEntries": {}},
        {"rootModelIdentifier": "x", "itemInfoEntries": {"x": {}}},
        {"rootModelIdentifier": "x", "itemInfoEntries": {"x": {"path": 1}}},
        {"rootModelIdentifier": "x", "itemInfoEntries": [1]},
    ],
)
def test_a_manifest_of_something_else(package: Path, data: object) -> None:
    (package / MANIFEST).write_text(json.dumps(data))

    assert refused(package, ModelDamaged).reason == "mismatch"


def test_a_manifest_that_never_ends(package: Path) -> None:
    (package / MANIFEST).write_text(" " * (2 << 20))

    assert refused(package, ModelDamaged).reason == "mismatch"


@pytest.mark.parametrize(
    "path", ["../outside", "com.apple.CoreML/../../../outside", "{absolute}", "a\x00b"]
)
def test_a_manifest_that_points_out_of_the_package(package: Path, path: str) -> None:
    outside = package.parent / "outside"
    shutil.copyfile(model_file(package), outside)
    data = manifest(package)
    entry = data["itemInfoEntries"][data["rootModelIdentifier"]]
    entry["path"] = path.format(absolute=outside)
    (package / MANIFEST).write_text(json.dumps(data))

    assert refused(package, ModelDamaged).file == str(package / MANIFEST)


def test_a_link_out_of_the_package(package: Path) -> None:
    outside = package.parent / "outside"
    model_file(package).replace(outside)
    model_file(package).symlink_to(outside)

    assert refused(package, ModelDamaged).reason == "mismatch"


def test_a_link_to_itself(package: Path) -> None:
    model_file(package).unlink()
    model_file(package).symlink_to(model_file(package))

    assert isinstance(refused(package, EaselError), ModelDamaged | ModelIncomplete)


def test_weights_behind_a_link_out_of_the_package(package: Path) -> None:
    outside = package.parent / "outside"
    weight_file(package).replace(outside)
    weight_file(package).symlink_to(outside)

    assert refused(package, ModelDamaged).reason == "mismatch"


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_program_that_ends_early(package: Path, share: float) -> None:
    content = model_file(package).read_bytes()
    model_file(package).write_bytes(content[: int(share * len(content))])

    assert refused(package, ModelDamaged).file == str(model_file(package))


def test_a_program_that_is_no_program(package: Path) -> None:
    model_file(package).write_bytes(b"\xff" * 1000)

    assert refused(package, ModelDamaged).reason == "truncated"


def test_a_program_inside_itself_many_times(package: Path) -> None:
    """A block within an operation within a block, deeper than protobuf follows."""
    with edited(package) as spec:
        operation = operations(spec)[0]
        for _ in range(200):
            operation = operation.blocks.add().operations.add(type="cond")

    assert refused(package, ModelDamaged).reason == "truncated"


def test_weights_that_end_early(package: Path) -> None:
    content = weight_file(package).read_bytes()
    weight_file(package).write_bytes(content[:-100])

    assert refused(package, ModelDamaged).file == str(weight_file(package))


def test_a_model_of_another_kind(package: Path) -> None:
    with edited(package) as spec:
        spec.neuralNetwork.SetInParent()

    assert refused(package, ModelUnsupported).found == "Core ML neuralNetwork"


# --- what the program says --------------------------------------------------------------------


def offset(value: int) -> Callable[[Any], None]:
    return lambda spec: setattr(blob_value(spec).blobFileValue, "offset", value)


def weights_at(name: str) -> Callable[[Any], None]:
    return lambda spec: setattr(blob_value(spec).blobFileValue, "fileName", name)


def huge_weight(spec: Any) -> None:
    blob_value(spec).type.tensorType.dimensions[0].constant.size = BIG


def huge_result(spec: Any) -> None:
    for one in named(spec, "conv").outputs[0].type.tensorType.dimensions:
        one.constant.size = BIG


def endless_rank(spec: Any) -> None:
    tensor = named(spec, "conv").outputs[0].type.tensorType
    for _ in range(100):
        tensor.dimensions.add().constant.size = 1
    tensor.rank = len(tensor.dimensions)


def wrong_rank(spec: Any) -> None:
    named(spec, "conv").outputs[0].type.tensorType.rank = 2


def before_it_is_made(spec: Any) -> None:
    named(spec, "conv").inputs["x"].arguments[0].name = "y"


def of_itself(spec: Any) -> None:
    named(spec, "y").inputs["x"].arguments[0].name = "y"


def made_twice(spec: Any) -> None:
    operations(spec).add().CopyFrom(named(spec, "conv"))


def unknown_value(spec: Any) -> None:
    named(spec, "y").inputs["x"].arguments[0].name = "nothing"


def no_input(spec: Any) -> None:
    del named(spec, "conv").inputs["weight"]


def two_inputs(spec: Any) -> None:
    arguments = named(spec, "y").inputs["x"].arguments
    arguments.add().CopyFrom(arguments[0])


def word_for_number(spec: Any) -> None:
    name = named(spec, "conv").inputs["pad_type"].arguments[0].name
    named(spec, "conv").inputs["strides"].arguments[0].name = name


def word_for_numbers(spec: Any) -> None:
    name = named(spec, "conv").inputs["pad_type"].arguments[0].name
    named(spec, "conv").inputs["weight"].arguments[0].name = name


def too_few_numbers(spec: Any) -> None:
    for one in operations(spec):
        value = one.attributes["val"].immediateValue.tensor
        if value.WhichOneof("value") == "ints":
            value.ints.values.append(1)
            return


def no_value(spec: Any) -> None:
    operations(spec)[0].attributes["val"].Clear()


def weight_of_another_shape(spec: Any) -> None:
    for at, size in enumerate((3, 4, 3, 3)):
        blob_value(spec).type.tensorType.dimensions[at].constant.size = size


def no_block(spec: Any) -> None:
    spec.mlProgram.functions["main"].opset = "CoreML99"


def other_input(spec: Any) -> None:
    spec.description.input[0].name = "other"


def other_output(spec: Any) -> None:
    spec.description.output[0].name = "other"


def other_input_shape(spec: Any) -> None:
    spec.description.input[0].type.multiArrayType.shape[0] = 2


def input_twice(spec: Any) -> None:
    spec.description.input.add().CopyFrom(spec.description.input[0])


def negative_shape(spec: Any) -> None:
    spec.description.input[0].type.multiArrayType.shape[0] = -5


LIES = [
    offset(0),
    offset(63),
    offset(BIG),
    offset((1 << 64) - 1),
    weights_at("/etc/passwd"),
    weights_at("@model_path/../../../outside"),
    weights_at("@model_path"),
    weights_at("weights/weight.bin"),
    weights_at(""),
    huge_weight,
    huge_result,
    endless_rank,
    wrong_rank,
    before_it_is_made,
    of_itself,
    made_twice,
    unknown_value,
    no_input,
    two_inputs,
    word_for_number,
    word_for_numbers,
    too_few_numbers,
    no_value,
    weight_of_another_shape,
    no_block,
    other_input,
    other_output,
    other_input_shape,
    input_twice,
    negative_shape,
]


@pytest.mark.parametrize("lie", LIES)
def test_a_program_that_lies(package: Path, lie: Callable[[Any], None]) -> None:
    (package.parent / "outside").write_bytes(weight_file(package).read_bytes())
    with edited(package) as spec:
        lie(spec)

    refused(package, ModelDamaged)


def unknown_operation(spec: Any) -> None:
    named(spec, "y").type = "lstm"


def unknown_input(spec: Any) -> None:
    named(spec, "y").inputs["z"].CopyFrom(named(spec, "y").inputs["x"])


def flow(spec: Any) -> None:
    named(spec, "y").blocks.add()


def unknown_type(spec: Any) -> None:
    named(spec, "y").outputs[0].type.tensorType.dataType = 40  # FLOAT8E4M3FN


def any_shape(spec: Any) -> None:
    spec.description.input[0].type.multiArrayType.shapeRange.sizeRanges.add()


def maybe_input(spec: Any) -> None:
    spec.description.input[0].type.isOptional = True


def picture_input(spec: Any) -> None:
    spec.description.input[0].type.imageType.width = 8


@pytest.mark.parametrize(
    ("ask", "found"),
    [
        (unknown_operation, "lstm"),
        (unknown_input, "add with z"),
        (flow, "add"),
        (unknown_type, "MIL type 40"),
        (any_shape, "a: flexible shape"),
        (maybe_input, "a: multiArrayType"),
        (picture_input, "a: imageType"),
    ],
)
def test_what_is_not_known_is_named(package: Path, ask: Callable[[Any], None], found: str) -> None:
    with edited(package) as spec:
        ask(spec)

    assert refused(package, ModelUnsupported).found == found


def test_another_function(package: Path) -> None:
    with pytest.raises(ModelIncomplete) as caught:
        Interpreter.open(package, "large")

    assert caught.value.missing == ("large",)


def test_the_manifest_is_followed(package: Path) -> None:
    """The model may have any name."""
    model_file(package).replace(model_file(package).with_name("other.mlmodel"))
    data = manifest(package)
    data["itemInfoEntries"][data["rootModelIdentifier"]]["path"] = "com.apple.CoreML/other.mlmodel"
    (package / MANIFEST).write_text(json.dumps(data))

    assert open_package(package).model_file.name == "other.mlmodel"
    Interpreter.open(package)
