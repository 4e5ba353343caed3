"""The same way with nothing stood in for: the real child, PyTorch, and the hub gone by then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from safetensors.torch import save_file

from app.ui.main_window import MainWindow
from tests.convert.conftest import tiny_resources, tiny_source
from tests.convert.ldm_layout import single_file
from tests.jobs.shelves import easel_with_shelf
from tests.ui.models.conftest import WAIT_MS, Open, Serve, arrived, get, press
from tests.ui.models.test_bringing_a_model import drop
from tests.weights.hubs import FaultHub

__all__ = ["tiny_resources", "tiny_source"]  # fixtures of the converter's tests

pytestmark = [
    pytest.mark.loopback,
    pytest.mark.slow,
    # The offscreen platform says this of every window that comes to the front.
    pytest.mark.qt_log_ignore("This plugin does not support (raise|grabbing the keyboard)"),
]


def draw(window: MainWindow, qtbot: QtBot, model: str) -> Path:
    """The file of the picture that ``model`` has drawn."""
    window.prompt.set_text("a red apple")
    window.inspector.fill(steps=2)
    window.generate()
    qtbot.waitUntil(lambda: window.canvas.shown() is not None, timeout=120_000)
    shown = window.canvas.shown()
    assert shown is not None
    assert shown.picture is not None
    assert shown.recipe.model == model
    return shown.picture.file


def test_from_an_empty_folder_to_a_saved_picture_over_a_bad_network(
    easel_home: Path,
    serve: Serve,
    files: dict[str, bytes],
    open_window: Open,
    qtbot: QtBot,
) -> None:
    unet, vae = (f"{part}/diffusion_pytorch_model.safetensors" for part in ("unet", "vae"))
    hub = serve(
        {"do": "cut", "path": unet, "after": 20_000, "times": 2},
        {"do": "corrupt", "path": vae, "times": 1},
        {"do": "status", "code": 503, "path": "model_index.json", "times": 1},
    )
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
    assert draw(window, qtbot, "tiny").exists()
    assert len(hub.log()) == asked


def test_a_single_file_is_dropped_converted_and_draws(
    easel_home: Path,
    hub: FaultHub,
    files: dict[str, bytes],
    open_window: Open,
    tiny_source: Callable[[str], Path],
    tiny_resources: Callable[[str], Path],
    tmp_path: Path,
    qtbot: QtBot,
) -> None:
    # 1. A checkpoint as people pass them on, and configurations of its size
    easel = easel_with_shelf(easel_home, hub, files)
    resources = easel.folders.shipped / "resources"
    resources.unlink()
    resources.symlink_to(tiny_resources("sd1"))
    file = tmp_path / "My Model.safetensors"
    save_file(single_file("sd1", tiny_source("sd1")), file)
    # 2. Dropped on the window; it comes in through the child, and the original is not needed
    window = open_window(easel)
    drop(window, file)
    models = window.getting.models
    assert models is not None
    qtbot.waitUntil(arrived(models, "my-model"), timeout=120_000)
    file.unlink()
    # 3. Used, drawn with, saved; and nobody was asked
    press(qtbot, models, "my-model")
    models.close()
    assert draw(window, qtbot, "my-model").exists()
    assert hub.log() == []
