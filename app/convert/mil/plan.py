"""A function of a program made ready to run: which kernel, on which values, in which order."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from app.convert.mil.blob import Stored
from app.convert.mil.calls import (
    SMALL,
    Call,
    ProgramFault,
    Slot,
    Source,
    UnknownOperation,
    bind,
)
from app.convert.mil.operations import CONST, CONSTANTS, OPERATIONS
from app.convert.mil.program import Argument, Function, Named, Operation, TensorType

KEPT_BYTES = 1 << 30
"""Of unpacked constants that are kept from one run to the next, for the whole function."""


@dataclass(slots=True)
class Room:
    """Bytes left for unpacked constants. First come, first kept: each run asks for all of them in
    the same order, so making room for the newest would throw each out before its next use."""

    left: int

    def take(self, size: int) -> bool:
        if size > self.left:
            return False
        self.left -= size
        return True


class Unpacked:
    """A compressed constant, unpacked when it is needed, and kept where there is room."""

    def __init__(self, call: Call, declared: TensorType, room: Room) -> None:
        self.elements = math.prod(declared.shape)
        self._call = call
        self._declared = declared
        self._room = room
        self._kept = self._unpack() if self.elements <= SMALL else None

    def read(self) -> torch.Tensor:
        if self._kept is not None:
            return self._kept
        tensor = self._unpack()
        if self._room.take(tensor.nbytes):
            self._kept = tensor
        return tensor

    def _unpack(self) -> torch.Tensor:
        (tensor,) = self._call.run(())
        if tensor.dtype != self._declared.element.torch:
            name = self._call.operation.name
            raise ProgramFault(name, f"is {tensor.dtype}, declared {self._declared}")
        return tensor


@dataclass(frozen=True, slots=True)
class Step:
    """``outputs``: slot and declared type of each result; ``ends``: slots nobody needs later."""

    call: Call
    outputs: tuple[tuple[int, TensorType], ...]
    ends: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """``inputs``: the slot of each; ``results``: by name, where from; ``size``: slots in all."""

    function: Function
    steps: tuple[Step, ...]
    inputs: Mapping[str, int]
    results: Mapping[str, Source]
    size: int


def make_plan(function: Function, kept_bytes: int = KEPT_BYTES) -> Plan:
    """Raises UnknownOperation, ProgramFault, OutOfMemory."""
    return _Planner(function, kept_bytes).plan()


class _Planner:
    def __init__(self, function: Function, kept_bytes: int) -> None:
        self._function = function
        self._room = Room(kept_bytes)
        self._sources: dict[str, Source] = {}
        self._slots = 0

    def plan(self) -> Plan:
        # 1. A slot for each input
        inputs = {name: self._slot(name) for name in self._function.inputs}
        # 2. A source for each constant, a step for everything else
        steps = []
        for operation in self._function.operations:
            if operation.type == CONST:
                self._add_constant(operation)
            elif operation.type in CONSTANTS:
                self._add_unpacked(operation)
            else:
                steps.append(self._step(operation))
        results = {name: self._sources[name] for name in self._function.results}
        # 3. When each value is needed last
        ended = _with_ends(steps, {one.index for one in results.values() if isinstance(one, Slot)})
        return Plan(self._function, ended, inputs, results, self._slots)

    def _slot(self, name: str) -> int:
        self._sources[name] = Slot(self._slots)
        self._slots += 1
        return self._slots - 1

    def _add_constant(self, operation: Operation) -> None:
        values = self._read(operation.arguments.get("val", ()))
        if len(operation.outputs) != 1 or len(values) != 1 or isinstance(values[0], Slot):
            raise ProgramFault(operation.name, "not a constant")
        ((name, declared),) = operation.outputs
        value = values[0]
        if isinstance(value, torch.Tensor):
            same = declared is not None and declared.fits(tuple(value.shape))
            if declared is None or not same or value.dtype != declared.element.torch:
                raise ProgramFault(name, f"is {value.dtype}{list(value.shape)}, not {declared}")
        self._sources[name] = value

    def _add_unpacked(self, operation: Operation) -> None:
        call = bind(operation, CONSTANTS[operation.type], self._arguments(operation))
        if call.slots():
            raise ProgramFault(operation.name, "a constant made of what is none")
        declared = operation.outputs[0][1] if len(operation.outputs) == 1 else None
        if declared is None:
            raise ProgramFault(operation.name, "not one tensor")
        self._sources[operation.outputs[0][0]] = Unpacked(call, declared, self._room)

    def _step(self, operation: Operation) -> Step:
        kernel = OPERATIONS.get(operation.type)
        if kernel is None:
            raise UnknownOperation(operation.type)
        call = bind(operation, kernel, self._arguments(operation))
        outputs = []
        for name, declared in operation.outputs:
            if declared is None:
                raise ProgramFault(name, "a result that is no tensor")
            outputs.append((self._slot(name), declared))
        return Step(call, tuple(outputs))

    def _arguments(self, operation: Operation) -> dict[str, tuple[Source, ...]]:
        return {name: self._read(one) for name, one in operation.arguments.items()}

    def _read(self, argument: Argument) -> tuple[Source, ...]:
        return tuple(
            self._sources[one.name]
            if isinstance(one, Named)
            else one.read()
            if isinstance(one, Stored) and not one.element.packed
            else one
            for one in argument
        )


def _with_ends(steps: list[Step], kept: set[int]) -> tuple[Step, ...]:
    """``steps`` with the slots that end at each, but for those that are ``kept``."""
    seen = set(kept)
    ended = []
    for step in reversed(steps):
        touched = step.call.slots() | {slot for slot, _ in step.outputs}
        ended.append(replace(step, ends=tuple(touched - seen)))
        seen |= touched
    return tuple(reversed(ended))
