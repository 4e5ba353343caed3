"""Closing while something is drawn or downloaded asks first, without standing in the way of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow


_DRAWING = "What is not finished is kept, and offered again when Easel is next opened."
_COMING = (
    "What has arrived of the model is kept: the download goes on from there when you get it again."
)
_CONVERTING = "A conversion to Core ML that is stopped begins anew another time."


class _Question(QMessageBox):
    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def look_again(self) -> None:
        """Go, when there is nothing left to ask about."""
        if not self._window.desk.busy and not self._window.getting.busy:
            self.reject()


def ask(window: MainWindow, leave: Callable[[], None]) -> QMessageBox:
    """Open the question; ``leave`` is called when the answer is to go."""
    known = window.findChild(QMessageBox, "closing")
    if isinstance(known, QMessageBox):
        known.raise_()
        return known
    box = _Question(window)
    box.setObjectName("closing")
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle("Easel")
    drawing, converting = window.desk.busy, window.getting.converting
    coming = window.getting.coming
    box.setText(
        "Easel is still drawing"
        if drawing
        else "A model is still on its way"
        if coming
        else "A model is still being converted"
    )
    said = ((_DRAWING, drawing), (_COMING, coming), (_CONVERTING, converting))
    box.setInformativeText(" ".join(words for words, meant in said if meant))
    stay = box.addButton(
        "Keep drawing" if drawing else "Keep going", QMessageBox.ButtonRole.RejectRole
    )
    go = box.addButton("Stop and close", QMessageBox.ButtonRole.AcceptRole)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.buttonClicked.connect(lambda button: leave() if button is go else None)
    # When the last of it is done before an answer came, the question answers itself.
    window.desk.busy_changed.connect(box.look_again)
    window.getting.calmed.connect(box.look_again)
    box.open()
    return box
