"""Core ML models are made ready before they are drawn with; another model draws meanwhile."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.core.errors import EaselError, PredictionFailed
from app.core.model import Model, ModelFormat
from app.jobs.readying import Need, Readied, Trying
from app.messages import describe
from app.messages.coreml import not_prepared, trial_text
from app.ui.coreml_words import TRYING, preparing_text, unit_text

if TYPE_CHECKING:
    from app.ui.errand import Errand, Errands
    from app.ui.main_window import MainWindow

log = logging.getLogger(__name__)

TICK_MS = 1000


@dataclass(frozen=True, slots=True)
class Doing:
    """What goes on with a model: ``done`` of 1000, -1 where it cannot be counted. ``trouble`` says
    that it came to nothing, and ``text`` then why."""

    text: str
    done: int = -1
    trouble: str = ""


class ModelReadying(QObject):
    """One at a time; ``changed`` carries the id of a model about which there is something new."""

    changed = Signal(str)

    def __init__(self, window: MainWindow, errands: Errands) -> None:
        super().__init__(window)
        self._window, self._errands = window, errands
        self._errand: Errand | None = None
        self._running: tuple[Model, Need] | None = None
        self._waiting: list[Model] = []
        self._wanted: Model | None = None
        """What is to be drawn with as soon as it is ready."""
        self._known: dict[str, Doing] = {}
        self._began = 0.0
        self._done = -1
        self._trying = False
        self._clock = QTimer(self)
        self._clock.setInterval(TICK_MS)
        self._clock.timeout.connect(self._tick)
        window.closing.connect(self._keep_wish)

    @property
    def busy(self) -> bool:
        return self._errand is not None

    def doing(self, id: str) -> Doing | None:
        """What goes on with the model of that id."""
        return self._known.get(id)

    def take(self, model: Model) -> bool:
        """Whether ``model``, which was chosen, is made ready first; it is chosen again then."""
        need = self._needed(model)
        if need is None:
            self._wanted = None
            return False
        self._wanted = model
        self._window.toast(_word_before(model, need, self._window.model()))
        if self._running is None:
            self._start(model, need)
        elif self._running[0].id != model.id:
            self._waiting = [one for one in self._waiting if one.id != model.id] + [model]
            self._say(model, Doing("Waits until another model is prepared"))
        return True

    def look_at_start(self) -> None:
        """The model of last time may have to be made ready again: another one draws until then."""
        model = self._window.model()
        if model is None or self._needed(model) is None:
            return
        others = (model.twin, *self._window.models.at_hand())
        other = next((o for o in others if o and o.format is ModelFormat.DIFFUSERS), None)
        if other is not None:
            self._window.models.stand_in(other)
            self.take(model)

    def stop(self, id: str) -> None:
        """Leave the model of that id as it is."""
        self._waiting = [one for one in self._waiting if one.id != id]
        if self._wanted is not None and self._wanted.id == id:
            self._wanted = None
        if self._errand is not None and self._running is not None and self._running[0].id == id:
            self._errand.stop()
        else:
            self._say_nothing(id)

    # What happens.

    def _needed(self, model: Model) -> Need | None:
        readying = self._window.easel.readying
        return None if readying is None else readying.needed(model)

    def _start(self, model: Model, need: Need) -> None:
        readying = self._window.easel.readying
        if readying is None:
            return
        self._running = model, need
        self._began, self._done, self._trying = time.monotonic(), -1, False
        errand = self._errand = self._errands.make(
            lambda report, cancelled: readying.make_ready(model, report, cancelled)
        )
        errand.told.connect(self._told)
        errand.done.connect(self._ready)
        errand.failed.connect(self._failed)
        self._clock.start()
        self._tick()
        errand.start()

    def _tick(self) -> None:
        if self._running is not None:
            model, need = self._running
            elapsed = time.monotonic() - self._began
            text = TRYING if self._trying else preparing_text(need, elapsed)
            self._say(model, Doing(text, self._done))

    @Slot(object)
    def _told(self, event: object) -> None:
        from app.engine.coreml.preparing import Preparing

        match event:
            case Preparing(_, _, _, _, elapsed, estimate):
                self._done = min(990, round(1000 * elapsed / max(estimate, 1e-9)))
            case Trying():
                self._trying, self._done = True, -1
        self._tick()

    @Slot(object)
    def _ready(self, ready: Readied | None) -> None:
        model = self._end()
        if model is None:
            return
        self._say_nothing(model.id)
        if ready is not None:
            self._tell_ready(model, ready)
        self._next()

    def _tell_ready(self, model: Model, ready: Readied) -> None:
        window, here = self._window, self._window.easel.core_ml
        words = f"{model.title} is ready for {unit_text(ready.placement)}"
        if ready.trial is not None and here is not None:
            picture_s = ready.trial.picture_s(model.limits.steps)
            words += f". {trial_text(picture_s, ready.trial.memory, here.mac.memory)}"
        if self._wanted is not None and self._wanted.id == model.id:
            self._wanted = None
            window.models.choose(model)
            window.toast(words)
        else:
            window.toast(words, "Use", lambda: window.models.choose(model))

    @Slot(object)
    def _failed(self, error: EaselError) -> None:
        model = self._end()
        if model is None:
            return
        log.warning("not made ready: %s", type(error).__name__)
        if self._wanted is not None and self._wanted.id == model.id:
            self._wanted = None
        message = not_prepared(error) if isinstance(error, PredictionFailed) else describe(error)
        text = f"{message.body} {message.next_step}".strip()
        self._say(model, Doing(text, 0, message.title))
        self._window.toast(f"{model.title}: {text}")
        self._next()

    def _end(self) -> Model | None:
        self._clock.stop()
        self._errand = None
        running, self._running = self._running, None
        return None if running is None else running[0]

    def _next(self) -> None:
        while self._waiting:
            model = self._waiting.pop(0)
            need = self._needed(model)
            if need is not None:
                self._start(model, need)
                return

    def _keep_wish(self) -> None:
        """What was chosen is tried again at the next start."""
        if self._wanted is not None:
            self._window.remember(model=self._wanted.id)

    def _say(self, model: Model, doing: Doing) -> None:
        self._known[model.id] = doing
        self.changed.emit(model.id)

    def _say_nothing(self, id: str) -> None:
        self._known.pop(id, None)
        self.changed.emit(id)


def _word_before(model: Model, need: Need, meanwhile: Model | None) -> str:
    """What a person hears before it begins; a toast has room for one short line."""
    draws = f" {meanwhile.title} draws meanwhile." if meanwhile is not None else ""
    if need.again:
        return f"macOS has changed: {model.title} is prepared again.{draws}"
    return f"{model.title} is prepared, up to 5 minutes.{draws}"
