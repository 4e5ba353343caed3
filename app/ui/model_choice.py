"""Which model draws: choosing among those at hand, opening a folder, remembering."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.core.errors import EaselError
from app.core.model import Model

if TYPE_CHECKING:
    from app.compose import Easel

_EXAMPLES = ("a lighthouse at dusk, oil painting", "a bowl of lemons, film photograph")
"""For a model that knows every word."""


class ModelChoice(QObject):
    """Holds the model that draws. ``refused`` carries why a folder cannot be drawn with."""

    changed = Signal(object)
    listed = Signal()
    refused = Signal(object)

    def __init__(self, easel: Easel, remember: Callable[..., None], window: QWidget) -> None:
        super().__init__(window)
        self._easel = easel
        self._remember: Callable[..., None] = remember
        self._window = window
        self.model: Model | None = None
        self.problem: EaselError | None = None
        """Why there is no model."""
        self.before: Callable[[Model], bool] | None = None
        """Asked before a model is chosen; true where it takes it on, to choose it again later."""

    def begin(self) -> None:
        """Choose the model to begin with, the one drawn with last, or the first one there is."""
        wanted = self._easel.settings.start_model if self.model is None else None
        known = self._easel.models() if wanted else ()
        first = next((model for model in known if model.id == wanted), None)
        if first is not None:
            self._take(first)
            return
        try:
            self._take(self._easel.model())
        except EaselError as error:
            self.problem = error
            self._take(None)

    def at_hand(self) -> tuple[Model, ...]:
        """The models to choose from."""
        known = self._easel.models()
        if self.model is not None and all(self.model.id != other.id for other in known):
            return (*known, self.model)
        return known

    def examples(self) -> tuple[str, ...]:
        """Prompts to try with the model."""
        if self.model is None:
            return ()
        known = self._easel.vocabulary(self.model).examples
        return known if known or self.model.built_in else _EXAMPLES

    def choose(self, model: Model) -> None:
        """Draw with ``model`` from now on, and remember it."""
        if self.before is not None and self.before(model):
            return
        opened = self._easel.settings.opened_models
        changes: dict[str, Any] = {"model": model.id}
        if model.id not in opened and all(model.id != m.id for m in self._easel.models()):
            changes["opened_models"] = (*opened, model.id)
        self._remember(**changes)
        self._take(model)

    def stand_in(self, model: Model) -> None:
        """Draw with ``model`` for now; what is remembered stays."""
        self._take(model)

    def found_more(self) -> None:
        """The models at hand, or what fits them, are others now; the one that draws stays."""
        chosen = self.model
        now = next((m for m in self._easel.models() if chosen and m.id == chosen.id), None)
        if now is not None and now != chosen:
            self._take(now)
        else:
            self.listed.emit()

    def open_folder(self, folder: Path) -> bool:
        """Draw with the model in ``folder``; false, and ``refused``, when that cannot be."""
        try:
            model = self._easel.model(str(folder))
        except EaselError as error:
            self.refused.emit(error)
            return False
        self.choose(model)
        return True

    def ask_for_folder(self) -> QFileDialog:
        """Open the system's dialog for a folder, without standing in the way of anything."""
        dialog = QFileDialog(self._window, "Open a model folder")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda chosen: self.open_folder(Path(chosen)))
        dialog.open()
        return dialog

    def _take(self, model: Model | None) -> None:
        self.model = model
        self.changed.emit(model)
