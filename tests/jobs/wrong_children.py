"""Work of children that goes wrong in its own way. Picklable by name."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from app.convert.coreml.verifying import Compared

Report = Callable[[object], None]
Cancelled = Callable[[], bool]

_DESCRIBES = b"\xef\xbe\xad\xde"
"""Begins a block of a weight file that says what the next ones are."""


def liar(report: Report, cancelled: Cancelled) -> None:  # noqa: ARG001
    """Says that it is somebody who lives on."""
    report(os.getppid())
    time.sleep(60)


def tampered(folder: Path, report: Report, cancelled: Cancelled) -> tuple[Compared, ...]:  # noqa: ARG001
    """Converts the toy, and changes the weights in the file before they are run."""
    from app.convert.coreml.toy import PACKAGE, run_toy, write_toy

    write_toy(folder)
    (weights,) = (folder / PACKAGE).rglob("weight.bin")
    data = bytearray(weights.read_bytes())
    for block in range(64, len(data), 64):
        if data[block : block + 4] != _DESCRIBES:
            for at in range(block + 1, min(block + 64, len(data)), 4):
                data[at] ^= 0x80  # the sign of every other number
    weights.write_bytes(data)
    return run_toy(folder)
