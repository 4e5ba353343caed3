"""The same way with nothing stood in for: the real child, PyTorch, and the hub gone by then."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.jobs.shelves import easel_with_shelf
from tests.ui.models.conftest import WAIT_MS, Open, arrived, get, press
from tests.weights.hubs import FaultHub

pytestmark = [
    pytest.mark.loopback,
    pytest.mark.slow,
    # The offscreen platform says this of every window that comes to the front.
    pytest.mark.qt_log_ignore("This plugin does not support (raise|grabbing the keyboard)"),
]


def test_from_an_empty_folder_to_a_saved_picture(
    easel_home: Path,
    hub: FaultHub,
    files: dict[str, bytes],
    open_window: Open,
    qtbot: QtBot,
) -> None:
    easel = easel_with_shelf(easel_home, hub, files)
    window = open_window(easel)
    # 1. Got and chosen, in the window alone
    models = window.getting.open_models()
    get(qtbot, models)
    qtbot.waitUntil(arrived(models), timeout=WAIT_MS)
    press(qtbot, models)
    models.close()
    # 2. Every connection is written down, and there are no more
    asked = len(hub.log())
    assert len(easel.shelf.ledger.connections()) == asked
    hub.process.kill()
    # 3. Drawn and saved
    window.prompt.set_text("a red apple")
    window.inspector.fill(steps=2)
    window.generate()
    qtbot.waitUntil(lambda: window.canvas.shown() is not None, timeout=120_000)
    shown = window.canvas.shown()
    assert shown is not None
    assert shown.picture is not None
    assert shown.picture.file.exists()
    assert shown.recipe.model == "tiny"
    assert len(hub.log()) == asked
