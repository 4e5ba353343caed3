"""One operation of a program, bound to its kernel and to where its arguments come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from app.convert.mil.kernels import DECLARED, Bools, Ints, Kernel, Tensor, Tensors
from app.convert.mil.program import Operation
from app.core.errors import OutOfMemory

SMALL = 1 << 16
"""Elements: constants up to this size are widened or unpacked once, larger ones when needed."""

_NARROW = (torch.float16, torch.bfloat16)
_OUT_OF_MEMORY = ("can't allocate memory", "not enough memory")


class ProgramFault(Exception):
    """An operation that cannot be what the program says: its name, and what is wrong with it."""

    def __init__(self, operation: str, detail: str) -> None:
        super().__init__(f"{operation}: {detail}")
        self.operation = operation
        self.detail = detail


class UnknownOperation(Exception):
    """An operation, or an input of one, that is not in the table. The message names it."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A value that is made while the function runs."""

    index: int


class Deferred(Protocol):
    """A constant that is read when it is needed."""

    @property
    def elements(self) -> int: ...

    def read(self) -> Tensor: ...


Source = Slot | Deferred | Tensor | str | tuple[str, ...]
"""Where a value comes from."""

Later = tuple[str, Any, tuple[Source, ...]]
"""An argument that is read at each run: its name, its annotation, where from."""


@dataclass(frozen=True, slots=True)
class Call:
    """``fixed``: the arguments that never change."""

    operation: Operation
    kernel: Kernel
    fixed: Mapping[str, Any]
    later: tuple[Later, ...]

    def slots(self) -> set[int]:
        """The values of others that it needs."""
        return {
            source.index
            for _, _, sources in self.later
            for source in sources
            if isinstance(source, Slot)
        }

    def run(self, values: Sequence[Tensor | None]) -> Tensors:
        """Its results, of the declared shapes and kinds (not yet of the declared types).

        ``values`` by slot. Raises ProgramFault, OutOfMemory.
        """
        arguments = dict(self.fixed)
        try:
            for name, hint, sources in self.later:
                read = tuple(_read(source, values) for source in sources)
                arguments[name] = _argument(hint, read, self.kernel.computes)
            answer = self.kernel.function(**arguments)
        except MemoryError as error:
            raise OutOfMemory() from error
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            if any(words in str(error) for words in _OUT_OF_MEMORY):
                raise OutOfMemory() from error
            raise ProgramFault(self.operation.name, f"{self.operation.type}: {error}") from error
        results = answer if isinstance(answer, tuple) else (answer,)
        self._check(results)
        return results

    def _check(self, results: Tensors) -> None:
        if len(results) != len(self.operation.outputs):
            raise ProgramFault(self.operation.name, f"gives {len(results)} results")
        for result, (name, declared) in zip(results, self.operation.outputs, strict=True):
            if declared is None or not declared.fits(tuple(result.shape)):
                raise ProgramFault(name, f"is {list(result.shape)}, declared {declared}")
            if _kind(result.dtype) != _kind(declared.element.torch):
                raise ProgramFault(name, f"is {result.dtype}, declared {declared}")


def bind(operation: Operation, kernel: Kernel, arguments: Mapping[str, tuple[Source, ...]]) -> Call:
    """``operation`` with all that can be read now already read.

    Raises UnknownOperation (an input that the kernel does not have), ProgramFault.
    """
    unknown = arguments.keys() - kernel.parameters.keys()
    if unknown:
        raise UnknownOperation(f"{operation.type} with {min(unknown)}")
    missing = kernel.required - arguments.keys()
    if missing:
        raise ProgramFault(operation.name, f"{operation.type} without {min(missing)}")
    fixed: dict[str, Any] = {}
    later: list[Later] = []
    for name, sources in arguments.items():
        hint = kernel.parameters[name]
        if len(sources) != 1 and hint != Tensors:
            raise ProgramFault(operation.name, f"{operation.type}: {len(sources)} for {name}")
        if any(_is_later(source, kernel.computes) for source in sources):
            later.append((name, hint, sources))
            continue
        try:
            fixed[name] = _argument(hint, sources, kernel.computes)
        except (TypeError, ValueError) as error:
            raise ProgramFault(operation.name, f"{operation.type}: {error}") from error
    if kernel.wants_declared and operation.outputs:
        fixed[DECLARED] = operation.outputs[0][1]
    return Call(operation, kernel, fixed, tuple(later))


def _is_later(source: Source, computes: bool) -> bool:
    if isinstance(source, str | tuple):
        return False
    if isinstance(source, torch.Tensor):
        return computes and source.dtype in _NARROW and source.numel() > SMALL
    return True


def _read(source: Source, values: Sequence[Tensor | None]) -> Any:
    if isinstance(source, Slot):
        return values[source.index]
    if isinstance(source, torch.Tensor | str | tuple):
        return source
    return source.read()


def _argument(hint: Any, read: tuple[Any, ...], computes: bool) -> Any:
    """``read`` as a kernel's parameter annotated ``hint``. Raises TypeError, ValueError."""
    if hint == Tensors:
        return tuple(_tensor(one, computes) for one in read)
    (value,) = read
    if hint is Tensor:
        return _tensor(value, computes)
    if hint is str:
        if not isinstance(value, str):
            raise TypeError("a number where a word is needed")
        return value
    if not isinstance(value, torch.Tensor):
        raise TypeError("a word where a number is needed")
    if hint in (Ints, Bools):
        convert = int if hint == Ints else bool
        return tuple(convert(one) for one in value.reshape(-1).tolist())
    return hint(value.item())


def _tensor(value: Any, computes: bool) -> Tensor:
    if not isinstance(value, torch.Tensor):
        raise TypeError("a word where numbers are needed")
    return value.float() if computes and value.dtype in _NARROW else value


def _kind(dtype: torch.dtype) -> str:
    if dtype.is_floating_point:
        return "float"
    return "bool" if dtype == torch.bool else "int"
