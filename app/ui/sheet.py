"""What the sheets over the Models window have in common: a title, a column, a foot of buttons."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLayout, QVBoxLayout, QWidget

from app.core.errors import EaselError
from app.messages import describe
from app.ui.controls.words import Words
from app.ui.theme import Theme
from app.ui.tokens import HALO

EDGE = 28


class Sheet(QDialog):
    """Goes when it is closed. ``column`` is filled from the top, ``foot`` from the right."""

    def __init__(self, theme: Theme, title: str, about: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.title = Words(theme, title, "title", wrap=True)
        self.about = Words(theme, about, "body", "dim", wrap=True)
        self.trouble = Words(theme, "", "strong", "bad", wrap=True)
        self.advice = Words(theme, "", "body", wrap=True)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(EDGE - HALO, 24, EDGE - HALO, 20)
        self.column.setSpacing(4)
        # It is as high as its words need at its width, whatever comes and goes.
        self.column.setSizeConstraint(QLayout.SizeConstraint.SetMinimumSize)
        self.foot = QHBoxLayout()
        self.foot.setContentsMargins(0, 0, 0, 0)
        self.foot.setSpacing(4)
        self.add(self.title)
        self.add(self.about)
        self.complain(None)

    def add(self, words: Words) -> None:
        """Words line up with what is seen of the controls, which have room for a halo."""
        words.setContentsMargins(HALO, 0, HALO, 0)
        self.column.addWidget(words)

    def end(self) -> None:
        """The foot, and above it what went wrong."""
        self.column.addSpacing(6)
        self.add(self.trouble)
        self.add(self.advice)
        self.column.addStretch(1)
        self.column.addSpacing(8)
        self.column.addLayout(self.foot)

    def complain(self, error: EaselError | None) -> None:
        """Say what went wrong and what to do; None takes it back."""
        message = None if error is None else describe(error)
        for words in (self.trouble, self.advice):
            words.setVisible(message is not None)
        if message is not None:
            self.trouble.setText(message.title)
            self.advice.setText(f"{message.body} {message.next_step}".strip())
        self.fit()

    def fit(self) -> None:
        """As high as the words need."""
        layout = self.layout()
        if layout is not None:
            layout.activate()
            self.resize(self.width(), max(layout.heightForWidth(self.width()), 0))
