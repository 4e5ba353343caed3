"""The window: puts the parts together and passes on what the person wants."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QMainWindow

from app.ui.frame import Frame
from app.ui.prompt_bar import PromptBar
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.compose import Easel
    from app.core.errors import EaselError
    from app.core.model import Model
    from app.core.recipe import Draft
    from app.jobs.session import Session
    from app.ui.canvas import Canvas
    from app.ui.completing import Wiring
    from app.ui.desk import Desk
    from app.ui.filmstrip import Filmstrip
    from app.ui.finishing import Finishing
    from app.ui.form import Form
    from app.ui.form_history import FormHistory
    from app.ui.getting_models import GettingModels
    from app.ui.inspector import Inspector
    from app.ui.menus import Menus
    from app.ui.model_choice import ModelChoice
    from app.ui.notices import Notices
    from app.ui.other_windows import OtherWindows
    from app.ui.popover import Popover
    from app.ui.preset_menu import PresetMenu
    from app.ui.row import Row
    from app.ui.studio import Studio
    from app.ui.token_meter import TokenMeter
    from app.ui.toolbar import Toolbar
    from app.ui.views import Views

LEAST = (900, 600)
FIRST = (1320, 860)
LOW = 700
TITLES = ("File", "Edit", "View", "Picture", "Window", "Help")
"""Of the menus; a Mac puts its own first."""


class MainWindow(QMainWindow):
    """One window, made in three strokes, so that it is there at once.

    The constructor makes what the first paint shows: the frame and the prompt. ``complete``, right
    after that paint, makes the other parts; ``begin`` then starts the engine. Both are idempotent.
    """

    model_changed = Signal(object)
    begun = Signal()
    """Everything is in place: the parts, the session, what unfolds."""
    closing = Signal()
    """It is certain that the window closes."""
    surprise_wanted = Signal()
    drawn = Signal(object)
    """A Draft was queued."""

    desk: Desk
    studio: Studio
    toolbar: Toolbar
    canvas: Canvas
    filmstrip: Filmstrip
    inspector: Inspector
    form: Form
    menus: Menus
    notices: Notices
    models: ModelChoice
    meter: TokenMeter
    wiring: Wiring
    getting: GettingModels
    history: FormHistory
    finishing: Finishing
    others: OtherWindows
    presets: PresetMenu
    views: Views

    def __init__(self, easel: Easel, theme: Theme) -> None:
        super().__init__()
        self.easel = easel
        self.theme = theme
        self._completed = self._begun = self._leaving = False
        self._popover: Popover | None = None
        self.prompt = PromptBar(theme)
        self.frame = Frame(theme, self.prompt, easel.settings.inspector_visible)
        self.titles = [self.menuBar().addMenu(title) for title in TITLES]
        self.setCentralWidget(self.frame)
        self.setWindowTitle("Easel")
        self.setMinimumSize(*LEAST)
        self.resize(*FIRST)
        if easel.settings.window:
            saved = easel.settings.window.encode("ascii", "replace")
            self.restoreGeometry(QByteArray.fromBase64(saved))
        self.prompt.editor.setFocus()

    def complete(self) -> None:
        """Make the other parts."""
        if not self._completed:
            self._completed = True
            from app.ui.completing import complete

            complete(self)

    def begin(self) -> None:
        """Join what is done with pictures and words, and start the engine."""
        self.complete()
        if not self._begun:
            self._begun = True
            from app.ui.beginning import begin

            begin(self)
            self.begun.emit()

    # What the other parts use.

    @property
    def popover(self) -> Popover | None:
        """The card that explains, once it was asked for."""
        return self._popover

    @property
    def session(self) -> Session:
        return self.studio.session

    def model(self) -> Model | None:
        """The model that draws; None when there is none on this disk."""
        return self.models.model

    def generate(self) -> None:
        """Draw what the form says, after what is already queued."""
        self.draw(self.form.take())

    def draw(self, draft: Draft) -> bool:
        """Queue ``draft`` for the chosen model; false when it cannot be, which is then shown."""
        from app.core.errors import EaselError

        self.begin()
        model = self.model()
        if model is None:
            self.notices.uncover()
            return False
        try:
            self.studio.draw(draft, model)
        except EaselError as error:
            self.complain(error)
            return False
        self.drawn.emit(draft)
        self.notices.uncover()
        return True

    def toast(
        self, text: str, action: str | None = None, on_action: Callable[[], Any] | None = None
    ) -> None:
        """One line that goes by itself."""
        self.notices.toast.say(text, action, on_action)

    def complain(self, error: EaselError) -> None:
        """What was asked cannot be: one line, beside what the person is doing."""
        self.notices.complain(error)

    def show_error(
        self,
        error: EaselError,
        again: Callable[[], Any] | None = None,
        dismiss: Callable[[], Any] | None = None,
        again_words: str = "Try again",
    ) -> None:
        """Lay the words for ``error`` over the canvas, until they are closed."""
        self.complete()
        self.notices.show_error(error, again, dismiss, again_words)

    def step_picture(self, by: int) -> None:
        """Look at the next older (1) or newer (-1) picture."""
        if self.desk.current is None:
            return
        row = self.desk.row_of(self.desk.current) + by
        if 0 <= row < self.desk.rowCount():
            self.desk.look_at(self.desk.items()[row])

    def set_look(self, choice: str) -> None:
        """ "system", "light" or "dark", remembered."""
        from app.core.settings import Theme as Choice

        self.theme.choose(choice)
        self.remember(theme=Choice(choice))

    def explain_focus(self) -> None:
        """Say what the control with the focus does; outside the inspector, what the prompt is."""
        focused = self.focusWidget()
        for row in self.inspector.rows():
            if focused is not None and row.isAncestorOf(focused):
                self.explain(row)
                return
        self.explain(self.prompt)

    def explain(self, part: Row | PromptBar) -> None:
        """Say, in a card beside it, what ``part`` does."""
        if self._popover is None:
            from app.ui.popover import Popover

            self._popover = Popover(self.theme, self)
        self._popover.explain(part.title, part.explanation, part)

    def remember(self, **changes: Any) -> None:
        """Change these settings; where they cannot be written, this window still has them."""
        from dataclasses import replace

        from app.core.errors import EaselError

        try:
            self.easel.change_settings(replace(self.easel.settings, **changes))
        except EaselError as error:
            import logging

            logging.getLogger(__name__).warning("settings could not be written: %s", error)

    # Qt's own.

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        super().paintEvent(event)
        if not self._completed:
            QTimer.singleShot(0, self, self._after_first_paint)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        super().resizeEvent(event)
        self.prompt.be_brief(self.height() < LOW)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 (Qt's name)
        self.complete()
        coming = self._begun and self.getting.busy
        if (self.desk.busy or coming) and not self._leaving:
            event.ignore()
            from app.ui.closing import ask

            ask(self, self.leave)
            return
        model = self.model()
        self.remember(
            window=bytes(self.saveGeometry().toBase64().data()).decode(),
            form=self.form.to_json(),
            inspector_visible=self.toolbar.inspector_button.isChecked(),
            **({} if model is None else {"model": model.id}),
        )
        self.hide()
        self.closing.emit()
        if self._begun:
            self.getting.close()
        self.meter.close()
        self.studio.close()
        super().closeEvent(event)

    def leave(self) -> None:
        """Close without asking."""
        self._leaving = True
        self.close()

    def _after_first_paint(self) -> None:
        self.complete()
        QTimer.singleShot(0, self, self.begin)
