"""The text of a licence on a card of its own: as it is, never markup, scrolling."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QVBoxLayout, QWidget

from app.ui.controls.drawing import box, start
from app.ui.theme import Theme
from app.ui.tokens import CARD_RADIUS


class LicenceText(QWidget):
    """``ground`` is the token it lies on. It can be selected and scrolled, and lets Tab go on."""

    def __init__(self, theme: Theme, name: str, text: str, ground: str = "surface") -> None:
        super().__init__()
        self._theme, self._ground = theme, ground
        self.edit = QPlainTextEdit(text)
        self.edit.setObjectName("bare")
        self.edit.setReadOnly(True)
        self.edit.setTabChangesFocus(True)
        self.edit.setAccessibleName(name)
        self.edit.setFont(theme.font("secondary"))
        self.edit.setFrameShape(QFrame.Shape.NoFrame)
        self.edit.document().setDocumentMargin(12)
        self.setFocusProxy(self.edit)
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 3, 3, 3)
        column.addWidget(self.edit)
        theme.changed.connect(self.update)

    def show_text(self, text: str) -> None:
        """Other text, from its beginning."""
        self.edit.setPlainText(text)

    def text(self) -> str:
        return self.edit.toPlainText()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        colour = self._theme.colour
        box(painter, QRectF(self.rect()), colour(self._ground), colour("line"), CARD_RADIUS)
        painter.end()
