"""How an operation of MIL is written here: a function whose parameters are MIL's inputs.

The annotations say what each input is: ``Tensor`` and ``Tensors`` are numbers that flow through
the program; ``int``, ``float``, ``bool``, ``str``, ``Ints`` and ``Bools`` are parameters, which are
read out of constants once. A parameter called ``declared`` is given the type of the first output.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import torch

Tensor = torch.Tensor
Tensors = tuple[torch.Tensor, ...]
Ints = tuple[int, ...]
Bools = tuple[bool, ...]

DECLARED = "declared"


@dataclass(frozen=True, slots=True)
class Kernel:
    """``parameters`` are annotations by name. ``computes``: it does arithmetic on its tensors, so
    half-precision ones are widened to float32 first; one that only moves numbers takes them as
    they are."""

    function: Callable[..., Any]
    parameters: Mapping[str, Any]
    required: frozenset[str]
    computes: bool
    wants_declared: bool


def computing(function: Callable[..., Any]) -> Kernel:
    """An operation that does arithmetic."""
    return _kernel(function, computes=True)


def moving(function: Callable[..., Any]) -> Kernel:
    """An operation that gives back numbers as it got them, or none at all."""
    return _kernel(function, computes=False)


def of_one(function: Callable[[Tensor], Tensor]) -> Kernel:
    """Arithmetic on each number of ``x``, as torch has it."""

    def kernel(x: Tensor) -> Tensor:
        return function(x)

    return computing(kernel)


def of_two(function: Callable[[Tensor, Tensor], Tensor]) -> Kernel:
    """Arithmetic on ``x`` and ``y``, broadcast, as torch has it."""

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return function(x, y)

    return computing(kernel)


def _kernel(function: Callable[..., Any], *, computes: bool) -> Kernel:
    hints = get_type_hints(function)
    signature = inspect.signature(function).parameters
    parameters = {name: _plain(hints[name]) for name in signature if name != DECLARED}
    required = frozenset(
        name for name in parameters if signature[name].default is inspect.Parameter.empty
    )
    return Kernel(function, parameters, required, computes, DECLARED in signature)


def _plain(hint: Any) -> Any:
    """``hint`` without ``| None``."""
    if get_origin(hint) is UnionType:
        (hint,) = (one for one in get_args(hint) if one is not NoneType)
    return hint
