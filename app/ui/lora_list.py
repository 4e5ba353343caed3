"""The LoRAs that fit the model, each with its weight."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.core.adapter import Adapter
from app.core.errors import RecipeProblem
from app.core.recipe import LoraUse
from app.core.resolve import MAX_WEIGHT
from app.ui.controls.elided import ElidedWords
from app.ui.controls.slider import Slider
from app.ui.controls.value_edit import ValueEdit, number_in
from app.ui.row import ROOM
from app.ui.theme import Theme
from app.ui.tokens import HALO

_NOTCHES = 20
"""Places of the slider a whole weight. It goes from 0 up; exact entry goes below 0 too."""

_OFF = "Off"


class LoraWeight(QWidget):
    """One LoRA: its title, its exact weight, and a slider under them. A weight of 0 is none."""

    changed = Signal()
    problem = Signal(object)

    def __init__(self, theme: Theme, adapter: Adapter) -> None:
        super().__init__()
        self.adapter = adapter
        self.weight = 0.0
        title = ElidedWords(theme, adapter.title, "secondary")
        title.setContentsMargins(HALO, 0, 0, 0)
        self.edit = ValueEdit(theme, f"Weight of {adapter.title}", _number_of)
        self.edit.entered.connect(self._typed)
        self.slider = Slider(theme, adapter.title)
        self.slider.setRange(0, round(MAX_WEIGHT * _NOTCHES))
        self.slider.setPageStep(_NOTCHES // 4)
        self.slider.valueChanged.connect(lambda notch: self._change(notch / _NOTCHES))
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.addWidget(title, 1)
        head.addWidget(self.edit)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        under = QHBoxLayout()
        under.setContentsMargins(0, 0, ROOM, 0)
        under.addWidget(self.slider)
        column.addLayout(under)
        self.set_weight(0.0)

    def set_weight(self, weight: float) -> None:
        """Show ``weight``, without telling anyone."""
        self.weight = weight
        self.edit.show_value(f"{weight:g}" if weight else _OFF)
        self.slider.blockSignals(True)
        self.slider.setValue(round(weight * _NOTCHES))
        self.slider.blockSignals(False)
        self.slider.update()

    def _change(self, weight: float) -> None:
        self.set_weight(weight)
        self.changed.emit()

    def _typed(self, text: str) -> None:
        number = 0.0 if text.strip().casefold() == _OFF.casefold() else number_in(text)
        if number is not None and abs(number) <= MAX_WEIGHT:
            self._change(number)
            return
        self.set_weight(self.weight)
        allowed = f"-{MAX_WEIGHT:g} to {MAX_WEIGHT:g}"
        self.problem.emit(RecipeProblem("weight", text[:80], allowed))


class LoraList(QWidget):
    """``changed`` tells of any weight, ``problem`` (a RecipeProblem) of one that cannot be."""

    changed = Signal()
    problem = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.lines: tuple[LoraWeight, ...] = ()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    @property
    def uses(self) -> tuple[LoraUse, ...]:
        """Those that have a weight."""
        return tuple(LoraUse(one.adapter.id, one.weight) for one in self.lines if one.weight)

    def set_loras(self, loras: tuple[Adapter, ...]) -> None:
        """List ``loras``; the ones that stay keep their weight."""
        if loras == tuple(line.adapter for line in self.lines):
            return
        before = self.uses
        for line in self.lines:
            self._column.removeWidget(line)
            line.hide()
            line.deleteLater()
        self.lines = tuple(LoraWeight(self._theme, adapter) for adapter in loras)
        for line in self.lines:
            line.setAccessibleDescription(self.accessibleDescription())
            line.changed.connect(self.changed)
            line.problem.connect(self.problem)
            self._column.addWidget(line)
        self.set_uses(before)

    def set_uses(self, uses: tuple[LoraUse, ...]) -> None:
        """Give the ones in ``uses`` their weights, all others none. Tells no one."""
        weights = {use.id: use.weight for use in uses}
        for line in self.lines:
            line.set_weight(weights.get(line.adapter.id, 0.0))

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return QSize(100, super().minimumSizeHint().height())


def _number_of(shown: str) -> str:
    return "0" if shown == _OFF else shown
