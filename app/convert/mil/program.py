"""An ML Program as plain values: functions, operations, types and constants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from app.convert.mil.blob import Stored
from app.convert.mil.element_types import ElementType
from app.core.coreml_manifest import FeatureSpec

UNKNOWN = -1
"""A dimension that a program does not know."""


@dataclass(frozen=True, slots=True)
class TensorType:
    """``shape`` may hold ``UNKNOWN`` for values between operations."""

    element: ElementType
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.element.name}{list(self.shape)}"

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether a value of ``shape`` is what was declared."""
        return shape == self.shape or (
            len(shape) == len(self.shape)
            and all(one in (UNKNOWN, other) for one, other in zip(self.shape, shape, strict=True))
        )


Immediate = torch.Tensor | str | tuple[str, ...]
"""A constant written in the program itself. Floats keep their type; nothing is shared."""

Constant = Immediate | Stored


@dataclass(frozen=True, slots=True)
class Named:
    """A value that an earlier operation, or the caller, gives."""

    name: str


Argument = tuple[Named | Constant, ...]
"""What an input is bound to; more than one for inputs that take a list."""


@dataclass(frozen=True, slots=True)
class Operation:
    """``arguments``: its inputs, and for constants and ``constexpr_*`` its attributes too."""

    type: str
    name: str
    arguments: Mapping[str, Argument]
    outputs: tuple[tuple[str, TensorType | None], ...]


@dataclass(frozen=True, slots=True)
class Function:
    """``inputs`` and ``outputs`` are what the model declares to its callers; ``types`` what the
    program's own inputs are; ``results`` the values that it gives back, named as ``outputs``."""

    name: str
    inputs: Mapping[str, FeatureSpec]
    outputs: Mapping[str, FeatureSpec]
    types: Mapping[str, TensorType]
    operations: tuple[Operation, ...]
    results: tuple[str, ...]
