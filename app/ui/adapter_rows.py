"""The rows of the inspector for what is installed beside the model; absent where nothing is."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.core.adapter import Adapter, of_kind
from app.core.card import Kind
from app.core.errors import RecipeProblem
from app.core.model import Feature, Model
from app.core.recipe import LoraUse, Scheduler
from app.ui.controls.button import Button
from app.ui.controls.choice import Choice
from app.ui.lora_list import LoraList
from app.ui.row import ROOM, Row
from app.ui.theme import Theme

FAST_STEPS = 6
FAST_GUIDANCE = 1.5
"""What a latent consistency LoRA draws well with: 4 to 8 steps, guidance 1 to 2."""

_OWN = "The model's own"
_LORAS = (
    "Small files that give the model a style, a thing or a way of working. The weight says how "
    "strongly: 1 is as it was made, 0 is not at all. Exact entry goes from -2 to 2."
)
_VAE = (
    "The part that turns what the model has drawn into pixels. Another one of the same kind can "
    "give clearer colours and finer details."
)


class AdapterRows(QObject):
    """``fast_wanted`` asks for a LoRA's quick way of drawing (true), or for the usual one."""

    changed = Signal()
    problem = Signal(object)
    fast_wanted = Signal(bool)

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._hurrying: Adapter | None = None
        self.loras = LoraList(theme)
        self.loras.changed.connect(self._weights_changed)
        self.loras.problem.connect(self.problem)
        self.fast = Button(theme, "Draw fast", "quiet")
        self.fast.clicked.connect(lambda: self.fast_wanted.emit(not self.is_fast))
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        above = QHBoxLayout()
        above.setContentsMargins(0, 0, ROOM, 0)
        above.addWidget(self.fast)
        column.addLayout(above)
        column.addWidget(self.loras)
        self.vae = Choice(theme, "Autoencoder")
        self.vae.currentIndexChanged.connect(lambda _index: self.changed.emit())
        self._lora_row = Row(theme, "LoRAs", _LORAS, whole, holds_values=True)
        self._vae_row = Row(theme, "Autoencoder", _VAE, self.vae)
        self.rows = (self._lora_row, self._vae_row)
        self.set_model(None)

    @property
    def chosen_vae(self) -> str | None:
        """The id of an autoencoder; None for the model's own."""
        data = self.vae.currentData()
        return None if data is None else str(data)

    @property
    def is_fast(self) -> bool:
        """Whether a LoRA is at work that lets the model draw in a few steps."""
        quick = self._hurrying
        return quick is not None and any(use.id == quick.id for use in self.loras.uses)

    def set_model(self, model: Model | None) -> None:
        """Offer what fits ``model``; what it shares with the one before stays as it is."""
        known = () if model is None else model.adapters
        can = model is not None and Feature.LORA in model.limits.features
        loras = of_kind(known, Kind.LORA) if can else ()
        self.loras.set_loras(loras)
        schedulers = () if model is None else model.limits.schedulers
        quick = (one for one in loras if one.hurries and Scheduler.LCM in schedulers)
        self._hurrying = next(quick, None)
        self._lora_row.setVisible(bool(loras))
        self._set_vaes(of_kind(known, Kind.VAE))
        self._show_fast()

    def fill(self, loras: tuple[LoraUse, ...], vae: str | None) -> None:
        """Use these and no others, as far as they are here; ``problem`` tells what is not."""
        self.loras.set_uses(loras)
        known = [line.adapter.id for line in self.loras.lines]
        for use in loras:
            if use.id not in known:
                self._miss("loras", use.id, known)
        self.vae.blockSignals(True)
        self.vae.setCurrentIndex(max(0, self.vae.findData(vae)) if vae is not None else 0)
        self.vae.blockSignals(False)
        if vae is not None and vae != self.chosen_vae:
            others = [self.vae.itemData(i) for i in range(1, self.vae.count())]
            self._miss("vae", vae, others)
        self._show_fast()

    def hurry(self, fast: bool) -> None:
        """Lay the quick LoRA over the model at weight 1, or take it off."""
        quick = self._hurrying
        if quick is not None:
            others = tuple(use for use in self.loras.uses if use.id != quick.id)
            self.loras.set_uses((*others, LoraUse(quick.id)) if fast else others)
            self._show_fast()

    def _miss(self, field: str, id: str, known: list[str]) -> None:
        allowed = ", ".join(known) or "a model that can do this"
        self.problem.emit(RecipeProblem(field, id[:80], allowed))

    def _set_vaes(self, vaes: tuple[Adapter, ...]) -> None:
        chosen = self.chosen_vae
        self.vae.blockSignals(True)
        self.vae.clear()
        self.vae.addItem(_OWN, None)
        for vae in vaes:
            self.vae.addItem(vae.title, vae.id)
        self.vae.setCurrentIndex(max(0, self.vae.findData(chosen)) if chosen else 0)
        self.vae.blockSignals(False)
        self._vae_row.setVisible(bool(vaes))

    def _weights_changed(self) -> None:
        self._show_fast()
        self.changed.emit()

    def _show_fast(self) -> None:
        quick = self._hurrying
        self.fast.setVisible(quick is not None)
        if quick is not None:
            self.fast.set_text("Draw as usual" if self.is_fast else "Draw fast")
            self.fast.setToolTip(
                f"{FAST_STEPS} steps of the LCM sampler at guidance {FAST_GUIDANCE:g}, with "
                f"{quick.title}"
            )
