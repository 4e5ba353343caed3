"""The interpreter as a backend of the Core ML engine: the same protocol as its runtime's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from app.convert.mil.calls import ProgramFault
from app.convert.mil.interpreter import Interpreter, Mode
from app.core.coreml_manifest import STEMS, FeatureSpec, Units
from app.core.errors import ModelIncomplete, PredictionFailed

Array = np.ndarray[Any, np.dtype[Any]]

_NUMBERS = "fiu"
"""Kinds of numpy's dtypes that Core ML's arrays are made from."""


class InterpretedRuntime:
    """Opens packages on any system. ``mode``: see ``interpreter.Mode``."""

    def __init__(self, mode: Mode = "typed") -> None:
        self._mode: Mode = mode

    def open(
        self,
        path: Path,
        units: Units,  # noqa: ARG002  there is only the CPU here
        function: str = "main",
    ) -> InterpretedModel:
        """Raises ModelIncomplete, ModelDamaged, ModelUnsupported, OutOfMemory."""
        if not path.is_dir():
            raise ModelIncomplete(str(path.parent), (path.name,))
        parts = {stem: part.value for part, stem in STEMS.items()}
        part = parts.get(path.stem, path.stem)
        return InterpretedModel(Interpreter.open(path, function, self._mode), part)


class InterpretedModel:
    """One function of one package. For one thread."""

    def __init__(self, interpreter: Interpreter, part: str) -> None:
        self._interpreter: Interpreter | None = interpreter
        self._part = part
        self._inputs = interpreter.function.inputs
        self._outputs = interpreter.function.outputs

    @property
    def inputs(self) -> Mapping[str, FeatureSpec]:
        return self._inputs

    @property
    def outputs(self) -> Mapping[str, FeatureSpec]:
        return self._outputs

    def predict(self, values: Mapping[str, Array]) -> dict[str, Array]:
        """The answers as float32, C order, owned by the caller.

        ``values`` has exactly the names and shapes of ``inputs``; numbers are cast to the declared
        dtype. Raises PredictionFailed: "input", or "output" where an operation's result is not
        what the package declares (its cause says which); OutOfMemory.
        """
        if self._interpreter is None:
            raise RuntimeError("the model is closed")
        if values.keys() != self._inputs.keys():
            raise PredictionFailed(self._part, "input")
        given = {name: self._tensor(values[name], spec) for name, spec in self._inputs.items()}
        try:
            results = self._interpreter.run(given)
        except ProgramFault as error:
            raise PredictionFailed(self._part, "output") from error
        return {name: _owned(result) for name, result in results.items()}

    def close(self) -> None:
        """Let go of the weights. Idempotent."""
        self._interpreter = None

    def _tensor(self, value: Array, spec: FeatureSpec) -> torch.Tensor:
        array = np.asarray(value)
        if array.shape != spec.shape or array.dtype.kind not in _NUMBERS:
            raise PredictionFailed(self._part, "input")
        native = array.astype(array.dtype.newbyteorder("="), order="C", copy=True)
        return torch.from_numpy(native)


def _owned(result: torch.Tensor) -> Array:
    array: Array = result.to(torch.float32, copy=True).contiguous().numpy()
    return array
