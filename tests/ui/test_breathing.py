"""The window stays alive while Core ML predicts in its process, if predicting frees the GIL.

The measurement itself is proved: a stand-in of Core ML that holds the GIL must fail it.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from app.core.coreml_manifest import Units
from app.core.events import Cancelled, Finished, Task
from app.engine.contract import IsCancelled, Report
from app.engine.coreml.pyobjc_runtime import CoreMLRuntime
from tests.engine.coreml.standin.world import World
from tests.engine.coreml.tiny_packages import UNET, TinyModels, write_package
from tests.ui.conftest import Open
from tests.ui.numpy_easel import NumpyEasel, ScriptedEngine

BUSY_S = 0.4
"""What one prediction takes, as of a UNet on a Neural Engine."""
MOST_S = 0.2
"""Two such gaps in a row and a window feels dead; a shared machine makes some of its own."""
TICK_MS = 5


class Sleeping(TinyModels):
    """Models of make-believe that take their time, in a function of C."""

    def __init__(self, library: ctypes.CDLL) -> None:
        super().__init__()
        self._library = library

    def answer(
        self, path: Path, function: str, units: int, inputs: Mapping[str, Any]
    ) -> dict[str, Any]:
        self._library.usleep(round(BUSY_S * 1_000_000))
        return super().answer(path, function, units, inputs)


class Predicting(ScriptedEngine):
    """Draws as numpy does, after three predictions of a Core ML model on its thread."""

    def __init__(self, folder: Path, library: ctypes.CDLL) -> None:
        super().__init__()
        self._package = write_package(folder / "Unet.mlpackage", UNET)
        self._world = World(Sleeping(library), folder)
        self._runtime = CoreMLRuntime(self._world.bridge, folder / "cache")

    def draw(self, task: Task, report: Report, cancelled: IsCancelled) -> Finished | Cancelled:
        model = self._runtime.open(self._package, Units.CPU_AND_NEURAL_ENGINE)
        try:
            values = {name: np.zeros(one.shape, np.float32) for name, one in model.inputs.items()}
            for _ in range(3):
                model.predict(values)
        finally:
            model.close()
        return super().draw(task, report, cancelled)


def longest_gap(easel: NumpyEasel, open_window: Open, qtbot: QtBot) -> float:
    """Seconds for which the window's thread was away, at most, while a picture was drawn."""
    window = open_window(easel)
    window.prompt.set_text("a red apple")
    qtbot.wait(100)  # what the window does for itself is over
    gaps: list[float] = []
    last = time.perf_counter()

    def tick() -> None:
        nonlocal last
        now = time.perf_counter()
        gaps.append(now - last)
        last = now

    timer = QTimer()
    timer.timeout.connect(tick)
    window.generate()
    last = time.perf_counter()
    timer.start(TICK_MS)
    # Until the first step: what is drawn of the picture then is not what is measured here.
    qtbot.waitUntil(lambda: window.canvas.shown() is not None, timeout=30_000)
    timer.stop()
    assert sum(gaps) > 2 * BUSY_S, "nothing was predicted"
    return max(gaps)


@pytest.mark.parametrize(
    ("library", "breathes"), [(ctypes.CDLL, True), (ctypes.PyDLL, False)], ids=["frees", "holds"]
)
def test_the_window_breathes_while_core_ml_predicts_unless_it_holds_the_gil(
    library: type[ctypes.CDLL],
    breathes: bool,
    easel: NumpyEasel,
    open_window: Open,
    qtbot: QtBot,
    tmp_path: Path,
) -> None:
    easel.engine = Predicting(tmp_path, library(None))
    gap = longest_gap(easel, open_window, qtbot)
    assert (gap < MOST_S) is breathes, f"{gap:.3f} s"
    if not breathes:
        assert gap > 0.9 * BUSY_S
