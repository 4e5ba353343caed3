"""Undo and redo of what the person sets in the form; text boxes have their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from PySide6.QtCore import QObject, Signal

from app.ui.form import Form, Values
from app.ui.inspector import Inspector
from app.ui.prompt_bar import PromptBar

DEPTH = 100
TOGETHER_S = 1.0
"""Changes of one control that follow each other within this time are one: a slider is dragged."""

_TYPED = ("prompt", "negative_prompt")
_NAMES = {
    "start": "Starting Picture",
    "size": "Shape",
    "steps": "Quality",
    "guidance": "Follow the Prompt",
    "seed": "Seed",
    "seed_locked": "Seed",
    "count": "Pictures",
    "scheduler": "Sampler",
    "loras": "LoRAs",
    "vae": "Autoencoder",
}


@dataclass(frozen=True, slots=True)
class Change:
    """Fields of the form before and after; ``words`` name it in the menu."""

    words: str
    before: Values
    after: Values


class FormHistory(QObject):
    """Remembers each change of a control, and what was laid over the whole form, as one step.

    ``changed`` tells that there is something else to undo or redo.
    """

    changed = Signal()

    def __init__(
        self,
        form: Form,
        prompt: PromptBar,
        inspector: Inspector,
        now: Callable[[], float] = monotonic,
    ) -> None:
        super().__init__(prompt)
        self._form = form
        self._now = now
        self._done: list[Change] = []
        self._undone: list[Change] = []
        self._last_at = -TOGETHER_S
        self._deaf = False
        self._known = form.values()
        inspector.changed.connect(self._look)
        inspector.seed.taken.connect(self._settle)
        prompt.start_changed.connect(self._look)

    @property
    def to_undo(self) -> str:
        """What would be undone, in a menu's words; "" for nothing."""
        return self._done[-1].words if self._done else ""

    @property
    def to_redo(self) -> str:
        return self._undone[-1].words if self._undone else ""

    def undo(self) -> None:
        """Take back the last change; what was typed since stays."""
        if self._done:
            change = self._done.pop()
            self._put(change.before)
            self._undone.append(change)
            self.changed.emit()

    def redo(self) -> None:
        if self._undone:
            change = self._undone.pop()
            self._put(change.after)
            self._done.append(change)
            self.changed.emit()

    @contextmanager
    def as_one(self, words: str) -> Iterator[None]:
        """What is done to the form meanwhile, its text included, is one step named ``words``."""
        before, was_deaf = self._form.values(), self._deaf
        self._deaf = True
        try:
            yield
        finally:
            self._deaf = was_deaf
            self._known = self._form.values()
            if not was_deaf:
                self._note(words, before, self._known, together=False)

    def forget(self) -> None:
        """There is another model now: what was set for the last one need not fit it."""
        self._done, self._undone = [], []
        self._settle()
        self.changed.emit()

    def _put(self, values: Values) -> None:
        self._deaf = True
        try:
            self._form.put(values)
        finally:
            self._deaf = False
        self._last_at = -TOGETHER_S
        self._settle()

    def _settle(self) -> None:
        self._known = self._form.values()

    def _look(self) -> None:
        if self._deaf:
            return
        before, after = self._known, self._form.values()
        for name in _TYPED:
            before = before | {name: after[name]}
        self._known = after
        self._note("", before, after, together=True)

    def _note(self, words: str, before: Values, after: Values, *, together: bool) -> None:
        names = [name for name in after if before[name] != after[name]]
        if not names:
            return
        change = Change(
            words or _named(names),
            {name: before[name] for name in names},
            {name: after[name] for name in names},
        )
        last = self._done[-1] if self._done else None
        moment = self._now()
        joins = together and moment - self._last_at < TOGETHER_S
        self._last_at = moment if together else -TOGETHER_S
        if joins and last is not None and last.after.keys() == change.after.keys():
            self._done[-1] = Change(last.words, last.before, change.after)
        else:
            self._done = [*self._done[1 - DEPTH :], change]
        self._undone = []
        self.changed.emit()


def _named(names: list[str]) -> str:
    known = dict.fromkeys(_NAMES.get(name, "Change") for name in names)
    return next(iter(known)) if len(known) == 1 else "Changes"
