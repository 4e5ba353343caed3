"""Closing while something is drawn asks first, without standing in the way of the drawing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow


def ask(window: MainWindow, leave: Callable[[], None]) -> QMessageBox:
    """Open the question; ``leave`` is called when the answer is to go."""
    known = window.findChild(QMessageBox, "closing")
    if isinstance(known, QMessageBox):
        known.raise_()
        return known
    box = QMessageBox(window)
    box.setObjectName("closing")
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle("Easel")
    box.setText("Easel is still drawing")
    box.setInformativeText(
        "What is not finished is kept, and offered again when Easel is next opened."
    )
    stay = box.addButton("Keep drawing", QMessageBox.ButtonRole.RejectRole)
    go = box.addButton("Stop and close", QMessageBox.ButtonRole.AcceptRole)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.buttonClicked.connect(lambda button: leave() if button is go else None)
    # When the last picture is done before an answer came, the question answers itself.
    window.desk.busy_changed.connect(box.reject)
    box.open()
    return box
