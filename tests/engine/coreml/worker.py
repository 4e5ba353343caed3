"""A runtime whose every call runs on one worker thread, as in the window: never on the main one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from app.core.coreml_manifest import FeatureSpec, Units
from app.engine.coreml.runtime import Array, Model, Runtime

Result = TypeVar("Result")
Call = Callable[..., Any]


@contextmanager
def worker() -> Iterator[Call]:
    """``call(function, *arguments)`` on a thread that is gone at the end."""
    with ThreadPoolExecutor(1) as pool:
        yield lambda function, *given: pool.submit(function, *given).result()


class OnWorker:
    """``runtime`` as a Runtime that may be used from any thread."""

    def __init__(self, runtime: Runtime, call: Call) -> None:
        self._runtime = runtime
        self._call = call

    def open(self, path: Path, units: Units, function: str = "main") -> Model:
        return _Model(self._call(self._runtime.open, path, units, function), self._call)


class _Model:
    def __init__(self, model: Model, call: Call) -> None:
        self._model = model
        self._call = call

    @property
    def inputs(self) -> Mapping[str, FeatureSpec]:
        return self._model.inputs

    @property
    def outputs(self) -> Mapping[str, FeatureSpec]:
        return self._model.outputs

    def predict(self, values: Mapping[str, Array]) -> dict[str, Array]:
        return self._call(self._model.predict, values)  # type: ignore[no-any-return]

    def close(self) -> None:
        self._call(self._model.close)
