"""A number that reads as a label and becomes a field when it is clicked or reached by Tab."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from app.ui.controls.drawing import body, box, halo
from app.ui.theme import Theme
from app.ui.tokens import HALO


class ValueEdit(QLineEdit):
    """Exact entry for a value shown beside its control.

    ``entered`` carries the text when Return is pressed or the focus leaves after an edit; whoever
    listens answers with ``show_value`` (the value as it now stands, words included).
    """

    entered = Signal(str)

    def __init__(
        self, theme: Theme, name: str, number: Callable[[str], str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.theme = theme
        self._shown = ""
        self._number = number
        self.setAccessibleName(name)
        self.setFrame(False)
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setFont(theme.font("secondary strong"))
        self.setTextMargins(6, 0, 6, 0)
        self.setFixedHeight(22 + 2 * HALO)
        self.setCursor(Qt.CursorShape.IBeamCursor)
        theme.changed.connect(self.update)
        self.editingFinished.connect(self._finish)

    def show_value(self, text: str) -> None:
        """Show ``text``, for example "20 steps"."""
        self._shown = text
        if not self.hasFocus():
            self._put(text)

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        width = self.fontMetrics().horizontalAdvance(self._shown or "0") + 18 + 2 * HALO
        return QSize(max(48, width), 22 + 2 * HALO)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        if self.hasFocus() or self.underMouse():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            at = body(self)
            box(painter, at, self.theme.colour("surface"), self.theme.colour("line"), 6.0)
            if self.hasFocus():
                halo(painter, at, self.theme, 6.0)
            painter.end()
        super().paintEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 (Qt's name)
        super().focusInEvent(event)
        self._put(self._number(self._shown))
        self.selectAll()

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 (Qt's name)
        super().focusOutEvent(event)
        self._put(self._shown)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        fresh = not self.hasFocus()
        super().mousePressEvent(event)
        if fresh:
            self.selectAll()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        if not self.hasSelectedText():
            super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        if event.key() == Qt.Key.Key_Escape and self.isModified():
            self._put(self._number(self._shown))
            self.selectAll()
            return
        super().keyPressEvent(event)

    def _finish(self) -> None:
        if self.isModified():
            self.setModified(False)
            self.entered.emit(self.text())
        if self.hasFocus():
            self._put(self._number(self._shown))
            self.selectAll()

    def _put(self, text: str) -> None:
        if self.text() != text:
            self.setText(text)
            self.updateGeometry()


def number_in(text: str) -> float | None:
    """The number that ``text`` begins with, with a point or a comma; None where there is none."""
    try:
        number = float(text.strip().split(" ")[0].replace(",", "."))
    except (ValueError, IndexError):
        return None
    return number if number == number and abs(number) < 1e9 else None
