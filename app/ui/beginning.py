"""What follows the first paint: menus, the engine, what unfolds, and what was left last time."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow

log = logging.getLogger(__name__)


def begin(window: MainWindow) -> None:
    """Complete ``window`` and start its engine."""
    # 1. The rest of the window
    window.menus.fill()
    from app.ui import interactions
    from app.ui.getting_models import GettingModels
    from app.ui.views import Views

    window.getting = GettingModels(window)
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
