"""Reads the program of an opened package. What is not consistent in itself is refused here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from app.convert.mil.bits import packed_size
from app.convert.mil.blob import unpacked
from app.convert.mil.element_types import BY_PROTO, STRING
from app.convert.mil.package import Package
from app.convert.mil.program import (
    UNKNOWN,
    Argument,
    Constant,
    Function,
    Immediate,
    Named,
    Operation,
    TensorType,
)
from app.core.coreml_manifest import FeatureSpec
from app.core.errors import ModelDamaged, ModelIncomplete, ModelUnsupported

MAX_ELEMENTS = 1 << 31
"""Of one tensor; unfused attention of SDXL at 1024 pixels has 0.34e9 (batch 2, 10 heads)."""
MAX_RANK = 16
"""Core ML itself computes with at most 5."""

_FEATURE_TYPES = {65552: "float16", 65568: "float32", 131104: "int32"}
"""``ArrayFeatureType.ArrayDataType`` of FeatureTypes.proto."""

_IMMEDIATE_FIELDS = {
    "bool": "bools",
    "float32": "floats",
    "float64": "doubles",
    "int16": "ints",
    "uint16": "ints",
    "int32": "ints",
    "int64": "longInts",
    "uint64": "longInts",
}
"""Where an immediate tensor of a type lies; all others are raw bytes."""


def function_names(package: Package) -> tuple[str, ...]:
    """The functions of the package's program, sorted."""
    return tuple(sorted(package.spec.mlProgram.functions))


def read_function(package: Package, name: str) -> Function:
    """The function ``name`` of the package's program.

    Raises ModelIncomplete (no such function, or no weight file), ModelDamaged, ModelUnsupported.
    """
    if name not in package.spec.mlProgram.functions:
        raise ModelIncomplete(str(package.path), (name,))
    return _Reader(package).function(name)


