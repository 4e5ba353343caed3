"""What the window says by itself: a passing line, an error's card, the words of the first run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.core.errors import Bug, EaselError
from app.core.model import Model
from app.messages import describe
from app.ui.canvas import Canvas
from app.ui.desk import Desk
from app.ui.error_card import ErrorCard
from app.ui.first_run import FirstRun
from app.ui.theme import Theme
from app.ui.toast import Toast

log = logging.getLogger(__name__)

Answer = tuple[str, Callable[[], object]]


class Notices(QObject):
    """Speaks on the canvas. What covers it goes as soon as there is a picture to see."""

    prompt_chosen = Signal(str)
    folder_wanted = Signal()
    models_wanted = Signal()
    surprise_wanted = Signal()

    def __init__(self, theme: Theme, canvas: Canvas, desk: Desk) -> None:
        super().__init__()
        self._theme = theme
        self._canvas = canvas
        self._desk = desk
        self._error_card: ErrorCard | None = None
        self._over: QWidget = canvas
        self._toasts: dict[QWidget, Toast] = {}
        self.first_run = FirstRun(theme)
        self.first_run.prompt_chosen.connect(self.prompt_chosen)
        self.first_run.folder_wanted.connect(self.folder_wanted)
        self.first_run.models_wanted.connect(self.models_wanted)
        self.first_run.surprise_wanted.connect(self.surprise_wanted)

    @property
    def toast(self) -> Toast:
        toast = self._toasts.get(self._over)
        if toast is None:
            toast = self._toasts[self._over] = Toast(self._theme, self._over)
        return toast

    def speak_over(self, part: QWidget) -> None:
        """Say passing lines over ``part`` from now on: what the person looks at."""
        self._over = part

    def complain(self, error: EaselError) -> None:
        """What was asked cannot be: one line, beside what the person is doing."""
        message = describe(error)
        self.toast.say(f"{message.body} {message.next_step}".strip())

    def show_error(
        self,
        error: EaselError,
        again: Callable[[], object] | None = None,
        dismiss: Callable[[], object] | None = None,
        again_words: str = "Try again",
    ) -> None:
        """Lay the words for ``error`` over the canvas, until they are closed."""
        if self._error_card is None:
            self._error_card = ErrorCard(self._theme)
            self._error_card.model_wanted.connect(self.models_wanted)
        if isinstance(error, Bug):
            log.error("shown: a fault of ours\n%s", error.traceback)
        else:
            log.warning("shown: %s", type(error).__name__)
        self._error_card.show_error(error, again, dismiss or self.uncover, again_words)
        self._canvas.set_cover(self._error_card)

    def greet(self, model: Model | None, examples: Sequence[str]) -> None:
        """Fit the words of the first run to ``model``."""
        self.first_run.say(model, examples)

    def uncover(self) -> None:
        """Show what is on the desk; where there is nothing, the words of the first run."""
        self._canvas.set_cover(None if self._desk else self.first_run)
