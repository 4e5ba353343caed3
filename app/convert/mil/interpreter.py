"""Runs a function of an ML Program, operation by operation, on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import torch

from app.convert.mil.calls import ProgramFault, Slot, UnknownOperation
from app.convert.mil.element_types import BY_NAME
from app.convert.mil.package import Package, open_package
from app.convert.mil.plan import KEPT_BYTES, Plan, make_plan
from app.convert.mil.program import Function, Operation, TensorType
from app.convert.mil.reading import read_function
from app.core.errors import ModelDamaged, ModelUnsupported

Mode = Literal["fp32", "typed"]
"""What becomes of each operation's result. "fp32": it stays float32 whatever is declared, which
proves the graph and its weights. "typed": it is rounded to its declared type, which is what a
device does at the least. Arithmetic is float32 in both."""

Observer = Callable[[Operation, tuple[torch.Tensor, ...]], None]
"""Told of each operation and its results, as they are kept."""


class Interpreter:
    """One function of one package. It keeps the weight file mapped while it lives."""

    def __init__(self, package: Package, function: str, mode: Mode, kept: int = KEPT_BYTES) -> None:
        """``kept``: bytes of unpacked constants to keep between runs.

        Raises ModelIncomplete, ModelDamaged, ModelUnsupported (an unknown operation, by name),
        OutOfMemory.
        """
        read = read_function(package, function)
        try:
            self._plan: Plan = make_plan(read, kept)
        except UnknownOperation as error:
            raise ModelUnsupported(str(package.path), str(error)) from error
        except ProgramFault as error:
            raise ModelDamaged(str(package.model_file), "mismatch") from error
        self._typed = mode == "typed"

    @classmethod
    def open(
        cls, path: Path, function: str = "main", mode: Mode = "fp32", kept: int = KEPT_BYTES
    ) -> Interpreter:
        """Also raises ModelMissing."""
        return cls(open_package(path), function, mode, kept)

    @property
    def function(self) -> Function:
        return self._plan.function

    def run(
        self, inputs: Mapping[str, torch.Tensor], observe: Observer | None = None
    ) -> dict[str, torch.Tensor]:
        """The results by name, in the types that the mode gives them.

        ``inputs`` has every input of the function, in its shape. Raises ProgramFault (an
        operation's result is not what it is declared to be), OutOfMemory.
        """
        plan = self._plan
        values: list[torch.Tensor | None] = [None] * plan.size
        with torch.inference_mode():
            # 1. Inputs, in the model's types and then in the program's
            for name, slot in plan.inputs.items():
                described = inputs[name].to(BY_NAME[plan.function.inputs[name].dtype].torch)
                values[slot] = self._kept(described, plan.function.types[name])
            # 2. Each operation; what nobody needs any longer is let go at once
            for step in plan.steps:
                results = step.call.run(values)
                for result, (slot, declared) in zip(results, step.outputs, strict=True):
                    values[slot] = self._kept(result, declared)
                if observe is not None:
                    made = tuple(values[slot] for slot, _ in step.outputs)
                    observe(step.call.operation, made)  # type: ignore[arg-type]
                for slot in step.ends:
                    values[slot] = None
            # 3. What was asked for
            return {name: self._result(name, values) for name in plan.results}

    def _kept(self, result: torch.Tensor, declared: TensorType) -> torch.Tensor:
        if result.is_floating_point() and not self._typed:
            return result.float()
        return result.to(declared.element.torch)

    def _result(self, name: str, values: list[torch.Tensor | None]) -> torch.Tensor:
        source = self._plan.results[name]
        tensor = values[source.index] if isinstance(source, Slot) else source
        if not isinstance(tensor, torch.Tensor):
            raise ProgramFault(name, "is no tensor")
        if tuple(tensor.shape) != self._plan.function.outputs[name].shape:
            raise ProgramFault(name, f"is {list(tensor.shape)}, another shape than described")
        return tensor
