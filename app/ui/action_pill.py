"""What can be done with a finished picture, in a pill under it."""

from __future__ import annotations

from PySide6.QtGui import QAction, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.ui.controls.button import Button
from app.ui.controls.drawing import body, box, shadow, start
from app.ui.theme import Theme
from app.ui.tokens import HALO


class ActionPill(QWidget):
    """A row of flat buttons, one an action; hidden while it has none."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self._row = QHBoxLayout(self)
        edge = HALO + 8
        self._row.setContentsMargins(edge, edge - 3, edge, edge - 1)
        self._row.setSpacing(0)
        self.filled = False
        theme.changed.connect(self.update)
        self.hide()

    def add(self, action: QAction, accented: bool = False) -> Button:
        """A button that follows ``action``: its words, whether it can be used, its tool tip."""
        button = Button(self.theme, action.iconText(), "soft" if accented else "flat")
        button.clicked.connect(action.trigger)

        def follow() -> None:
            button.set_text(action.iconText(), action.iconText().rstrip("…"))
            button.setEnabled(action.isEnabled())
            button.setVisible(action.isVisible())
            button.setToolTip(action.toolTip() if action.toolTip() != action.text() else "")

        action.changed.connect(follow)
        follow()
        self._row.addWidget(button)
        self.filled = True
        return button

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        at = body(self).adjusted(4, 2, -4, -4)
        shadow(painter, at, self.theme, 10.0, 6)
        box(painter, at, self.theme.colour("surface"), self.theme.colour("line"), 10.0)
        painter.end()
