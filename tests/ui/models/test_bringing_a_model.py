"""A model's file from elsewhere: chosen, dropped on a window, refused with the next step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from app.jobs.shelf import Shelf
from app.ui.main_window import MainWindow
from app.ui.model_entries import Section
from app.weights.patience import Options
from tests.ui.models.conftest import WAIT_MS, Drawn, accept, arrived, sheet_of
from tests.weights.hubs import QUICK, FaultHub

pytestmark = [
    pytest.mark.loopback,
    # The offscreen platform says this of every window that comes to the front.
    pytest.mark.qt_log_ignore("This plugin does not support (raise|grabbing the keyboard)"),
]


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    file = tmp_path / "somebody's model.safetensors"
    file.write_bytes(b"\xff" * 64)
    return file


def drop(widget: QWidget, file: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(file))])
    none, left = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    copy = Qt.DropAction.CopyAction
    QApplication.sendEvent(widget, QDragEnterEvent(QPoint(20, 20), copy, mime, left, none))
    QApplication.sendEvent(widget, QDropEvent(QPointF(20, 20), copy, mime, left, none))


@pytest.mark.parametrize("where", ["main window", "models window", "dialog"])
def test_a_file_is_brought_in_and_a_broken_one_is_refused_in_words(
    window: MainWindow, broken: Path, qtbot: QtBot, where: str
) -> None:
    if where == "main window":
        drop(window, broken)
    elif where == "models window":
        drop(window.getting.open_models(), broken)
    else:
        dialog = window.getting.ask_for_file()
        assert isinstance(dialog, QFileDialog)
        dialog.fileSelected.emit(str(broken))
        dialog.close()
    models = window.getting.models
    assert models is not None
    assert models.isVisible()
    qtbot.waitUntil(
        lambda: str(broken) in models.rows and models.rows[str(broken)].trouble.isVisible(),
        timeout=WAIT_MS,
    )
    shown = models.rows[str(broken)]
    assert shown.entry.section is Section.COMING
    assert shown.title.whole == broken.name
    assert shown.advice.text()
    assert shown.button.text() == "Try again"
    # Cancel puts it away
    shown.further.click()
    qtbot.waitUntil(lambda: str(broken) not in models.rows)


def test_another_file_is_still_a_picture_to_start_from(window: MainWindow, tmp_path: Path) -> None:
    drop(window, tmp_path / "photo.png")
    assert window.getting.models is None
    window.easel.deliveries.close()
    assert window.easel.deliveries.all() == ()


def test_a_pack_asks_for_its_licence_and_is_then_brought_in(
    window: MainWindow, easel: Drawn, hub: FaultHub, qtbot: QtBot, tmp_path: Path
) -> None:
    # 1. Another Easel has packed a model
    there = easel_of_another(tmp_path, easel)
    asked = len(hub.log())
    # 2. Dropped here, its licence is shown, and nothing comes in before it is accepted
    drop(window, there)
    models = window.getting.models
    assert models is not None
    assert "tiny.easelpack" in sheet_of(models).about.text()
    assert easel.shelf.installed() == ()
    accept(qtbot, models)
    qtbot.waitUntil(arrived(models), timeout=WAIT_MS)
    assert easel.shelf.find("tiny").receipt.origin == "pack"
    beside = easel.shelf.licence_beside(easel.shelf.find("tiny"))
    assert beside == replace(
        easel.shelf.licence(easel.shelf.card("tiny")), origin="easel/tiny@" + "c" * 40
    )
    assert len(hub.log()) == asked


def test_a_broken_pack_is_refused_in_words(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    pack = tmp_path / "torn.easelpack"
    pack.write_bytes(b"PK\x03\x04 torn")
    drop(window, pack)
    models = window.getting.models
    assert models is not None
    qtbot.waitUntil(
        lambda: str(pack) in models.rows and models.rows[str(pack)].trouble.isVisible(),
        timeout=WAIT_MS,
    )


def easel_of_another(tmp_path: Path, easel: Drawn) -> Path:
    """Gets the model into another home, and packs it there."""
    other = replace(easel.folders, support=tmp_path / "another")
    shelf = Shelf(other, Options(easel.settings.mirror or "", "", QUICK))
    card = shelf.card("tiny")
    shelf.accept(card)
    model = shelf.get(card, lambda _: None, lambda: False)
    assert model is not None
    assert shelf.pack(model, tmp_path / "tiny.easelpack", lambda: False)
    return tmp_path / "tiny.easelpack"
