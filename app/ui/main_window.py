"""The window: puts the parts together and passes on what the person wants."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices, QPaintEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from app.core.errors import Bug, EaselError
from app.core.model import Feature, Model
from app.core.recipe import Draft
from app.ui.canvas import Canvas
from app.ui.desk import Desk
from app.ui.filmstrip import Filmstrip
from app.ui.form import Form
from app.ui.inspector import Inspector, pace_html
from app.ui.item import Item, Stage
from app.ui.menus import Menus
from app.ui.pace import seconds_text
from app.ui.prompt_bar import PromptBar
from app.ui.row import Row
from app.ui.studio import Studio, place_text
from app.ui.theme import Theme
from app.ui.tokens import HALO
from app.ui.toolbar import Toolbar

if TYPE_CHECKING:
    from app.compose import Easel
    from app.jobs.events import SessionEvent
    from app.jobs.session import Session
    from app.ui.error_card import ErrorCard
    from app.ui.first_run import FirstRun
    from app.ui.popover import Popover
    from app.ui.toast import Toast
    from app.ui.token_meter import TokenMeter

log = logging.getLogger(__name__)

LEAST = (900, 600)
FIRST = (1320, 860)


class MainWindow(QMainWindow):
    """One window. What is not needed for its first paint is made in ``begin``, right after it."""

    model_changed = Signal(object)
    begun = Signal()
    """Everything is in place: the session, the menus, what unfolds."""
    surprise_wanted = Signal()
    closing = Signal()
    """The window is hidden and about to go: end what was started."""

    def __init__(self, easel: Easel, theme: Theme) -> None:
        super().__init__()
        self.easel = easel
        self.theme = theme
        self.desk = Desk()
        self.studio = Studio(easel, self.desk)
        self._model: Model | None = None
        self._begun = False
        self._leaving = False
        self._error_card: ErrorCard | None = None
        self._first_run: FirstRun | None = None
        self._popover: Popover | None = None
        self._toast: Toast | None = None
        self._meter: TokenMeter | None = None
        self.setWindowTitle("Easel")
        self.setMinimumSize(*LEAST)
        self._compose()
        self._connect()
        self._restore()

    # What the other parts use.

    @property
    def session(self) -> Session:
        return self.studio.session

    def model(self) -> Model | None:
        """The model that draws; None when there is none on this disk."""
        return self._model

    def generate(self) -> None:
        """Draw what the form says, after what is already queued."""
        self.draw(self.form.take())

    def draw(self, draft: Draft) -> bool:
        """Queue ``draft`` for the chosen model; false when it cannot be, which is then shown."""
        if self._model is None:
            self.show_first_run()
            return False
        try:
            self.begin()
            self.studio.draw(draft, self._model)
        except EaselError as error:
            self.complain(error)
            return False
        self._cover_canvas(None)
        return True

    def stop_all(self) -> None:
        self.studio.stop_all()

    def toast(
        self, text: str, action: str | None = None, on_action: Callable[[], None] | None = None
    ) -> None:
        """One line that goes by itself."""
        self._notice().say(text, action, on_action)

    def ask(
        self, text: str, yes: tuple[str, Callable[[], None]], no: tuple[str, Callable[[], None]]
    ) -> None:
        """One line with two answers; it stays until one is given."""
        self._notice().ask(text, yes, no)

    def complain(self, error: EaselError) -> None:
        """What was asked cannot be: one line, beside what the person is doing."""
        from app.messages import describe

        message = describe(error)
        self.toast(f"{message.body} {message.next_step}".strip())

    def show_error(
        self,
        error: EaselError,
        again: Callable[[], None] | None = None,
        dismiss: Callable[[], None] | None = None,
        again_words: str = "Try again",
    ) -> None:
        """Lay the words for ``error`` over the canvas, until they are closed."""
        if self._error_card is None:
            from app.ui.error_card import ErrorCard

            self._error_card = ErrorCard(self.theme)
        log.warning("shown: %s", type(error).__name__)
        if isinstance(error, Bug):
            log.error("%s", error.traceback)
        card = self._error_card
        card.show_error(error, again, dismiss or self._uncover, again_words)
        self._cover_canvas(card)

    def set_model(self, model: Model | None) -> None:
        """Draw with ``model`` from now on."""
        self._model = model
        models = list(self.easel.models())
        if model is not None and all(known.id != model.id for known in models):
            models.append(model)
        self.toolbar.show_models(models, model)
        self.inspector.set_model(model)
        negative = model is not None and Feature.NEGATIVE_PROMPT in model.limits.features
        self.prompt.avoid.link.setVisible(negative)
        if not negative:
            self.prompt.avoid.close_panel()
        self._count_tokens()
        self._say_pace()
        if self._first_run is not None:
            self._greet(self._first_run)
        self.model_changed.emit(model)

    def open_model_folder(self, folder: Path) -> bool:
        """Draw with the model in ``folder``, and remember it."""
        try:
            model = self.easel.model(str(folder))
        except EaselError as error:
            self.show_error(error, self.choose_model_folder, None, "Choose another folder…")
            return False
        self._uncover()
        self._choose_model(model)
        return True

    def choose_model_folder(self) -> None:
        """Ask for a model folder, without standing in the way of anything."""
        dialog = QFileDialog(self, "Open a model folder")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda chosen: self.open_model_folder(Path(chosen)))
        dialog.open()

    def show_pictures(self) -> None:
        """Open the pictures folder in the system's own file browser."""
        folder = self.easel.library.folder
        folder.mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def show_log(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.easel.folders.logs)))

    def show_inspector(self, shown: bool) -> None:
        self.toolbar.inspector_button.setChecked(shown)

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
        self._remember(theme=Choice(choice))

    def toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def explain_focus(self) -> None:
        """Say what the control with the focus does, or the first one."""
        focused = self.focusWidget()
        for row in self.inspector.rows():
            if focused is not None and row.isAncestorOf(focused):
                self.explain(row)
                return
        self.explain(self.inspector.rows()[0])

    def explain(self, row: Row) -> None:
        if self._popover is None:
            from app.ui.popover import Popover

            self._popover = Popover(self.theme, self)
        self._popover.explain(row.title, row.explanation, row)

    def about(self) -> None:
        from app.ui.about import show_about

        show_about(self)

    def begin(self) -> None:
        """Make what the first paint did not need, start the engine. Idempotent."""
        if self._begun:
            return
        self._begun = True
        from app.ui.beginning import begin

        begin(self)
        self.begun.emit()

    # How it is made.

    def _compose(self) -> None:
        theme = self.theme
        self.toolbar = Toolbar(theme)
        self.prompt = PromptBar(theme)
        self.canvas = Canvas(theme, self.desk)
        self.filmstrip = Filmstrip(theme, self.desk)
        self.filmstrip.hide()
        self.inspector = Inspector(theme)
        self.form = Form(self.prompt, self.inspector)
        self.menus = Menus(self)
        left = QVBoxLayout()
        left.setContentsMargins(16, 16 - HALO, 16, 14)
        left.setSpacing(0)
        # Each part has its own room for halos and rings; what is seen of them lines up at 20.
        for part, room, gap in ((self.prompt, 1, 15 - HALO), (self.canvas, 4, 12)):
            row = QHBoxLayout()
            row.setContentsMargins(room, 0, room, 0)
            row.addWidget(part)
            left.addLayout(row, 1 if part is self.canvas else 0)
            left.addSpacing(gap)
        left.addWidget(self.filmstrip)
        body = QHBoxLayout()
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(0)
        body.addLayout(left, 1)
        body.addWidget(self.inspector)
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.toolbar)
        column.addLayout(body, 1)
        self.setCentralWidget(centre)

    def _connect(self) -> None:
        self.toolbar.model_chosen.connect(self._choose_model)
        self.toolbar.folder_wanted.connect(self.choose_model_folder)
        self.toolbar.inspector_button.toggled.connect(self.inspector.setVisible)
        self.prompt.generate.connect(self.generate)
        self.prompt.stop.connect(self.stop_all)
        self.prompt.changed.connect(self._count_tokens)
        self.inspector.changed.connect(self._say_pace)
        self.inspector.problem.connect(self.complain)
        self.inspector.explanation_wanted.connect(self.explain)
        self.filmstrip.stop_wanted.connect(self.studio.stop)
        self.desk.busy_changed.connect(self.prompt.set_drawing)
        self.desk.current_changed.connect(self._current_changed)
        self.desk.failed.connect(self._failed)
        self.desk.rowsInserted.connect(lambda *_: self.filmstrip.show())
        self.studio.placed.connect(self._say_pace)
        self.studio.heard.connect(self._hear)

    def _restore(self) -> None:
        settings = self.easel.settings
        try:
            self.set_model(self.easel.model())
        except EaselError:
            self.set_model(None)
        self.form.restore(settings.form)
        self.show_inspector(settings.inspector_visible)
        self.resize(*FIRST)
        if settings.window:
            self.restoreGeometry(QByteArray.fromBase64(settings.window.encode("ascii", "replace")))
        self.show_first_run()
        self.prompt.editor.setFocus()

    # What happens.

    def _hear(self, event: SessionEvent) -> None:
        from app.ui.news import tell

        tell(self, event)

    def _current_changed(self) -> None:
        item = self.desk.current
        if item is None:
            self.show_first_run()
        elif item.stage is Stage.FAILED:
            self._failed(item)
        else:
            self._cover_canvas(None)

    def _failed(self, item: Item) -> None:
        if item is self.desk.current and item.error is not None:
            self.show_error(
                item.error,
                lambda: self._again(item),
                lambda: self.desk.drop(item),
                "Draw again",
            )

    def _again(self, item: Item) -> None:
        self._cover_canvas(None)
        try:
            self.studio.again(item)
        except EaselError as error:
            self.complain(error)

    def show_first_run(self) -> None:
        """What the canvas says while there is nothing on the desk."""
        if self._first_run is None:
            from app.ui.first_run import FirstRun

            self._first_run = FirstRun(self.theme)
            self._first_run.prompt_chosen.connect(self._try_example)
            self._first_run.folder_wanted.connect(self.choose_model_folder)
            self._first_run.surprise_wanted.connect(self.surprise_wanted)
            self._greet(self._first_run)
        if not self.desk:
            self.filmstrip.hide()
            self._cover_canvas(self._first_run)

    def _greet(self, first_run: FirstRun) -> None:
        model = self._model
        words = () if model is None else self.easel.vocabulary(model).examples
        if model is not None and not model.built_in and not words:
            words = ("a lighthouse at dusk, oil painting", "a bowl of lemons, film photograph")
        first_run.say(model, words)

    def _try_example(self, prompt: str) -> None:
        self.prompt.set_text(prompt)
        self.prompt.editor.setFocus()
        self.generate()

    def _notice(self) -> Toast:
        if self._toast is None:
            from app.ui.toast import Toast

            self._toast = Toast(self.theme, self.canvas)
        return self._toast

    def _uncover(self) -> None:
        self._cover_canvas(None if self.desk else self._first_run)

    def _cover_canvas(self, cover: QWidget | None) -> None:
        self.canvas.set_cover(cover)

    def _choose_model(self, model: Model) -> None:
        self.set_model(model)
        opened = self.easel.settings.opened_models
        known = {other.id for other in self.easel.models()}
        if model.id not in known and model.id not in opened:
            opened = (*opened, model.id)
        self._remember(model=model.id, opened_models=opened)
        if self._begun:
            self.studio.begin(model)

    def _count_tokens(self) -> None:
        if self._meter is None:
            if not self._begun:
                return
            from app.ui.token_meter import TokenMeter

            self._meter = TokenMeter(self.easel.token_counter, self)
            self._meter.counted.connect(self._show_tokens)
        self._meter.ask(self.prompt.text(), self._model)

    def _show_tokens(
        self, text: str, count: int | None, limit: int | None, cut: int | None
    ) -> None:
        if text == self.prompt.text():
            self.prompt.show_tokens(count, limit, cut)

    def _say_pace(self) -> None:
        model, placements = self._model, self.studio.placements
        if model is None:
            self.inspector.show_foot("")
            return
        inspector = self.inspector
        seconds = self.studio.pace.seconds(model, inspector.size_chosen, inspector.steps)
        place = place_text(placements[0], sys.platform == "darwin") if placements else ""
        one = None if seconds is None else seconds_text(seconds)
        count = inspector.count
        total = None if seconds is None or count == 1 else seconds_text(seconds * count, whole=True)
        inspector.show_foot(pace_html(one, total, place))

    def _remember(self, **changes: object) -> None:
        try:
            self.easel.change_settings(replace(self.easel.settings, **changes))  # type: ignore[arg-type]
        except EaselError as error:
            log.warning("settings could not be written: %s", error)

    # Qt's own.

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        super().paintEvent(event)
        if not self._begun:
            QTimer.singleShot(0, self.begin)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 (Qt's name)
        if self.desk.busy and not self._leaving:
            event.ignore()
            from app.ui.closing import ask

            ask(self, self.leave)
            return
        self._remember(
            window=bytes(self.saveGeometry().toBase64().data()).decode(),
            form=self.form.to_json(),
            inspector_visible=self.toolbar.inspector_button.isChecked(),
            model=None if self._model is None else self._model.id,
        )
        self.hide()
        self.closing.emit()
        if self._meter is not None:
            self._meter.close()
        self.studio.close()
        super().closeEvent(event)

    def leave(self) -> None:
        """Close without asking."""
        self._leaving = True
        self.close()
