"""What follows the first paint: menus, the engine, what unfolds, and what was left last time."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

if TYPE_CHECKING:
    from app.core.recipe import Draft
    from app.ui.main_window import MainWindow

log = logging.getLogger(__name__)


def begin(window: MainWindow) -> None:
    """Complete ``window`` and start its engine."""
    # 1. The rest of the window
    from app.ui import interactions
    from app.ui.finishing import Finishing
    from app.ui.form_history import FormHistory
    from app.ui.getting_models import GettingModels
    from app.ui.other_windows import OtherWindows
    from app.ui.preset_menu import PresetMenu
    from app.ui.prompt_history import PromptHistory
    from app.ui.views import Views

    window.getting = GettingModels(window)
    window.others = OtherWindows(window)
    window.history = FormHistory(window.form, window.prompt, window.inspector)
    window.model_changed.connect(window.history.forget)
    window.finishing = Finishing(window)
    window.presets = PresetMenu(window, QMenu("Presets", window))
    past = PromptHistory(window.prompt, lambda: window.easel.prompts.all())
    past.setObjectName("prompt history")
    window.drawn.connect(lambda draft: _remember(window, draft))
    window.menus.fill()
    window.inspector.add_last(window.presets.place)
    joined = interactions.connect(window)
    joined.starting.drop.model_dropped.connect(window.getting.bring)
    window.views = Views(window, joined)
    window.prompt.changed.emit()
    # 2. The engine, so that it is warm when the prompt is typed
    window.studio.begin(window.model())
    # 3. What needs saying
    if window.easel.settings_problem is not None:
        window.complain(window.easel.settings_problem)
    if window.models.problem is not None:
        log.warning("no model: %s", window.models.problem)
        window.show_error(
            window.models.problem, window.models.ask_for_folder, None, "Open a folder…"
        )
    _tell_of_models_gone(window)
    _offer_last_time(window)
    if sys.platform == "darwin" and getattr(sys, "frozen", False):
        from app.ui import settling

        settling.offer(window, Path(sys.executable))


def _remember(window: MainWindow, draft: Draft) -> None:
    if window.easel.settings.remember_prompts:
        window.easel.prompts.add(draft.prompt)


def _tell_of_models_gone(window: MainWindow) -> None:
    """The disk with the models may be in a drawer."""
    chosen = window.easel.folders.models
    if chosen is not None and not chosen.is_dir():
        window.toast("The folder with your models is not there", "Show", window.getting.open_models)


def _offer_last_time(window: MainWindow) -> None:
    left = window.session.restore()
    if not left:
        return
    count = "One picture was" if len(left) == 1 else f"{len(left)} pictures were"
    window.notices.toast.ask(
        f"{count} not finished last time.",
        ("Draw now", window.session.resume),
        ("Forget", window.session.forget),
    )
