"""What went wrong, in words, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.core.errors import Bug, EaselError
from app.messages import describe
from app.ui import icons
from app.ui.controls.button import Button
from app.ui.controls.drawing import box, shadow, start
from app.ui.controls.words import Words
from app.ui.theme import Theme
from app.ui.tokens import CARD_RADIUS

WIDTH = 480


class ErrorCard(QWidget):
    """Covers the canvas with one card. ``show_error`` fills it; its buttons call back."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.error: EaselError | None = None
        self._again: Callable[[], object] | None = None
        self._dismiss: Callable[[], object] | None = None
        self._title = Words(theme, "", "strong", "text", wrap=True)
        self._body = Words(theme, "", "body", "dim", wrap=True)
        self._next = Words(theme, "", "body", "text", wrap=True)
        for words in (self._title, self._body, self._next):
            flags = Qt.TextInteractionFlag
            words.setTextInteractionFlags(flags.TextSelectableByMouse)
            words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.again_button = Button(theme, "Try again", "action")
        self.again_button.clicked.connect(self._try_again)
        self.copy_button = Button(theme, "Copy details", "quiet")
        self.copy_button.clicked.connect(self._copy)
        self.close_button = Button(theme, "Close", "quiet")
        self.close_button.clicked.connect(self._close)
        self._copied = QTimer(self)
        self._copied.setSingleShot(True)
        self._copied.setInterval(1600)
        self._copied.timeout.connect(lambda: self.copy_button.set_text("Copy details"))
        self._build()
        theme.changed.connect(self.update)

    def show_error(
        self,
        error: EaselError,
        again: Callable[[], object] | None,
        dismiss: Callable[[], object] | None,
        again_words: str = "Try again",
    ) -> None:
        """Say what ``error`` is; ``again`` and ``dismiss`` are offered where they are given."""
        message = describe(error)
        self.error, self._again, self._dismiss = error, again, dismiss
        self._title.setText(message.title)
        self._body.setText(message.body)
        self._next.setText(message.next_step)
        self.setAccessibleName(f"{message.title}. {message.body} {message.next_step}")
        self.again_button.set_text(again_words)
        self.again_button.setVisible(again is not None)
        self.close_button.setVisible(dismiss is not None)
        self.copy_button.set_text("Copy details")

    def details(self) -> str:
        """What a report of the fault needs: the words, and the error with its data."""
        if self.error is None:
            return ""
        data = self.error.traceback if isinstance(self.error, Bug) else str(self.error)
        return f"{self._title.text()}\n{self._body.text()}\n{self._next.text()}\n\n{data}\n"

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        box(painter, QRectF(self.rect()), self.theme.colour("canvas"), None, CARD_RADIUS)
        at = QRectF(self._card.geometry())
        shadow(painter, at, self.theme, CARD_RADIUS)
        box(painter, at, self.theme.colour("surface"), self.theme.colour("line"), CARD_RADIUS)
        mark = QRectF(at.left() + 20, at.top() + 21, 18, 18)
        icons.paint(painter, "warning", mark, self.theme.colour("bad"))
        painter.end()

    def _build(self) -> None:
        self._card = QWidget()
        self._card.setMaximumWidth(WIDTH)
        self._card.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        column = QVBoxLayout(self._card)
        column.setContentsMargins(50, 20, 22, 17)
        column.setSpacing(6)
        column.addWidget(self._title)
        column.addWidget(self._body)
        column.addWidget(self._next)
        column.addSpacing(8)
        row = QHBoxLayout()
        row.setContentsMargins(-3, 0, 0, 0)
        row.setSpacing(4)
        for button in (self.again_button, self.copy_button, self.close_button):
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        centre = QVBoxLayout(self)
        centre.setContentsMargins(16, 8, 16, 8)
        centre.addStretch(1)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(self._card, 30)
        middle.addStretch(1)
        centre.addLayout(middle)
        centre.addStretch(1)

    def _try_again(self) -> None:
        if self._again is not None:
            self._again()

    def _close(self) -> None:
        if self._dismiss is not None:
            self._dismiss()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.details())
        self.copy_button.set_text("Copied")
        self._copied.start()
