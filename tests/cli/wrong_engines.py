"""Engines with something wrong, for the self-test to find. Picklable by name."""

from __future__ import annotations

import secrets

from app.core.events import Cancelled, Finished, Pixels, Task
from app.engine.contract import Engine, IsCancelled, Report
from tests.engine.numpy_engine import NumpyEngine


def steady() -> Engine:
    """Nothing is wrong with it, and it takes its time over each step."""
    return NumpyEngine(step_seconds=0.02)


def cannot_start() -> Engine:
    raise OSError("no such library")


class Unsteady(NumpyEngine):
    """Draws another picture each time, whatever the seed."""

    def __init__(self) -> None:
        super().__init__(step_seconds=0.02)

    def draw(self, task: Task, report: Report, cancelled: IsCancelled) -> Finished | Cancelled:
        ending = super().draw(task, report, cancelled)
        if isinstance(ending, Cancelled):
            return ending
        pixels = ending.pixels
        cut = 3 * (1 + secrets.randbelow(len(pixels.rgb) // 3 - 1))
        turned = Pixels(pixels.width, pixels.height, pixels.rgb[cut:] + pixels.rgb[:cut])
        return Finished(task.job, turned, ending.placement, ending.seconds)


class Grey(NumpyEngine):
    """Draws nothing at all, in half the size."""

    def __init__(self) -> None:
        super().__init__(step_seconds=0.02)

    def draw(self, task: Task, report: Report, cancelled: IsCancelled) -> Finished | Cancelled:
        ending = super().draw(task, report, cancelled)
        if isinstance(ending, Cancelled):
            return ending
        return Finished(task.job, Pixels(32, 32, bytes(32 * 32 * 3)), ending.placement, 0.0)
