"""What the scripts of both sides read of their own process, and how they write it down."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Watch:
    """Times every call of a network's ``forward``, wherever it is called from, in CPU seconds."""

    def __init__(self, kind: Any) -> None:
        self.spans: list[tuple[float, float]] = []
        self.dtype = ""
        self.channels_last = False
        original = kind.forward

        def forward(network: Any, *arguments: Any, **named: Any) -> Any:
            began = time.process_time()
            result = original(network, *arguments, **named)
            self.spans.append((began, time.process_time()))
            if not self.dtype:
                self._look_at(network)
            return result

        kind.forward = forward

    def spent(self) -> float:
        """CPU seconds in all calls so far."""
        return sum(end - began for began, end in self.spans)

    def forwards(self) -> list[float]:
        """CPU seconds of each call so far."""
        return [end - began for began, end in self.spans]

    def between(self) -> list[float]:
        """CPU seconds from the end of each call to the beginning of the next."""
        return [
            after[0] - before[1] for before, after in zip(self.spans, self.spans[1:], strict=False)
        ]

    def _look_at(self, network: Any) -> None:
        weight = next(p for p in network.parameters() if p.dim() in (2, 4))
        self.dtype = str(weight.dtype).removeprefix("torch.")
        last = next((p for p in network.parameters() if p.dim() == 4 and min(p.shape) > 1), None)
        self.channels_last = last is not None and last.stride(1) == 1


def peak() -> int:
    """The largest resident size of this process so far, in bytes."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def write(out: str, numbers: Mapping[str, float], facts: Mapping[str, str] | None = None) -> None:
    """Write what was measured, in the one form that ``runner`` reads."""
    text = json.dumps({"numbers": dict(numbers), "facts": dict(facts or {})})
    Path(out).write_text(text, encoding="utf-8")
