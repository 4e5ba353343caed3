"""What a Core ML model on disk takes and gives, read from its files on any system.

Three makers write it down three ways. A package has it in its specification, a protobuf (field
numbers: coremltools' Model.proto and FeatureTypes.proto). A compiled model has its program as text,
``model.mil``; one that Xcode compiled has a ``metadata.json`` besides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from app.core.coreml_manifest import FeatureSpec, FunctionSpec
from app.core.errors import ModelDamaged, ModelIncomplete, ModelUnsupported
from app.engine.coreml.compiled import COMPILED
from app.engine.model_folder import read_json

MAX_PROGRAM = 256 * 2**20
"""Bytes of a program. SDXL's largest takes 12 MB as text."""

_DTYPES = {65552: "float16", 65568: "float32", 131104: "int32"}
_MIL_DTYPES = {"fp16": "float16", "fp32": "float32", "int32": "int32"}
_TARGETS = {"ios16": 13, "ios17": 14, "ios18": 15}
_VERSIONS = {7: 13, 8: 14, 9: 15}
_FUNCTION = re.compile(r"func\s+(\w+)\s*<(\w+)>\s*\(([^)]*)\)")
_ARGUMENT = re.compile(r"tensor<(\w+),\s*\[([\d,\s]*)\]>\s+(\w+)")
_RETURNED = re.compile(r"\}\s*->\s*\(([\w,\s]*)\)")


@dataclass(frozen=True, slots=True)
class Described:
    """``program``: its text or bytes, for names of operations. ``target``: least macOS."""

    functions: tuple[FunctionSpec, ...]
    program: bytes
    target: int


def describe(path: Path) -> Described:
    """What the model at ``path`` (.mlmodelc or .mlpackage) says of itself.

    Raises ModelIncomplete where a file of it is not there, ModelDamaged, ModelUnsupported where
    neither a program nor a description is found.
    """
    if not path.is_dir():
        raise ModelIncomplete(str(path.parent), (path.name,))
    return _compiled(path) if path.suffix == COMPILED else _package(path)


# --- compiled -------------------------------------------------------------------------------


def _compiled(path: Path) -> Described:
    program = path / "model.mil"
    if not (path / "coremldata.bin").is_file():
        raise ModelIncomplete(str(path.parent), (f"{path.name}/coremldata.bin",))
    if not program.is_file():
        return _by_metadata(path)
    code = _read(program)
    if b"BLOBFILE" in code and not any((path / "weights").glob("*.bin")):
        raise ModelIncomplete(str(path.parent), (f"{path.name}/weights/weight.bin",))
    text = code.decode("utf-8", "replace")
    starts = list(_FUNCTION.finditer(text))
    if not starts:
        raise ModelDamaged(str(program), "not Core ML")
    ends = [*(one.start() for one in starts[1:]), len(text)]
    functions = tuple(
        FunctionSpec(
            start[1],
            tuple(_argument(program, one) for one in _ARGUMENT.finditer(start[3])),
            _results(program, text[start.end() : end]),
        )
        for start, end in zip(starts, ends, strict=True)
    )
    return Described(functions, code, max(_TARGETS.get(start[2].lower(), 13) for start in starts))


def _argument(program: Path, found: re.Match[str]) -> FeatureSpec:
    if found[1] not in _MIL_DTYPES:
        raise ModelUnsupported(str(program.parent), f"{found[3]} of type {found[1]}")
    shape = tuple(int(size) for size in found[2].split(",") if size.strip())
    return FeatureSpec(found[3], shape, _MIL_DTYPES[found[1]])


def _results(program: Path, body: str) -> tuple[FeatureSpec, ...]:
    """The outputs; each is declared where it is computed."""
    returned = _RETURNED.search(body)
    if returned is None:
        raise ModelDamaged(str(program), "truncated")
    results = []
    for name in (one.strip() for one in returned[1].split(",")):
        declared = re.compile(rf"tensor<(\w+),\s*\[([\d,\s]*)\]>\s+({re.escape(name)})\s*[=,]")
        found = list(declared.finditer(body))
        if not found:
            raise ModelDamaged(str(program), "mismatch")
        results.append(_argument(program, found[-1]))
    return tuple(results)


