"""The modules of PyObjC that speak to Core ML, and what Core ML's errors mean."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.errors import (
    EaselError,
    ModelDamaged,
    OutOfMemory,
    PlacementUnavailable,
    PredictionFailed,
)


@dataclass(frozen=True, slots=True)
class Bridge:
    """``CoreML``, ``Foundation`` and ``objc`` as PyObjC gives them, or what stands in for them."""

    coreml: Any
    foundation: Any
    objc: Any

    @contextmanager
    def asking(self, part: str) -> Iterator[None]:
        """A stretch of messages to Core ML about ``part``.

        A thread of Python has no autorelease pool: without one, whatever Core ML hands out (the
        memory of each answer) is never freed. What it throws is PredictionFailed.
        """
        with self.objc.autorelease_pool():
            try:
                yield
            except self.objc.error as thrown:
                raise PredictionFailed(part, str(thrown)) from thrown

    def url(self, path: Path) -> Any:
        return self.foundation.NSURL.fileURLWithPath_(str(path))

    def failure(self, part: str, path: Path, error: Any) -> EaselError:
        """What an NSError says; ``error`` may be None, where Core ML gave nothing and no reason."""
        if error is None:
            return PredictionFailed(part, "Core ML gave no reason")
        kind = str(error.domain()), int(error.code())
        if kind == (str(self.foundation.NSPOSIXErrorDomain), errno.ENOMEM):
            return OutOfMemory()
        if kind == (str(self.coreml.MLModelErrorDomain), int(self.coreml.MLModelErrorIO)):
            return ModelDamaged(str(path), "not Core ML")
        return PredictionFailed(part, str(error.localizedDescription()))


def bridge_of_this_mac() -> Bridge:
    """Imports PyObjC, which takes a tenth of a second. Raises PlacementUnavailable elsewhere."""
    try:
        import CoreML  # type: ignore
        import Foundation  # type: ignore
        import objc  # type: ignore
    except ImportError as error:
        raise PlacementUnavailable("Core ML", "there is none") from error
    return Bridge(CoreML, Foundation, objc)
