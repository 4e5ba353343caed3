"""The Models window: what is on this computer, what comes in, and what can be had."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QMessageBox,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.core.errors import EaselError
from app.files.atomic_file import free_bytes
from app.jobs.deliveries import Delivery
from app.messages import describe, size_text
from app.ui.computer_fit import computer_memory
from app.ui.controls.button import Button
from app.ui.controls.words import Words
from app.ui.licence_sheet import LicenceSheet
from app.ui.model_entries import Entry, Section, entries
from app.ui.model_file import model_file
from app.ui.model_row import Action, ModelRow
from app.ui.tokens import HALO

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app.core.card import Licence
    from app.ui.main_window import MainWindow

_EDGE = 28
_BAR = 10
"""The scroll bar's width: what is below the list lines up with what is in it."""


class ModelsWindow(QDialog):
    """Stays open beside the main window.

    ``file_wanted`` asks for a model file to bring in, ``file_dropped`` carries one.
    """

    file_wanted = Signal()
    file_dropped = Signal(object)
    removed = Signal(str)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._easel = window.easel
        self._deliveries = window.easel.deliveries
        self.theme = window.theme
        self.memory = computer_memory()
        self.rows: dict[str, ModelRow] = {}
        self.sheet: LicenceSheet | None = None
        self._listed: tuple[tuple[str, Section], ...] = ()
        self.setWindowTitle("Models")
        self.setMinimumSize(560, 380)
        self.setAcceptDrops(True)
        theme = self.theme
        self._title = Words(theme, "Models", "title")
        self._place = Words(theme, "", "secondary", "dim", wrap=True)
        self._trouble = Words(theme, "", "secondary", "bad", wrap=True)
        self.import_button = Button(theme, "Import a file…", "quiet")
        self.import_button.clicked.connect(self.file_wanted)
        self.done_button = Button(theme, "Done", "quiet")
        self.done_button.clicked.connect(self.close)
        self._lay_out()
        self.resize(760, 680)

    # What it shows.

    def refresh(self) -> None:
        """List everything anew; rows that stay keep their place under the pointer and the focus."""
        chosen = self._window.model()
        shown, problem = entries(self._easel, self._deliveries.all(), chosen, self.memory)
        self._say_trouble(problem)
        folder = self._easel.folders.support
        free = size_text(free_bytes(folder))
        self._place.setText(f"Kept in Easel's own folder · {free} free")
        listed = tuple((entry.id, entry.section) for entry in shown)
        if listed != self._listed:
            self._listed = listed
            self._relist(shown)
        for entry in shown:
            self.rows[entry.id].show_entry(entry)

    def hear(self, delivery: Delivery) -> None:
        """Show how far ``delivery`` is; anything but progress may move rows."""
        row = self.rows.get(delivery.id)
        known = None if row is None else row.entry.delivery
        if row is None or known is None or known.state is not delivery.state:
            self.refresh()
        else:
            row.show_entry(replace(row.entry, delivery=delivery))

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        self.refresh()
        super().showEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 (Qt's name)
        if model_file(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 (Qt's name)
        file = model_file(event.mimeData())
        if file is not None:
            event.acceptProposedAction()
            self.file_dropped.emit(file)

    def _lay_out(self) -> None:
        inside = QWidget()
        self._list = QVBoxLayout(inside)
        self._list.setSpacing(10)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        scroll.verticalScrollBar().rangeChanged.connect(self._leave_room_for_bar)
        self._leave_room_for_bar(0, 0)
        for layer in (scroll.viewport(), inside):
            layer.setAutoFillBackground(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(_EDGE - HALO, 24, _EDGE - 8 - _BAR, 20)
        column.setSpacing(6)
        # Controls have room for a halo around them: what is seen of all lines up.
        for words in (self._title, self._place, self._trouble):
            words.setContentsMargins(HALO, 0, 8, 0)
            column.addWidget(words)
        column.addWidget(scroll, 1)
        column.addSpacing(6)
        foot = QHBoxLayout()
        foot.setContentsMargins(0, 0, 8 + _BAR - HALO, 0)
        foot.addWidget(self.import_button)
        foot.addStretch(1)
        foot.addWidget(self.done_button)
        column.addLayout(foot)

    def _leave_room_for_bar(self, _least: int, most: int) -> None:
        """Rows end where the buttons below do, with the scroll bar and without."""
        self._list.setContentsMargins(HALO, 4, 8 if most else 8 + _BAR, 4)

    def _relist(self, shown: tuple[Entry, ...]) -> None:
        # 1. Take all out of the list; the rows that stay are kept
        while self._list.count():
            item = self._list.takeAt(0)
            widget = None if item is None else item.widget()
            if widget is not None and not isinstance(widget, ModelRow):
                widget.hide()
                widget.deleteLater()
        staying = {entry.id for entry in shown}
        for id in [id for id in self.rows if id not in staying]:
            row = self.rows.pop(id)
            row.hide()
            row.deleteLater()
        # 2. Put in the headings and rows, in their order
        section: Section | None = None
        last: QWidget = self._title
        for entry in shown:
            if entry.section is not section:
                section = entry.section
                heading = Words(self.theme, section.value, "label", "dim")
                heading.setContentsMargins(0, 8, 0, 0)
                self._list.addWidget(heading)
            made = self.rows.get(entry.id)
            if made is None:
                made = self.rows[entry.id] = ModelRow(self.theme, entry)
                made.asked.connect(self._asked)
            self._list.addWidget(made)
            for widget in (made.facts, made.further, made.button):
                QWidget.setTabOrder(last, widget)
                last = widget
        self._list.addStretch(1)
        QWidget.setTabOrder(last, self.import_button)
        QWidget.setTabOrder(self.import_button, self.done_button)

    def _say_trouble(self, error: EaselError | None) -> None:
        message = None if error is None else describe(error)
        self._trouble.setVisible(message is not None)
        if message is not None:
            self._trouble.setText(f"{message.title}. {message.body} {message.next_step}".strip())

    # What the person does.

    def _asked(self, action: Action, id: str) -> None:
        entry = self.rows[id].entry
        match action:
            case Action.GET:
                self._get(entry)
            case Action.LICENCE:
                self._read_licence(entry, asks=False)
            case Action.PAUSE:
                self._deliveries.pause(id)
            case Action.RESUME:
                self._deliveries.resume(id)
            case Action.CANCEL:
                self._deliveries.cancel(id)
            case Action.USE if entry.model is not None:
                self._window.models.choose(entry.model)
                self.refresh()
            case Action.REMOVE:
                self._ask_to_remove(entry)

    def _get(self, entry: Entry) -> None:
        if entry.card is None:
            return
        try:
            if not self._easel.shelf.is_accepted(entry.card):
                self._read_licence(entry, asks=True)
                return
            self._deliveries.get(entry.card)
        except EaselError as error:
            self._say_trouble(error)

    def _read_licence(self, entry: Entry, *, asks: bool) -> None:
        card = entry.card
        if card is None or self.sheet is not None:
            return
        try:
            licence = self._easel.shelf.licence(card)
        except EaselError as error:
            self._say_trouble(error)
            return
        self._show_sheet(licence, card.title, lambda: self._deliveries.get(card), asks=asks)

    def ask_for_pack(self, file: Path, licence: Licence) -> None:
        """Show the licence of the model in a pack; accepted, it is brought in."""
        if self.sheet is None:
            self._show_sheet(licence, file.name, lambda: self._deliveries.bring(file), asks=True)

    def _show_sheet(
        self, licence: Licence, model: str, then: Callable[[], None], *, asks: bool
    ) -> None:
        sheet = self.sheet = LicenceSheet(self.theme, licence, model, self, asks=asks)

        def agree() -> None:
            try:
                self._easel.shelf.accept_text(licence)
                then()
            except EaselError as error:
                sheet.complain(error)
            else:
                sheet.accept()

        sheet.agreed.connect(agree)
        sheet.finished.connect(self._sheet_closed)
        sheet.open()

    def _sheet_closed(self) -> None:
        self.sheet = None

    def _ask_to_remove(self, entry: Entry) -> None:
        installed = entry.installed
        if installed is None:
            return
        box = QMessageBox(self)
        box.setObjectName("removing")
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle("Easel")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(f"Remove {entry.title}?")
        box.setInformativeText(
            f"This frees {size_text(installed.receipt.disk)}. Pictures drawn with it stay."
        )
        keep = box.addButton("Keep", QMessageBox.ButtonRole.RejectRole)
        remove = box.addButton("Remove", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)
        box.buttonClicked.connect(lambda button: self._remove(entry) if button is remove else None)
        box.open()

    def _remove(self, entry: Entry) -> None:
        assert entry.installed is not None
        try:
            self._easel.shelf.remove(entry.installed)
        except EaselError as error:
            self._say_trouble(error)
            return
        self.removed.emit(entry.id)
        self.refresh()
