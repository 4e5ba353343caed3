"""What runs a Core ML model. Backends: Core ML through PyObjC, and the interpreter on any system.

One conformance suite (tests/engine/coreml/runtime_conformance.py) holds all backends.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from app.core.coreml_manifest import FeatureSpec, Units

Array = np.ndarray[Any, np.dtype[Any]]


class Model(Protocol):
    """One loaded function of one model. For one thread; ``predict`` cannot be interrupted."""

    @property
    def inputs(self) -> Mapping[str, FeatureSpec]: ...

    @property
    def outputs(self) -> Mapping[str, FeatureSpec]: ...

    def predict(self, values: Mapping[str, Array]) -> dict[str, Array]:
        """The answers as float32, C order, owned by the caller.

        ``values`` has exactly the names and shapes of ``inputs``; numbers are cast to the declared
        dtype. Raises PredictionFailed for anything else, and for what Core ML says.
        """
        ...

    def close(self) -> None:
        """Free it. Idempotent; ``predict`` after it raises RuntimeError."""
        ...


class Runtime(Protocol):
    """Opens models."""

    def open(self, path: Path, units: Units, function: str = "main") -> Model:
        """Load ``path`` (.mlmodelc or .mlpackage). Raises ModelIncomplete, ModelDamaged,
        ModelUnsupported, OutOfMemory, PredictionFailed."""
        ...
