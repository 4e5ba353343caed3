"""What the Models window asks before it does something: licences, names, access, taking away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMessageBox

from app.core.card import Licence, ModelCard
from app.core.errors import AccessNeeded, EaselError
from app.jobs import conversions
from app.messages import shown, size_text
from app.ui.access_sheet import AccessSheet
from app.ui.add_sheet import AddSheet
from app.ui.licence_sheet import LicenceSheet
from app.ui.model_entries import Entry

if TYPE_CHECKING:
    from app.ui.errand import Errands
    from app.ui.models_window import ModelsWindow


class ModelQuestions(QObject):
    """Each opens a sheet over the window, and acts on the answer. One sheet of a kind at a time."""

    problem = Signal(object)
    """Something that was asked for could not be done: an EaselError."""
    shelf_changed = Signal()
    removed = Signal(str)

    def __init__(self, models: ModelsWindow, errands: Errands) -> None:
        super().__init__(models)
        self._models, self._errands = models, errands
        self.sheet: LicenceSheet | None = None
        self.adding: AddSheet | None = None
        self.access: AccessSheet | None = None

    # The licence.

    def get(self, card: ModelCard) -> None:
        """Queue the download of ``card``; its licence is read and accepted first."""
        easel = self._models.easel
        try:
            if not easel.shelf.is_accepted(card):
                licence = easel.shelf.licence(card)
                self.show_licence(
                    licence, card.title, lambda: easel.deliveries.get(card), asks=True
                )
                return
            easel.deliveries.get(card)
        except EaselError as error:
            self.problem.emit(error)

    def read_own_licence(self, entry: Entry) -> None:
        """The text that lies beside an installed model, else that of its card; only to be read."""
        shelf, licence = self._models.easel.shelf, None
        try:
            if entry.installed is not None:
                licence = shelf.licence_beside(entry.installed)
            if licence is None and entry.card is not None:
                licence = shelf.licence(entry.card)
        except EaselError as error:
            self.problem.emit(error)
            return
        if licence is not None:
            self.show_licence(licence, entry.title, lambda: None, asks=False)

    def ask_for_pack(self, file: Path, licence: Licence) -> None:
        """Show the licence of the model in a pack; accepted, it is brought in."""
        deliveries = self._models.easel.deliveries
        self.show_licence(licence, file.name, lambda: deliveries.bring(file), asks=True)

    def show_licence(
        self, licence: Licence, model: str, then: Callable[[], None], *, asks: bool
    ) -> None:
        """Show ``licence``; when it ``asks`` and is accepted, call ``then``."""
        if self.sheet is not None:
            return
        models = self._models
        sheet = self.sheet = LicenceSheet(models.theme, licence, model, models, asks=asks)

        def agree() -> None:
            try:
                models.easel.shelf.accept_text(licence)
                then()
            except EaselError as error:
                sheet.complain(error)
            else:
                sheet.accept()

        sheet.agreed.connect(agree)
        sheet.finished.connect(self._licence_closed)
        sheet.open()

    def _licence_closed(self) -> None:
        self.sheet = None

    # A model of the hub by its name.

    def ask_for_name(self) -> AddSheet:
        """Open the sheet that takes a name; nothing is asked of anybody before its button."""
        if self.adding is None:
            models = self._models
            sheet = AddSheet(models.theme, models.easel.shelf, self._errands, models)
            sheet.listed.connect(self.shelf_changed)
            sheet.found.connect(self.get)
            sheet.access_wanted.connect(self._access_for_name)
            sheet.finished.connect(self._adding_closed)
            self.adding = sheet
            sheet.open()
        return self.adding

    def _adding_closed(self) -> None:
        self.adding = None

    def _access_for_name(self, error: AccessNeeded) -> None:
        if self.adding is not None:
            self.ask_for_access(error, self.adding.look_up)

    def ask_for_access(self, error: AccessNeeded, again: Callable[[], None]) -> None:
        """Say what opens the model, take a token, and then call ``again``."""
        if self.access is not None:
            return
        models = self._models
        account = models.easel.shelf.account
        sheet = AccessSheet(models.theme, error, account, self._errands, self.adding or models)
        sheet.granted.connect(again)
        sheet.finished.connect(self._access_closed)
        self.access = sheet
        sheet.open()

    def _access_closed(self) -> None:
        self.access = None

    # Taking away.

    def ask_to_remove(self, entry: Entry) -> None:
        """An installed model, or one that was named and is not here; a named one's card too."""
        back = f"“{shown(entry.card.repository)}” brings it back." if entry.card else ""
        if entry.conversion is not None:
            text = f"Remove {entry.title} of {shown(entry.conversion.source)}?"
            more = f"This frees {size_text(entry.conversion.disk)}. The original stays."
        elif entry.installed is None:
            text = f"Take {entry.title} off the list?"
            more = f"Nothing of it is on this computer. {back}"
        else:
            text = f"Remove {entry.title}?"
            disk = size_text(entry.installed.receipt.disk)
            more = f"This frees {disk}. Pictures drawn with it stay."
            if self._models.easel.conversions(entry.id):
                more += " What it was converted to goes with it."
            if entry.named:
                more += f" It goes off the list too: {back}"
        self._confirm("removing", text, more, "Remove", lambda: self._remove(entry))

    def ask_to_discard(self, entry: Entry) -> None:
        """What has arrived of a download."""
        card, delivery = entry.card, entry.delivery
        if card is None or delivery is None:
            return
        here = f"{size_text(delivery.done)} of {size_text(delivery.total)}"
        self._confirm(
            "discarding",
            f"Discard what has arrived of {entry.title}?",
            f"{here} are here. They would have to be downloaded again.",
            "Discard",
            lambda: self._models.easel.deliveries.discard(card),
        )

    def _confirm(self, name: str, text: str, more: str, yes: str, then: Callable[[], None]) -> None:
        box = QMessageBox(self._models)
        box.setObjectName(name)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle("Easel")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(text)
        box.setInformativeText(more)
        keep = box.addButton("Keep", QMessageBox.ButtonRole.RejectRole)
        go = box.addButton(yes, QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)
        box.buttonClicked.connect(lambda button: then() if button is go else None)
        box.open()

    def _remove(self, entry: Entry) -> None:
        shelf = self._models.easel.shelf
        try:
            if entry.conversion is not None:
                conversions.remove(entry.conversion)
            if entry.installed is not None:
                shelf.remove(entry.installed)
            if entry.named:
                shelf.forget(entry.id)
        except EaselError as error:
            self.problem.emit(error)
            return
        finally:
            self.shelf_changed.emit()
        self.removed.emit(entry.id)