def _by_metadata(path: Path) -> Described:
    file = path / "metadata.json"
    if not file.is_file():
        raise ModelUnsupported(str(path), "a model without a program")
    try:
        about = json.loads(_read(file))[0]
        takes, gives = (
            tuple(_by_schema(row) for row in about[side])
            for side in ("inputSchema", "outputSchema")
        )
    except (KeyError, IndexError, TypeError, ValueError, RecursionError) as error:
        raise ModelDamaged(str(file), "mismatch") from error
    return Described((FunctionSpec("main", takes, gives),), b"", 13)


def _by_schema(row: dict[str, Any]) -> FeatureSpec:
    """Raises KeyError, TypeError, ValueError. The shape of an output may be "[]"."""
    shape = json.loads(row["shape"])
    dtype = {"Float16": "float16", "Float32": "float32", "Int32": "int32"}[row["dataType"]]
    return FeatureSpec(str(row["name"]), tuple(int(size) for size in shape), dtype)


# --- package --------------------------------------------------------------------------------


def _package(path: Path) -> Described:
    specification = _specification(path)
    data = _read(specification)
    try:
        model = dict(_fields(data))
        fields = list(_fields(model[2]))
        named = [_function(value, "main", 2, 3) for number, value in fields if number == 20]
        alone = _function(model[2], "main", 1, 10)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise ModelDamaged(str(specification), "not Core ML") from error
    weights = specification.parent / "weights"
    if b"weight.bin" in data and not (weights / "weight.bin").is_file():
        name = (weights / "weight.bin").relative_to(path.parent).as_posix()
        raise ModelIncomplete(str(path.parent), (name,))
    return Described(tuple(named) or (alone,), data, _VERSIONS.get(model[1], 13))


def _specification(path: Path) -> Path:
    """The model file that the package's Manifest.json names as its root."""
    file = path / "Manifest.json"
    data = read_json(file, path)
    try:
        inside = PurePosixPath(data["itemInfoEntries"][data["rootModelIdentifier"]]["path"])
    except (KeyError, TypeError) as error:
        raise ModelDamaged(str(file), "mismatch") from error
    if inside.is_absolute() or ".." in inside.parts:
        raise ModelDamaged(str(file), "mismatch")
    found = path / "Data" / inside
    if not found.is_file():
        raise ModelIncomplete(str(path.parent), (f"{path.name}/Data/{inside}",))
    return found


def _function(data: bytes, name: str, takes: int, gives: int) -> FunctionSpec:
    """A FunctionDescription, or the part of a ModelDescription that is like one."""
    inputs, outputs = [], []
    for number, value in _fields(data):
        if number == 1 and takes != 1:
            name = value.decode("utf-8")
        elif number == takes:
            inputs.append(_feature(value))
        elif number == gives:
            outputs.append(_feature(value))
    return FunctionSpec(name, tuple(inputs), tuple(outputs))


def _feature(data: bytes) -> FeatureSpec:
    """A FeatureDescription of an array; a shape that is not said is ()."""
    fields = dict(_fields(data))
    array = list(_fields(dict(_fields(fields[3]))[5]))
    shape: list[int] = []
    for number, value in array:
        if number == 1:  # packed, or one by one
            shape += _varints(value) if isinstance(value, bytes) else [value]
    dtype = next(value for number, value in array if number == 2)
    return FeatureSpec(fields[1].decode("utf-8"), tuple(shape), _DTYPES[dtype])


def _fields(data: Any) -> Iterator[tuple[int, Any]]:
    """Number and value of each field of a protobuf message: bytes, or an int.

    https://protobuf.dev/programming-guides/encoding. Raises ValueError, TypeError, IndexError.
    """
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        size, at = (8, at) if kind == 1 else (4, at) if kind == 5 else _varint(data, at)
        if kind not in (1, 2, 5) or at + size > len(data):
            raise ValueError("not a protobuf message")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ValueError("a number too long")


def _varints(data: bytes) -> list[int]:
    values, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        values.append(value)
    return values


def _read(file: Path) -> bytes:
    if file.stat().st_size > MAX_PROGRAM:
        raise ModelDamaged(str(file), "not Core ML")
    return file.read_bytes()