class _Reader:
    def __init__(self, package: Package) -> None:
        self._package = package
        self._file = str(package.model_file)

    def function(self, name: str) -> Function:
        # 1. What the model says to its callers
        description = self._package.spec.description
        for one in description.functions:
            if one.name == name:
                description = one
                break
        inputs, outputs = self._features(description.input), self._features(description.output)
        # 2. What the program says
        body = self._package.spec.mlProgram.functions[name]
        if body.opset not in body.block_specializations:
            raise self._damaged()
        block = body.block_specializations[body.opset]
        types = {one.name: self._tensor_type(one.type) for one in body.inputs}
        operations = tuple(self._operation(one) for one in block.operations)
        # 3. Both say the same
        if set(types) != set(inputs) or set(block.outputs) != set(outputs):
            raise self._damaged()
        if any(types[key].shape != spec.shape for key, spec in inputs.items()):
            raise self._damaged()
        self._check_order(types, operations, block.outputs)
        return Function(name, inputs, outputs, types, operations, tuple(block.outputs))

    def _check_order(
        self, types: Mapping[str, TensorType], operations: tuple[Operation, ...], results: Any
    ) -> None:
        """Every value is made once, and before it is used."""
        known = set(types)
        for operation in operations:
            if any(one.name not in known for one in named_arguments(operation)):
                raise self._damaged()
            for made, _ in operation.outputs:
                if made in known:
                    raise self._damaged()
                known.add(made)
        if not known.issuperset(results):
            raise self._damaged()

    # --- the model's own words ----------------------------------------------------------------

    def _features(self, described: Any) -> dict[str, FeatureSpec]:
        features = {one.name: self._feature(one) for one in described}
        if len(features) != len(described):
            raise self._damaged()
        return features

    def _feature(self, feature: Any) -> FeatureSpec:
        kind = feature.type.WhichOneof("Type")
        array = feature.type.multiArrayType
        dtype = _FEATURE_TYPES.get(array.dataType)
        if kind != "multiArrayType" or dtype is None or feature.type.isOptional:
            raise ModelUnsupported(str(self._package.path), f"{feature.name}: {kind}")
        if array.WhichOneof("ShapeFlexibility") is not None:
            raise ModelUnsupported(str(self._package.path), f"{feature.name}: flexible shape")
        shape = tuple(int(size) for size in array.shape)
        self._check_shape(shape)
        return FeatureSpec(feature.name, shape, dtype)

    # --- the program --------------------------------------------------------------------------

    def _operation(self, message: Any) -> Operation:
        if message.blocks:
            raise ModelUnsupported(str(self._package.path), message.type)
        arguments = {key: self._argument(one) for key, one in message.inputs.items()}
        if message.type.startswith("const"):
            for key, value in message.attributes.items():
                if key != "name":
                    arguments[key] = (self._constant(value),)
        name = message.outputs[0].name if message.outputs else ""
        outputs = tuple((one.name, self._output_type(one.type)) for one in message.outputs)
        return Operation(message.type, name, arguments, outputs)

    def _argument(self, message: Any) -> Argument:
        return tuple(
            Named(one.name) if one.WhichOneof("binding") == "name" else self._constant(one.value)
            for one in message.arguments
        )

    def _output_type(self, message: Any) -> TensorType | None:
        """None for strings and lists, which only constants are."""
        if message.WhichOneof("type") != "tensorType" or message.tensorType.dataType == STRING:
            return None
        return self._tensor_type(message)

    def _tensor_type(self, message: Any) -> TensorType:
        tensor = message.tensorType
        if message.WhichOneof("type") != "tensorType" or tensor.dataType not in BY_PROTO:
            raise ModelUnsupported(str(self._package.path), f"MIL type {tensor.dataType}")
        shape = tuple(
            int(one.constant.size) if one.WhichOneof("dimension") == "constant" else UNKNOWN
            for one in tensor.dimensions
        )
        if tensor.rank != len(shape):
            raise self._damaged()
        self._check_shape(shape)
        return TensorType(BY_PROTO[tensor.dataType], shape)

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        if len(shape) > MAX_RANK or any(one < UNKNOWN for one in shape):
            raise self._damaged()
        if math.prod(max(one, 1) for one in shape) > MAX_ELEMENTS:
            raise self._damaged()

    # --- constants ----------------------------------------------------------------------------

    def _constant(self, value: Any) -> Constant:
        kind = value.WhichOneof("value")
        if kind == "blobFileValue":
            type_ = self._tensor_type(value.type)
            if UNKNOWN in type_.shape:
                raise self._damaged()
            file = self._package.weight_file(value.blobFileValue.fileName)
            return file.find(value.blobFileValue.offset, type_.element, type_.shape)
        if kind != "immediateValue":
            raise self._damaged()
        if value.immediateValue.WhichOneof("value") == "list":
            return tuple(self._strings(value.immediateValue.list))
        if value.immediateValue.WhichOneof("value") != "tensor":
            raise ModelUnsupported(str(self._package.path), "constant that is no tensor")
        return self._immediate(value)

    def _strings(self, message: Any) -> Iterator[str]:
        for one in message.values:
            text = self._constant(one)
            if not isinstance(text, str):
                raise ModelUnsupported(str(self._package.path), "list of tensors")
            yield text

    def _immediate(self, value: Any) -> Immediate:
        tensor = value.immediateValue.tensor
        if value.type.tensorType.dataType == STRING:
            if len(tensor.strings.values) != 1:
                raise self._damaged()
            return str(tensor.strings.values[0])
        # 1. As many numbers as the type says
        type_ = self._tensor_type(value.type)
        element, count = type_.element, math.prod(type_.shape)
        if UNKNOWN in type_.shape:
            raise self._damaged()
        field = _IMMEDIATE_FIELDS.get(element.name)
        if field is not None:
            numbers = getattr(tensor, field).values
            if len(numbers) != count:
                raise self._damaged()
            return torch.tensor(list(numbers), dtype=element.torch).reshape(type_.shape)
        raw = tensor.bytes.values
        if len(raw) != packed_size(element.bits, count):
            raise self._damaged()
        # 2. in a tensor of their own
        if element.packed:
            return unpacked(np.frombuffer(raw, np.uint8), element, type_.shape)
        if count == 0:
            return torch.empty(type_.shape, dtype=element.torch)
        return torch.frombuffer(bytearray(raw), dtype=element.torch).reshape(type_.shape)

    def _damaged(self) -> ModelDamaged:
        return ModelDamaged(self._file, "mismatch")


def named_arguments(operation: Operation) -> Iterator[Named]:
    """The values of others that ``operation`` uses."""
    for argument in operation.arguments.values():
        for one in argument:
            if isinstance(one, Named):
                yield one
