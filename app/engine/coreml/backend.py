"""What preparing needs of a system: something that opens models, and perhaps compiles them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.core.coreml_manifest import Units
from app.engine.coreml.bridge import bridge_of_this_mac
from app.engine.coreml.chunks import ChunkedRuntime
from app.engine.coreml.compute_plan import Shares
from app.engine.coreml.pyobjc_runtime import CoreMLRuntime
from app.engine.coreml.runtime import Runtime


class Compiler(Protocol):
    """Makes compiled models at fixed places, and says where their work will be done."""

    def compile(self, path: Path) -> Path: ...

    def plan(self, path: Path, units: Units, function: str = "main") -> Shares | None: ...


@dataclass(frozen=True, slots=True)
class Backend:
    """``compiler`` is None where models are opened as they are."""

    runtime: Runtime
    compiler: Compiler | None = None


BackendFactory = Callable[[], Backend]
"""Picklable by name: a child process calls it."""


def core_ml(cache: Path) -> Backend:
    """Core ML of this Mac; compiled models in ``cache``. Raises PlacementUnavailable elsewhere."""
    runtime = CoreMLRuntime(bridge_of_this_mac(), cache)
    return Backend(ChunkedRuntime(runtime), runtime)
