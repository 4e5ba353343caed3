"""A line of the Models window for what goes on with models: how far it is, Stop, how it ended."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.core.errors import EaselError
from app.messages import describe, size_text
from app.ui.controls.button import Button
from app.ui.controls.drawing import box, start
from app.ui.controls.words import Words
from app.ui.progress_card import ProgressBar
from app.ui.theme import Theme
from app.ui.tokens import CARD_RADIUS, HALO


class ErrandStrip(QWidget):
    """Hidden while there is nothing to say. ``stop_wanted``: its Stop was pressed."""

    stop_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.running = False
        self._then: Callable[[], object] | None = None
        self.words = Words(theme, "", "strong", wrap=True)
        self.far = Words(theme, "", "secondary", "dim", wrap=True)
        self.bar = ProgressBar(theme)
        self.then_button = Button(theme, "Show", "quiet")
        self.then_button.clicked.connect(self._act)
        self.stop_button = Button(theme, "Stop", "quiet")
        self.stop_button.clicked.connect(self._stop_or_close)
        self._lay_out()
        self.hide()
        theme.changed.connect(self.update)

    def begin(self, words: str) -> None:
        """Something has begun; nothing can be counted yet."""
        self.running = True
        self._fill(words, "")
        self.bar.setAccessibleName(f"Progress of {words}")
        self.bar.count(0, 0)

    def count(self, done: int, total: int) -> None:
        """``done`` of ``total`` bytes."""
        self.bar.count(1000 * done // total if total else 0, 1000 if total else 0)
        self.far.setText(f"{size_text(done)} of {size_text(total)}" if total else "")
        self.far.setVisible(bool(total))

    def tell(self, done: float, text: str) -> None:
        """``done`` of 1, and what is going on, in words."""
        self.bar.count(round(1000 * done), 1000)
        self.far.setText(text)
        self.far.setVisible(bool(text))

    def say(
        self, words: str, more: str = "", then: tuple[str, Callable[[], object]] | None = None
    ) -> None:
        """It is over; ``then`` is a button's word and what it calls."""
        self.running = False
        self._fill(words, more, then)

    def complain(self, error: EaselError) -> None:
        """It is over, and went wrong."""
        message = describe(error)
        self.say(message.title, f"{message.body} {message.next_step}".strip())
        self.words.set_colour("bad")

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        colour = self.theme.colour
        box(painter, QRectF(self.rect()), colour("surface"), colour("line"), CARD_RADIUS)
        painter.end()

    def _fill(
        self, words: str, more: str, then: tuple[str, Callable[[], object]] | None = None
    ) -> None:
        self.words.set_colour("text")
        self.words.setText(words)
        self.far.setText(more)
        self.far.setVisible(bool(more))
        self.bar.setVisible(self.running)
        self.then_button.setVisible(then is not None)
        self._then = None
        if then is not None:
            self.then_button.set_text(then[0])
            self._then = then[1]
        self.stop_button.set_text("Stop" if self.running else "Close")
        self.setAccessibleName(f"{words}. {more}".strip())
        self.show()

    def _lay_out(self) -> None:
        told = QVBoxLayout()
        told.setSpacing(4)
        for widget in (self.words, self.far, self.bar):
            told.addWidget(widget)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 10, 16 - HALO, 10)
        row.setSpacing(4)
        row.addLayout(told, 1)
        row.addSpacing(12)
        row.addWidget(self.then_button)
        row.addWidget(self.stop_button)

    def _stop_or_close(self) -> None:
        if self.running:
            self.stop_wanted.emit()
        else:
            self.hide()

    def _act(self) -> None:
        if self._then is not None:
            self._then()
