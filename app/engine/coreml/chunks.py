"""UNets that were cut in two for machines short of memory: two models that work as one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from app.core.coreml_manifest import FeatureSpec, Units
from app.engine.coreml.runtime import Array, Model, Runtime

FIRST_CHUNK = "UnetChunk1"
SECOND_CHUNK = "UnetChunk2"


class ChunkedRuntime:
    """``runtime``, which opens ``UnetChunk1`` together with the ``UnetChunk2`` beside it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def open(self, path: Path, units: Units, function: str = "main") -> Model:
        """As ``Runtime.open``."""
        first = self._runtime.open(path, units, function)
        if path.stem != FIRST_CHUNK:
            return first
        try:
            other = path.with_name(f"{SECOND_CHUNK}{path.suffix}")
            return _Chunked(first, self._runtime.open(other, units, function))
        except BaseException:
            first.close()
            raise


class _Chunked:
    def __init__(self, first: Model, second: Model) -> None:
        self._first = first
        self._second = second
        more = {n: one for n, one in second.inputs.items() if n not in first.outputs}
        self.inputs: Mapping[str, FeatureSpec] = {**first.inputs, **more}
        self.outputs: Mapping[str, FeatureSpec] = second.outputs

    def predict(self, values: Mapping[str, Array]) -> dict[str, Array]:
        """As ``Model.predict``. Values that neither takes go to the first, which refuses them."""
        own = {n: v for n, v in values.items() if n not in self._second.inputs}
        shared = {n: v for n, v in values.items() if n in self._first.inputs}
        between = self._first.predict({**own, **shared})
        rest = {n: v for n, v in values.items() if n in self._second.inputs}
        return self._second.predict({**rest, **between})

    def close(self) -> None:
        self._first.close()
        self._second.close()
