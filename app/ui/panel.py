"""A part of the prompt bar that unfolds: a link in its foot and what opens above it."""

from __future__ import annotations

from PySide6.QtCore import QEasingCurve, QPropertyAnimation, Qt, Signal
from PySide6.QtGui import QPaintEvent, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.ui.controls.button import Button
from app.ui.controls.drawing import start
from app.ui.theme import Theme

_ANY_HEIGHT = 16_777_215


class Panel(QWidget):
    """Holds ``content`` under a thin line, folded away until ``open``."""

    opened = Signal()
    closed = Signal()

    def __init__(self, theme: Theme, title: str, content: QWidget, tip: str) -> None:
        super().__init__()
        self.theme = theme
        self.title = title
        self.content = content
        self.link = Button(theme, f"+ {title}", "link")
        self.link.setToolTip(tip)
        self.link.clicked.connect(self.toggle)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 10, 0, 2)
        column.addWidget(content)
        self._motion = QPropertyAnimation(self, b"maximumHeight", self)
        self._motion.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._motion.finished.connect(self._settle)
        self.is_open = False
        self._note = ""
        self.hide()

    def toggle(self) -> None:
        if self.is_open:
            self.close_panel()
        else:
            self.open_panel()

    def open_panel(self) -> None:
        """Unfold, and give the focus to what is inside."""
        if not self.is_open:
            self.is_open = True
            self._relabel()
            self.show()
            if self.theme.motion_ms:
                self._motion.setDuration(self.theme.motion_ms)
                self._motion.setStartValue(0)
                self._motion.setEndValue(self.sizeHint().height())
                self._motion.start()
            self.opened.emit()
        self.content.setFocus()

    def close_panel(self) -> None:
        """Fold away at once."""
        if self.is_open:
            self.is_open = False
            self._relabel()
            self._motion.stop()
            if self.content.isAncestorOf(self.focusWidget()) or self.content.hasFocus():
                # Not by Tab: nobody went there, so no halo points at it.
                self.link.setFocus(Qt.FocusReason.OtherFocusReason)
            self.setMaximumHeight(_ANY_HEIGHT)
            self.hide()
            self.closed.emit()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        painter.setPen(QPen(self.theme.colour("line"), 1))
        painter.drawLine(0, 1, self.width(), 1)
        painter.end()

    def set_note(self, note: str) -> None:
        """What is inside, shown beside the title while folded, so that it is not forgotten."""
        self._note = note if len(note) <= 18 else f"{note[:17].rstrip()}…"
        self._relabel()

    def _relabel(self) -> None:
        if self._note and not self.is_open:
            self.link.set_text(f"{self.title}: {self._note}", f"{self.title}: {self._note}")
        else:
            self.link.set_text(f"{'−' if self.is_open else '+'} {self.title}", self.title)

    def _settle(self) -> None:
        self.setMaximumHeight(_ANY_HEIGHT)
