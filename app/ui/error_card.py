"""What went wrong, in words, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.core.errors import Bug, EaselError, ModelError
from app.messages import describe
from app.ui import icons
from app.ui.controls.button import Button
from app.ui.controls.drawing import box, shadow, start
from app.ui.controls.words import Words
from app.ui.theme import Theme
from app.ui.tokens import CARD_RADIUS, HALO

WIDTH = 500


class _Scroll(QScrollArea):
    """As high as its text, or as there is room; then it scrolls."""

    def __init__(self, text: QWidget) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._text = text
        self.setWidget(text)
        for layer in (self.viewport(), text):
            layer.setAutoFillBackground(False)

    def lay_out(self, width: int) -> int:
        """Set the text at ``width``; how high it is then."""
        height = self._text.heightForWidth(width)
        self._text.resize(width, height)
        return height


class ErrorCard(QWidget):
    """Covers the canvas with one card. ``show_error`` fills it; its buttons call back.

    Where a model is what is wrong, getting another is the next step: ``model_wanted``.
    """

    model_wanted = Signal()

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
        self.get_button = Button(theme, "Get a model…", "action")
        self.get_button.clicked.connect(self.model_wanted)
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
        model = isinstance(error, ModelError)
        self.get_button.setVisible(model)
        self.again_button.set_text(again_words)
        self.again_button.set_kind("quiet" if model else "action")
        self.again_button.setVisible(again is not None)
        self.copy_button.set_kind("link" if model else "quiet")
        self.close_button.setVisible(dismiss is not None)
        self.copy_button.set_text("Copy details")
        self._fit()

    def details(self) -> str:
        """What a report of the fault needs: the words, and the error with its data."""
        if self.error is None:
            return ""
        data = self.error.traceback if isinstance(self.error, Bug) else str(self.error)
        return f"{self._title.text()}\n{self._body.text()}\n{self._next.text()}\n\n{data}\n"

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        super().showEvent(event)
        self._fit()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        box(painter, QRectF(self.rect()), self.theme.colour("canvas"), None, CARD_RADIUS)
        at = QRectF(self._card.geometry())
        shadow(painter, at, self.theme, CARD_RADIUS)
        box(painter, at, self.theme.colour("surface"), self.theme.colour("line"), CARD_RADIUS)
        mark = QRectF(at.left() + 20, at.top() + 21, 18, 18)
        icons.paint(painter, "warning", mark, self.theme.colour("bad"))
        painter.end()

    def _fit(self) -> None:
        """As high as the words need at this width, and never higher than there is room."""
        width = min(WIDTH, self.width() - 32) - (50 - HALO) - 8
        words = self._scroll.lay_out(width)
        whole = 19 + words + 11 + self.again_button.sizeHint().height() + 14
        height = min(whole, self.height() - 16)
        self._card.setFixedHeight(max(1, height))

    def _build(self) -> None:
        self._card = QWidget()
        self._card.setMaximumWidth(WIDTH)
        self._card.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        text = QWidget()
        told = QVBoxLayout(text)
        told.setContentsMargins(HALO, 0, 14, 0)
        told.setSpacing(6)
        for words in (self._title, self._body, self._next):
            told.addWidget(words)
        column = QVBoxLayout(self._card)
        column.setContentsMargins(50 - HALO, 19, 8, 14)
        column.setSpacing(11)
        self._scroll = _Scroll(text)
        column.addWidget(self._scroll, 1)
        row = QHBoxLayout()
        row.setSpacing(4)
        buttons = (self.get_button, self.again_button, self.copy_button, self.close_button)
        for button in buttons:
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        centre = QVBoxLayout(self)
        centre.setContentsMargins(16, 8, 16, 8)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(self._card, 30)
        middle.addStretch(1)
        centre.addLayout(middle)

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
