"""Makes the parts of the window that its first paint did not need, and connects them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from app.core.errors import EaselError
from app.core.model import Feature, Model
from app.ui.canvas import Canvas
from app.ui.desk import Desk
from app.ui.filmstrip import Filmstrip
from app.ui.form import Form
from app.ui.inspector import Inspector, pace_html
from app.ui.item import Item, Stage
from app.ui.menus import Menus
from app.ui.model_choice import ModelChoice
from app.ui.notices import Notices
from app.ui.pace import seconds_text
from app.ui.studio import Studio, place_text
from app.ui.token_meter import TokenMeter
from app.ui.toolbar import Toolbar

if TYPE_CHECKING:
    from app.jobs.events import SessionEvent
    from app.ui.main_window import MainWindow


def complete(window: MainWindow) -> None:
    """Fill ``window``'s frame, and show what was set last time."""
    # 1. The parts
    theme, prompt = window.theme, window.prompt
    prompt.complete()
    window.desk = Desk()
    window.studio = Studio(window.easel, window.desk)
    window.toolbar = Toolbar(theme)
    window.canvas = Canvas(theme, window.desk)
    window.filmstrip = Filmstrip(theme, window.desk)
    window.filmstrip.hide()
    window.inspector = Inspector(theme)
    window.form = Form(prompt, window.inspector)
    window.models = ModelChoice(window.easel, window.remember, window)
    window.meter = TokenMeter(window.easel.token_counter, window)
    window.notices = Notices(theme, window.canvas, window.desk)
    window.menus = Menus(window, window.titles)
    # 2. What each tells the others
    window.wiring = Wiring(window)  # Qt holds no plain object that it is connected to
    window.wiring.connect()
    # 3. As it was last time
    window.models.begin()
    window.form.restore(window.easel.settings.form)
    window.inspector.fill(count=window.easel.settings.start_count)
    window.toolbar.inspector_button.setChecked(window.easel.settings.inspector_visible)
    window.notices.uncover()
    window.frame.fill(window.toolbar, window.canvas, window.filmstrip, window.inspector)
    QWidget.setTabOrder(window.canvas, window.filmstrip)


class Wiring:
    """The connections between the parts, and what is shown in more than one of them."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def connect(self) -> None:
        window = self._window
        window.models.changed.connect(self._model_changed)
        window.models.listed.connect(self._models_listed)
        window.models.refused.connect(self._model_refused)
        window.toolbar.model_chosen.connect(window.models.choose)
        window.toolbar.folder_wanted.connect(window.models.ask_for_folder)
        window.toolbar.models_wanted.connect(self._open_models)
        window.toolbar.inspector_button.toggled.connect(window.inspector.setVisible)
        window.prompt.generate.connect(window.generate)
        window.prompt.stop.connect(window.studio.stop_all)
        window.prompt.changed.connect(self._count_tokens)
        window.meter.counted.connect(self._show_tokens)
        window.inspector.changed.connect(self._say_pace)
        window.inspector.models_wanted.connect(self._open_models)
        window.inspector.problem.connect(window.complain)
        window.inspector.explanation_wanted.connect(window.explain)
        window.filmstrip.stop_wanted.connect(window.studio.stop)
        window.desk.busy_changed.connect(window.prompt.set_drawing)
        window.desk.current_changed.connect(self._current_changed)
        window.desk.failed.connect(self._failed)
        window.desk.rowsInserted.connect(self._show_strip)
        window.studio.placed.connect(self._say_pace)
        window.studio.heard.connect(self._hear)
        window.notices.prompt_chosen.connect(self._try_example)
        window.notices.folder_wanted.connect(window.models.ask_for_folder)
        window.notices.models_wanted.connect(self._get_first)
        window.notices.surprise_wanted.connect(window.surprise_wanted)

    # The model

    def _model_changed(self, model: Model | None) -> None:
        window = self._window
        window.toolbar.show_models(window.models.at_hand(), model)
        window.inspector.set_model(model)
        negative = model is not None and Feature.NEGATIVE_PROMPT in model.limits.features
        window.prompt.avoid.link.setVisible(negative)
        if not negative:
            window.prompt.avoid.close_panel()
        self._count_tokens()
        self._say_pace()
        window.notices.greet(model, window.models.examples())
        window.notices.uncover()
        window.studio.model_changed(model)
        window.model_changed.emit(model)

    def _models_listed(self) -> None:
        window = self._window
        window.toolbar.show_models(window.models.at_hand(), window.model())

    def _model_refused(self, error: EaselError) -> None:
        window = self._window
        window.show_error(error, window.models.ask_for_folder, None, "Another folder…")

    def _open_models(self) -> None:
        self._window.begin()
        self._window.getting.open_models()

    def _get_first(self) -> None:
        self._window.begin()
        self._window.getting.get_first()

    # The canvas

    def _current_changed(self) -> None:
        window, item = self._window, self._window.desk.current
        if item is not None and item.stage is Stage.FAILED:
            self._failed(item)
            return
        if item is None and not window.desk:
            window.filmstrip.hide()
        window.notices.uncover()

    def _failed(self, item: Item) -> None:
        window = self._window
        if item is window.desk.current and item.error is not None:
            window.show_error(
                item.error,
                lambda: self._again(item),
                lambda: window.desk.drop(item),
                "Draw again",
            )

    def _again(self, item: Item) -> None:
        try:
            self._window.studio.again(item)
        except EaselError as error:
            self._window.complain(error)
        self._window.notices.uncover()

    def _show_strip(self, *_ignored: object) -> None:
        self._window.filmstrip.show()

    def _hear(self, event: SessionEvent) -> None:
        from app.ui.news import tell

        tell(self._window, event)

    def _try_example(self, prompt: str) -> None:
        window = self._window
        window.prompt.set_text(prompt)
        window.prompt.editor.setFocus()
        window.generate()

    # The prompt and the inspector

    def _count_tokens(self) -> None:
        self._window.meter.ask(self._window.prompt.text(), self._window.model())

    def _show_tokens(
        self, text: str, count: int | None, limit: int | None, cut: int | None
    ) -> None:
        if text == self._window.prompt.text():
            self._window.prompt.show_tokens(count, limit, cut)

    def _say_pace(self) -> None:
        window = self._window
        model, inspector, studio = window.model(), window.inspector, window.studio
        if model is None:
            inspector.show_foot("")
            return
        seconds = studio.pace.seconds(model, inspector.size_chosen, inspector.steps)
        mac = sys.platform == "darwin"
        place = place_text(studio.placements[0], mac) if studio.placements else ""
        one = None if seconds is None else seconds_text(seconds)
        count = inspector.count
        total = None if seconds is None or count == 1 else seconds_text(seconds * count)
        inspector.show_foot(pace_html(one, total, count, place))
