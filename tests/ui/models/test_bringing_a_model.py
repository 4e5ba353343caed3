"""A model's file from elsewhere: chosen, dropped on a window, refused with the next step."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from app.ui.main_window import MainWindow
from app.ui.model_entries import Section
from tests.ui.models.conftest import WAIT_MS

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
