"""The keyboard alone, from launch to a picture in a folder of the person's choice."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.library.library import read_picture
from app.ui.main_window import MainWindow

CONTROL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


def focused(window: MainWindow) -> QWidget:
    widget = QApplication.focusWidget() or window.focusWidget()
    assert widget is not None
    return widget


def test_from_launch_to_a_picture_in_a_folder(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    # 1. The focus is in the prompt: type, and draw
    qtbot.keyClicks(focused(window), "a red apple")
    qtbot.keyClick(focused(window), Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: window.canvas.shown() is not None)
    # 2. Another one
    qtbot.keyClick(focused(window), Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: window.desk.rowCount() == 2 and not window.desk.busy)
    # 3. Save all of it in a folder whose name is pasted
    there = tmp_path / "there"
    there.mkdir()
    qtbot.keyClick(focused(window), Qt.Key.Key_S, CONTROL | ALT)
    dialog = window.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    qtbot.waitUntil(dialog.isVisible)
    name = dialog.findChild(QLineEdit, "fileNameEdit")
    assert isinstance(name, QLineEdit)
    QGuiApplication.clipboard().setText(str(there))
    qtbot.keyClick(name, Qt.Key.Key_A, CONTROL)
    qtbot.keyClick(name, Qt.Key.Key_V, CONTROL)
    qtbot.keyClick(name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(list(there.glob("*.png"))) == 2)
    assert {read_picture(file).recipe.prompt for file in there.iterdir()} == {"a red apple"}
    qtbot.waitUntil(lambda: window.notices.toast.text == "Saved 2 pictures in there")
