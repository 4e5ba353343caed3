"""How a model is to be converted to Core ML: its weights, and the part of a Mac that is to draw."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from app.convert.coreml.converting import ConversionOptions
from app.core.mac import Mac
from app.core.model import Model
from app.core.placement import Placement
from app.engine.coreml.choosing import variant
from app.messages import shown
from app.ui.controls.button import Button
from app.ui.controls.segments import Segments
from app.ui.controls.words import Words
from app.ui.sheet import Sheet
from app.ui.theme import Theme
from app.ui.tokens import HALO

_ABOUT = (
    "“{}” is written a second time, as Core ML draws it: faster, and with less memory and power "
    "than the original, which stays. It takes some minutes, at one size of picture."
)
_NOT_A_MAC = (
    "It is for a Mac. This computer has no Core ML: here an interpreter draws with it, slowly, to "
    "prove that it is right."
)
_BITS = (6, 16)
_UNITS = (Placement.COREML_NEURAL_ENGINE, Placement.COREML_GPU)


class ConvertSheet(Sheet):
    """``wanted`` carries the ConversionOptions. ``mac`` is None on another system."""

    wanted = Signal(object)

    def __init__(self, theme: Theme, model: Model, mac: Mac | None, parent: QWidget) -> None:
        super().__init__(theme, "Convert to Core ML", _ABOUT.format(shown(model.title)), parent)
        self.unit = Segments(theme, "Draws on", ("Neural Engine", "GPU"))
        self.bits = Segments(theme, "Weights", ("6-bit, recommended", "16-bit"))
        self.unit_note = Words(theme, "", "secondary", "dim", wrap=True)
        self.bits_note = Words(theme, "", "secondary", "dim", wrap=True)
        self.elsewhere = Words(theme, _NOT_A_MAC, "secondary", "warn", wrap=True)
        self.elsewhere.setVisible(mac is None)
        self.cancel_button = Button(theme, "Cancel", "quiet")
        self.cancel_button.clicked.connect(self.reject)
        self.go_button = Button(theme, "Convert", "action")
        self.go_button.clicked.connect(self._go)
        best = None if mac is None else variant(mac)
        on_gpu = best is not None and best.placement is Placement.COREML_GPU
        self.unit.choose(int(on_gpu))
        self.bits.choose(0 if best is None else _BITS.index(best.bits))
        self.unit.chosen.connect(self._unit_chosen)
        self.bits.chosen.connect(lambda _index: self._say())
        self._lay_out()
        self._say()
        self.resize(560, 100)
        self.fit()

    def options(self) -> ConversionOptions:
        """What is chosen now."""
        gpu = _UNITS[self.unit.index()] is Placement.COREML_GPU
        base = ConversionOptions.for_gpu() if gpu else ConversionOptions()
        return replace(base, bits=_BITS[self.bits.index()])

    def _lay_out(self) -> None:
        theme = self.theme
        self.column.addSpacing(10)
        grid = QGridLayout()
        grid.setContentsMargins(HALO, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        rows = (("Draws on", self.unit, self.unit_note), ("Weights", self.bits, self.bits_note))
        for row, (name, control, note) in enumerate(rows):
            note.setContentsMargins(HALO, 0, HALO, 6)
            grid.addWidget(Words(theme, name, "strong"), 2 * row, 0)
            grid.addWidget(control, 2 * row, 1)
            grid.addWidget(note, 2 * row + 1, 1)
        self.column.addLayout(grid)
        self.add(self.elsewhere)
        self.end()
        self.foot.addStretch(1)
        self.foot.addWidget(self.cancel_button)
        self.foot.addWidget(self.go_button)

    def _unit_chosen(self, index: int) -> None:
        """The weights that this unit is best with, until others are chosen."""
        gpu = _UNITS[index] is Placement.COREML_GPU
        self.bits.choose(_BITS.index(16 if gpu else 6))
        self._say()

    def _say(self) -> None:
        gpu = _UNITS[self.unit.index()] is Placement.COREML_GPU
        self.unit_note.setText(
            "The faster one of Macs with 16 GPU cores or more; macOS 15 and later."
            if gpu
            else "The faster one of most Macs, and the one that takes the least power."
        )
        self.bits_note.setText(
            "A third of the size, and a picture close to the original's: for 8 GB of memory."
            if _BITS[self.bits.index()] == 6
            else "The original's numbers, and the same picture but for rounding."
        )
        self.fit()

    def _go(self) -> None:
        self.accept()
        self.wanted.emit(self.options())
