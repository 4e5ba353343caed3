"""Looks a package through for what is known to go wrong on a Mac, without running it.

Each rule is the lesson of a defect, ours or a published one (research/coreml.md, A6 and B).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from app.convert.mil.element_types import BY_PROTO
from app.convert.mil.package import Package, open_package
from app.core.coreml_manifest import FeatureSpec, FunctionSpec

MAX_RANK = 5
LARGEST = 65504.0
"""Of fp16."""

_ARITHMETIC = frozenset({"add", "cos", "mul", "real_div", "rsqrt", "sin", "sub", "tanh"})
_LAYERS = frozenset(
    {"conv", "einsum", "gelu", "layer_norm", "linear", "matmul", "pad", "relu"}
    | {"scaled_dot_product_attention", "sigmoid", "silu", "softmax", "upsample_nearest_neighbor"}
)
_SHAPING = frozenset(
    {"cast", "concat", "const", "expand_dims", "identity", "reshape", "slice_by_index"}
    | {"split", "squeeze", "stack", "tile", "transpose"}
)
_CHOOSING = frozenset(
    {"equal", "gather", "gather_along_axis", "gather_nd", "greater", "greater_equal", "maximum"}
    | {"reduce_argmax", "reduce_l2_norm", "reduce_max", "reduce_mean", "reduce_sum", "select"}
)
OPERATIONS = _ARITHMETIC | _LAYERS | _SHAPING | _CHOOSING | {"constexpr_lut_to_dense"}
"""What our packages are made of; each is known to run on the Neural Engine or beside it."""
SINUSOID = frozenset(
    {"cast", "concat", "cos", "expand_dims", "mul", "reshape", "sin", "slice_by_index"}
)
"""What may compute in fp32."""

_TYPES = {65552: "float16", 65568: "float32", 131104: "int32"}
_FLOATS = {"float16", "float32"}
_SAME = frozenset({"cast", "identity", "reshape", "expand_dims", "squeeze"})
"""What hands an attention matrix on as it is."""


class Rule(StrEnum):
    OPERATION = "unknown operation"
    RANK = "more than five dimensions"
    WIDE = "fp32 outside of the sinusoid"
    CONSTANT = "a constant that fp16 does not hold"
    TRANSPOSED = "a transposed attention matrix"
    INTERFACE = "other names, shapes or types than declared"


@dataclass(frozen=True, slots=True)
class Fault:
    """``where``: the name of a result, a constant or a feature."""

    rule: Rule
    where: str


def lint(path: Any, declared: Iterable[FunctionSpec]) -> list[Fault]:
    """What is wrong with the package at ``path``, said to have the functions ``declared``.

    A package whose inputs and outputs all are fp32 may compute in it. Raises ModelError.
    """
    package = open_package(path)
    wanted = {function.name: function for function in declared}
    faults = [
        Fault(Rule.INTERFACE, name)
        for name in wanted.keys() ^ set(package.spec.mlProgram.functions)
    ]
    for name, function in package.spec.mlProgram.functions.items():
        if name in wanted:
            faults += _interface(package, name, function, wanted[name])
            faults += _Reader(package, _is_wide(wanted[name])).read(function)
    return faults


def functions_of(path: Any) -> dict[str, tuple[tuple[FeatureSpec, ...], tuple[FeatureSpec, ...]]]:
    """Inputs and outputs of each function as the package describes them. Raises ModelError."""
    return {name: _features(part) for name, part in _descriptions(open_package(path)).items()}


def _descriptions(package: Package) -> dict[str, Any]:
    description = package.spec.description
    several = {part.name: part for part in description.functions}
    return several or {"main": description}


def _features(part: Any) -> tuple[tuple[FeatureSpec, ...], tuple[FeatureSpec, ...]]:
    inputs, outputs = (
        tuple(
            FeatureSpec(
                one.name,
                tuple(one.type.multiArrayType.shape),
                _TYPES.get(one.type.multiArrayType.dataType, "unknown"),
            )
            for one in side
        )
        for side in (part.input, part.output)
    )
    return inputs, outputs


def _interface(package: Package, name: str, function: Any, wanted: FunctionSpec) -> Iterator[Fault]:
    """The description says what was declared, and the program says what the description does."""
    inputs, outputs = _features(_descriptions(package)[name])
    for found, expected in ((inputs, wanted.inputs), (outputs, wanted.outputs)):
        for one in set(found) ^ set(expected):
            yield Fault(Rule.INTERFACE, one.name)
    (block,) = function.block_specializations.values()
    results = {out.name: out for op in block.operations for out in op.outputs}
    takes = {(one.name, *_typed(one.type)) for one in function.inputs}
    gives = {(name, *_typed(results[name].type)) for name in block.outputs if name in results}
    for side, features in ((takes, inputs), (gives, outputs)):
        for odd in side ^ {(one.name, one.dtype, one.shape) for one in features}:
            yield Fault(Rule.INTERFACE, odd[0])


def _is_wide(function: FunctionSpec) -> bool:
    floats = [one for one in (*function.inputs, *function.outputs) if one.dtype in _FLOATS]
    return all(one.dtype == "float32" for one in floats)


def _typed(value_type: Any) -> tuple[str, tuple[int, ...]]:
    """Element type and shape of a result."""
    tensor = value_type.tensorType
    element = BY_PROTO.get(tensor.dataType)
    sides = tuple(int(side.constant.size) for side in tensor.dimensions)
    return (element.name if element else "string"), sides


@dataclass(slots=True)
class _Reader:
    """Reads one function from the first operation to the last, and remembers what it saw.

    ``timed`` are results that depend on fp32 inputs and constants alone; ``weights`` attention
    matrices, ``turned`` transposed ones.
    """

    package: Package
    wide: bool
    constants: dict[str, Any] = field(default_factory=dict)
    timed: set[str] = field(default_factory=set)
    weights: set[str] = field(default_factory=set)
    turned: set[str] = field(default_factory=set)

    def read(self, function: Any) -> Iterator[Fault]:
        self.timed |= {one.name for one in function.inputs if _typed(one.type)[0] == "float32"}
        (block,) = function.block_specializations.values()
        for op in block.operations:
            yield from self._operation(op)

    def _operation(self, op: Any) -> Iterator[Fault]:
        result = op.outputs[0].name if op.outputs else op.type
        if op.type not in OPERATIONS:
            yield Fault(Rule.OPERATION, result)
        if any(len(_typed(out.type)[1]) > MAX_RANK for out in op.outputs):
            yield Fault(Rule.RANK, result)
        for value in op.attributes.values():
            if not self._is_sound(value):
                yield Fault(Rule.CONSTANT, result)
        if op.type == "const" or op.type.startswith("constexpr"):
            self.constants[result] = op.attributes.get("val")
            return
        named = {name: _names(argument) for name, argument in op.inputs.items()}
        taken = [one for names in named.values() for one in names if one not in self.constants]
        yield from self._precision(op, result, taken)
        yield from self._attention(op, result, named)

    def _precision(self, op: Any, result: str, taken: list[str]) -> Iterator[Fault]:
        timed = bool(taken) and all(one in self.timed for one in taken)
        if any(_typed(out.type)[0] == "float32" for out in op.outputs):
            if not self.wide and not (timed and op.type in SINUSOID):
                yield Fault(Rule.WIDE, result)
            if timed:
                self.timed |= {out.name for out in op.outputs}

    def _attention(self, op: Any, result: str, named: dict[str, list[str]]) -> Iterator[Fault]:
        first = (named.get("x") or [""])[0]
        if op.type == "softmax":
            self.weights.add(result)
        elif op.type == "transpose" and first in self.weights | self.turned:
            self.turned.add(result)
        elif op.type in _SAME:
            for seen in (self.weights, self.turned):
                if first in seen:
                    seen.add(result)
        elif op.type in ("matmul", "einsum"):
            taken = {one for names in named.values() for one in names}
            flagged = any(
                (named.get(side) or [""])[0] in self.weights and self._flag(named, flag)
                for side, flag in (("x", "transpose_x"), ("y", "transpose_y"))
            )
            if flagged or taken & self.turned:
                yield Fault(Rule.TRANSPOSED, result)

    def _flag(self, named: dict[str, list[str]], flag: str) -> bool:
        value = self.constants.get((named.get(flag) or [""])[0])
        return value is not None and any(value.immediateValue.tensor.bools.values)

    def _is_sound(self, value: Any) -> bool:
        """No number of a floating-point constant is infinite, none, or too large for fp16."""
        kind, sides = _typed(value.type)
        if kind not in _FLOATS:
            return True
        numbers = self._numbers(value, kind, sides)
        return bool(np.isfinite(numbers).all()) and (
            kind == "float16" or float(np.abs(numbers).max(initial=0.0)) <= LARGEST
        )

    def _numbers(self, value: Any, kind: str, sides: tuple[int, ...]) -> Any:
        if value.WhichOneof("value") == "blobFileValue":
            blob = value.blobFileValue
            element = BY_PROTO[value.type.tensorType.dataType]
            file = self.package.weight_file(blob.fileName)
            return file.find(blob.offset, element, sides).read().numpy()
        tensor = value.immediateValue.tensor
        if kind == "float16":
            return np.frombuffer(tensor.bytes.values, np.float16)
        return np.array(tensor.floats.values, np.float32)


def _names(argument: Any) -> list[str]:
    return [one.name for one in argument.arguments if one.WhichOneof("binding") == "name"]
