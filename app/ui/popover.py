"""A small card beside a control that says what the control does."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.ui.controls.drawing import body, box, shadow, start
from app.ui.controls.words import Words
from app.ui.theme import Theme

_WIDTH = 280


class Popover(QWidget):
    """One a window, reused. Any click or Escape closes it."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        flags = Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint
        super().__init__(parent, flags | Qt.WindowType.NoDropShadowWindowHint)
        self.theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self._title = Words(theme, "", "strong")
        self._text = Words(theme, "", "secondary", "dim", wrap=True)
        self._text.setFixedWidth(_WIDTH - 2 * 24)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 24)
        column.setSpacing(4)
        column.addWidget(self._title)
        column.addWidget(self._text)

    def explain(self, title: str, text: str, beside: QWidget) -> None:
        """Open to the left of ``beside``, or under it where there is no room."""
        self._title.setText(title)
        self._text.setText(text)
        self.setAccessibleName(f"{title}. {text}")
        self.adjustSize()
        corner = beside.mapToGlobal(QPoint(0, 0))
        at = QPoint(corner.x() - self.width() + 4, corner.y() - 18)
        screen: QRect = beside.screen().availableGeometry()
        if at.x() < screen.left():
            at = QPoint(corner.x(), corner.y() + beside.height())
        at.setX(max(screen.left(), min(at.x(), screen.right() - self.width())))
        at.setY(max(screen.top(), min(at.y(), screen.bottom() - self.height())))
        self.move(at)
        self.show()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        at = body(self).adjusted(7, 5, -7, -9)
        shadow(painter, at, self.theme, 10.0, 8)
        box(painter, at, self.theme.colour("surface"), self.theme.colour("line"), 10.0)
        painter.end()
