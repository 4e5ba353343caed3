"""One choice of many, as a field that opens a list."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QWidget

from app.ui import icons
from app.ui.controls.drawing import KeyboardFocus, body, box, halo, start
from app.ui.theme import Theme
from app.ui.tokens import CONTROL, HALO


class Choice(KeyboardFocus, QComboBox):
    """A combo box drawn as a field."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setAccessibleName(name)
        self.setFont(theme.font("body"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMaxVisibleItems(14)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return QSize(160, CONTROL + 2 * HALO)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return QSize(100, CONTROL + 2 * HALO)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 (Qt's name)
        event.ignore()  # scrolling the inspector must not change what is drawn

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        at, colour = body(self), self.theme.colour
        box(painter, at, colour("surface"), colour("ghost" if self.underMouse() else "line"))
        if self.keyboard_focus:
            halo(painter, at, self.theme)
        mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        arrow = QRectF(at.left() + 8 if mirrored else at.right() - 24, at.center().y() - 8, 16, 16)
        icons.paint(painter, "chevron", arrow, colour("dim"))
        words = at.adjusted(30 if mirrored else 11, 0, -11 if mirrored else -30, 0)
        painter.setPen(colour("text" if self.isEnabled() else "ghost"))
        text = self.fontMetrics().elidedText(
            self.currentText(), Qt.TextElideMode.ElideRight, int(words.width())
        )
        aligned = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading
        painter.drawText(words, int(aligned), text)
        painter.end()
