"""One row of the inspector: a name, its exact value, the control under them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.ui.controls.value_edit import ValueEdit
from app.ui.controls.words import Words
from app.ui.theme import Theme
from app.ui.tokens import HALO

ROOM = 8
"""Pixels a row reaches beyond its control, so that a value's text ends where the control does."""


class _Name(Words):
    clicked = Signal()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        super().mouseReleaseEvent(event)
        if self.rect().contains(event.position().toPoint()):
            self.clicked.emit()


class Row(QWidget):
    """``control`` under its ``title``. A click on the title, or F1, asks for ``explanation``.

    A control that ``holds_values`` itself reaches as far as a row's own value does.
    """

    explanation_wanted = Signal(object)

    def __init__(
        self,
        theme: Theme,
        title: str,
        explanation: str,
        control: QWidget,
        value: ValueEdit | None = None,
        *,
        holds_values: bool = False,
    ) -> None:
        super().__init__()
        self.title = title
        self.explanation = explanation
        self.control = control
        name = _Name(theme, title, "label", "dim")
        name.setCursor(Qt.CursorShape.WhatsThisCursor)
        name.setToolTip(explanation)
        name.clicked.connect(lambda: self.explanation_wanted.emit(self))
        for widget in (control, value):
            if widget is not None:
                widget.setAccessibleDescription(explanation)
        head = QHBoxLayout()
        head.setContentsMargins(ROOM + HALO, 0, ROOM, 0)
        head.addWidget(name)
        head.addStretch(1)
        if value is not None:
            head.setContentsMargins(ROOM + HALO, 0, 0, 0)
            head.addWidget(value)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0 if value is not None else 5)
        column.addLayout(head)
        under = QHBoxLayout()
        under.setContentsMargins(ROOM, 0, 0 if holds_values else ROOM, 0)
        under.addWidget(control)
        column.addLayout(under)
