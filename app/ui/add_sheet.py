"""Adding a model of the hub by its name: named, looked up when asked to, then got like a card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.core.card import ModelCard
from app.core.errors import AccessNeeded, EaselError
from app.messages import size_text
from app.ui.controls.button import Button
from app.ui.controls.field import Field
from app.ui.controls.words import Words
from app.ui.delivery_words import waiting_text
from app.ui.progress_card import ProgressBar
from app.ui.sheet import Sheet
from app.ui.theme import Theme
from app.ui.tokens import HALO
from app.weights.events import WaitingFor

if TYPE_CHECKING:
    from app.jobs.shelf import Shelf
    from app.ui.errand import Errand, Errands

ABOUT = (
    "Any model of Stable Diffusion 1.x, 2.x or XL that somebody has put there: by its name, or by "
    "the address of its page."
)


class AddSheet(Sheet):
    """``found`` carries the card that is wanted, ``access_wanted`` an AccessNeeded.

    Nobody is asked anything before the button that says so is pressed.
    """

    listed = Signal()
    """There is another card on the shelf."""
    found = Signal(object)
    access_wanted = Signal(object)

    def __init__(self, theme: Theme, shelf: Shelf, errands: Errands, parent: QWidget) -> None:
        super().__init__(theme, "Add from Hugging Face", ABOUT, parent)
        self._shelf, self._errands = shelf, errands
        self._errand: Errand | None = None
        self._card: ModelCard | None = None
        host = shelf.account.host
        self.name = Field(theme, "Name or address of the model", "org/name")
        self.revision = Field(theme, "Version of the model, optional", "The newest")
        self.bar = ProgressBar(theme)
        self.progress = Words(theme, f"Asking {host}", "secondary", "dim")
        self.what = Words(theme, "", "strong", wrap=True)
        self.facts = Words(theme, "", "body", "dim", wrap=True)
        self.note = Words(
            theme,
            f"Looking it up asks {host} for its list of files and its licence. "
            "The model itself comes only after you have accepted that.",
            "secondary",
            "dim",
            wrap=True,
        )
        self.cancel_button = Button(theme, "Cancel", "quiet")
        self.cancel_button.clicked.connect(self._cancel)
        self.look_button = Button(theme, f"Look up on {host}", "action")
        self.look_button.clicked.connect(self._go)
        self._lay_out()
        for field in (self.name, self.revision):
            field.edit.textChanged.connect(self._typed)
            field.edit.returnPressed.connect(self._entered)
        self.finished.connect(self._leave)
        self._show()
        self.resize(520, 100)
        self.fit()
        self.name.setFocus()

    @Slot()
    def look_up(self) -> None:
        """Ask the hub about what was typed."""
        if self._errand is not None or not self.name.text():
            return
        name, revision, shelf = self.name.text(), self.revision.text(), self._shelf
        self.complain(None)
        errand = self._errands.make(
            lambda report, cancelled: shelf.name(name, revision, report, cancelled)
        )
        errand.told.connect(self._told)
        errand.done.connect(self._looked)
        errand.failed.connect(self._failed)
        self._errand = errand
        self._show()
        errand.start()

    def show_found(self, card: ModelCard) -> None:
        """Say what ``card`` is, and offer the next step."""
        self._card = card
        count = len(card.files)
        files = "one file" if count == 1 else f"{count} files"
        licence = self._shelf.licence(card)
        self.what.setText(card.title)
        self.facts.setText(
            f"{size_text(card.download_bytes)} to download in {files}, about "
            f"{size_text(card.memory)} of memory to draw with. It comes under the {licence.title}."
        )
        self._show()

    def _lay_out(self) -> None:
        theme = self.theme
        self.column.addSpacing(8)
        for label, field in (("Model", self.name), ("Version", self.revision)):
            self.add(Words(theme, label, "label", "dim"))
            self.column.addWidget(field)
            self.column.addSpacing(4)
        self.add(self.note)
        self.column.addSpacing(4)
        row = QHBoxLayout()
        row.setContentsMargins(HALO, 0, HALO, 0)
        row.addWidget(self.bar)
        self.column.addLayout(row)
        for words in (self.progress, self.what, self.facts):
            self.add(words)
        self.end()
        self.foot.addStretch(1)
        self.foot.addWidget(self.cancel_button)
        self.foot.addWidget(self.look_button)

    def _show(self) -> None:
        """Fit everything to how far this is: nothing asked, asking, found."""
        looking, card = self._errand is not None, self._card
        for field in (self.name, self.revision):
            field.setEnabled(not looking)
        for asking in (self.bar, self.progress):
            asking.setVisible(looking)
        for told in (self.what, self.facts):
            told.setVisible(card is not None)
        self.note.setVisible(card is None and not looking)
        if looking:
            self.bar.count(0, 0)
        self.cancel_button.set_text("Stop" if looking else "Cancel")
        words = f"Look up on {self._shelf.account.host}"
        if card is not None:
            words = "Get it" if self._shelf.is_accepted(card) else "Read its licence…"
        self.look_button.set_text(words)
        self.look_button.setEnabled(not looking and bool(self.name.text()))
        self.fit()

    def _go(self) -> None:
        if self._card is None:
            self.look_up()
            return
        card = self._card
        self.accept()
        self.found.emit(card)

    @Slot()
    def _entered(self) -> None:
        if self.look_button.isEnabled():
            self._go()

    @Slot()
    def _typed(self) -> None:
        """Other words mean another model."""
        self._card = None
        self.complain(None)
        self._show()

    def _cancel(self) -> None:
        if self._errand is not None:
            self._errand.stop()
        else:
            self.reject()

    @Slot(object)
    def _told(self, event: object) -> None:
        words = f"Asking {self._shelf.account.host}"
        self.progress.setText(
            waiting_text(event.reason) if isinstance(event, WaitingFor) else words
        )

    @Slot(object)
    def _looked(self, card: ModelCard | None) -> None:
        self._errand = None
        if card is None:  # stopped
            self._show()
            return
        self.listed.emit()
        try:
            self.show_found(card)
        except EaselError as error:
            self._failed(error)

    @Slot(object)
    def _failed(self, error: EaselError) -> None:
        self._errand = None
        self._show()
        if isinstance(error, AccessNeeded):
            self.access_wanted.emit(error)
        self.complain(error)

    @Slot()
    def _leave(self) -> None:
        if self._errand is not None:
            self._errand.stop()
