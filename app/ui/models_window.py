"""The Models window: what is on this computer, what comes in, and what can be had."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.core.errors import AccessNeeded, EaselError, ModelsFolderGone
from app.files.atomic_file import free_bytes
from app.jobs.deliveries import Delivery
from app.messages import describe, shown, size_text
from app.ui.computer_fit import computer_memory
from app.ui.controls.button import Button
from app.ui.controls.words import Words
from app.ui.errand_strip import ErrandStrip
from app.ui.model_conversions import ModelConversions
from app.ui.model_entries import Entry, Section, entries
from app.ui.model_errands import ModelErrands, show_folder
from app.ui.model_file import model_file
from app.ui.model_questions import ModelQuestions
from app.ui.model_row import Action, ModelRow
from app.ui.tokens import HALO

if TYPE_CHECKING:
    from app.ui.errand import Errands
    from app.ui.licence_sheet import LicenceSheet
    from app.ui.main_window import MainWindow

_EDGE = 28
_BAR = 10
"""The scroll bar's width: what is below the list lines up with what is in it."""


class ModelsWindow(QDialog):
    """Stays open beside the main window.

    ``file_wanted`` asks for a model file to bring in, ``file_dropped`` carries one. ``found_more``:
    others are on this computer than before.
    """

    file_wanted = Signal()
    file_dropped = Signal(object)
    found_more = Signal()

    def __init__(self, window: MainWindow, errands: Errands) -> None:
        super().__init__(window)
        self._window = window
        self.easel = window.easel
        self.theme = window.theme
        self.memory = computer_memory()
        self.rows: dict[str, ModelRow] = {}
        self._here: frozenset[str] | None = None
        self._listed: tuple[tuple[str, Section], ...] = ()
        self.setWindowTitle("Models")
        self.setMinimumSize(560, 380)
        self.setAcceptDrops(True)
        theme = self.theme
        self._title = Words(theme, "Models", "title")
        self.place = Words(theme, "", "secondary", "dim", rich=True, wrap=True)
        links = Qt.TextInteractionFlag
        self.place.setTextInteractionFlags(
            links.LinksAccessibleByMouse | links.LinksAccessibleByKeyboard
        )
        self.strip = ErrandStrip(theme)
        self.questions = ModelQuestions(self, errands)
        self.questions.problem.connect(self._say_trouble)
        self.questions.shelf_changed.connect(self.refresh)
        self.errands = ModelErrands(window, self, self.strip, errands)
        self.errands.moved.connect(self._moved)
        self.conversions = ModelConversions(window, self, self.strip, errands)
        self.conversions.made.connect(self._converted)
        self.place.linkActivated.connect(lambda _link: self.errands.ask_for_folder())
        self.trouble = Words(theme, "", "secondary", "bad", wrap=True)
        self.import_button = Button(theme, "Import a file…", "quiet")
        self.import_button.clicked.connect(self.file_wanted)
        self.add_button = Button(theme, "Add from Hugging Face…", "quiet")
        self.add_button.clicked.connect(self.questions.ask_for_name)
        self.done_button = Button(theme, "Done", "quiet")
        self.done_button.clicked.connect(self.close)
        self._lay_out()
        self.resize(760, 680)

    # What it shows.

    def refresh(self) -> None:
        """List everything anew; rows that stay keep their place under the pointer and the focus."""
        chosen = self._window.model()
        coming, readying = self.easel.deliveries.all(), self._window.getting.readying
        doing = (lambda _id: None) if readying is None else readying.doing
        listed, problem = entries(self.easel, coming, chosen, self.memory, doing)
        self._say_place()
        self._say_trouble(problem or self._gone())
        order = tuple((entry.id, entry.section) for entry in listed)
        if order != self._listed:
            self._listed = order
            self._relist(listed)
        for entry in listed:
            self.rows[entry.id].show_entry(entry)
        here = frozenset(entry.id for entry in listed if entry.installed or entry.conversion)
        before, self._here = self._here, here
        if before is not None and before != here:
            self.found_more.emit()

    @property
    def sheet(self) -> LicenceSheet | None:
        """The licence that is shown now."""
        return self.questions.sheet

    def hear(self, delivery: Delivery) -> None:
        """Show how far ``delivery`` is; anything but progress may move rows."""
        row = self.rows.get(delivery.id)
        known = None if row is None else row.entry.delivery
        if row is None or known is None or known.state is not delivery.state:
            self.refresh()
        else:
            row.show_entry(replace(row.entry, delivery=delivery))

    def hear_of(self, id: str) -> None:
        """There is something new about the model of that id."""
        row, readying = self.rows.get(id), self._window.getting.readying
        if row is None or readying is None:
            return
        doing = readying.doing(id)
        if doing is None:
            self.refresh()
        row.show_entry(replace(row.entry, doing=doing))

    def get_recommended(self) -> None:
        """As if the one button with the accent had been pressed."""
        for row in self.rows.values():
            if row.entry.recommended and row.entry.card is not None:
                self.questions.get(row.entry.card)
                return

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        try:
            self.easel.deliveries.find_unfinished()
        except EaselError as error:
            self._say_trouble(error)
        self.refresh()
        super().showEvent(event)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 (Qt's name)
        super().changeEvent(event)
        # A disk may have come back, and a command may have brought a model.
        if event.type() == QEvent.Type.ActivationChange and self.isVisible():
            self.refresh()

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
        self._scroll_bar = scroll.verticalScrollBar()
        self._scroll_bar.installEventFilter(self)
        self._leave_room_for_bar(seen=False)
        for layer in (scroll.viewport(), inside):
            layer.setAutoFillBackground(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(_EDGE - HALO, 24, _EDGE - 8 - _BAR, 20)
        column.setSpacing(6)
        # Controls have room for a halo around them: what is seen of all lines up.
        for words in (self._title, self.place, self.trouble):
            words.setContentsMargins(HALO, 0, 8 + _BAR, 0)
            column.addWidget(words)
        column.addWidget(scroll, 1)
        column.addSpacing(6)
        told = QHBoxLayout()
        told.setContentsMargins(HALO, 0, 8 + _BAR, 4)
        told.addWidget(self.strip)
        column.addLayout(told)
        foot = QHBoxLayout()
        foot.setContentsMargins(0, 0, 8 + _BAR - HALO, 0)
        foot.addWidget(self.import_button)
        foot.addWidget(self.add_button)
        foot.addStretch(1)
        foot.addWidget(self.done_button)
        column.addLayout(foot)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        if watched is self._scroll_bar and event.type() in (QEvent.Type.Show, QEvent.Type.Hide):
            self._leave_room_for_bar(seen=event.type() == QEvent.Type.Show)
        return super().eventFilter(watched, event)

    def _leave_room_for_bar(self, *, seen: bool) -> None:
        """Rows end where the buttons below do, with the scroll bar and without."""
        self._list.setContentsMargins(HALO, 4, 8 if seen else 8 + _BAR, 4)

    def _relist(self, listed: tuple[Entry, ...]) -> None:
        # 1. Take all out of the list; the rows that stay are kept
        while self._list.count():
            item = self._list.takeAt(0)
            widget = None if item is None else item.widget()
            if widget is not None and not isinstance(widget, ModelRow):
                widget.hide()
                widget.deleteLater()
        staying = {entry.id for entry in listed}
        for id in [id for id in self.rows if id not in staying]:
            row = self.rows.pop(id)
            row.hide()
            row.deleteLater()
        # 2. Put in the headings and rows, in their order
        section: Section | None = None
        last: QWidget = self.place
        for entry in listed:
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
            for widget in (made.facts, made.further, made.more, made.button):
                QWidget.setTabOrder(last, widget)
                last = widget
        self._list.addStretch(1)
        foot = (self.strip.then_button, self.strip.stop_button, self.import_button)
        for widget in (*foot, self.add_button, self.done_button):
            QWidget.setTabOrder(last, widget)
            last = widget

    def _say_place(self) -> None:
        """Where models are kept, and the way to another place."""
        folders = self.easel.folders
        where = "Easel's own folder" if folders.models is None else shown(folders.models)
        free = f" · {size_text(free_bytes(folders.installed))} free" if not self._gone() else ""
        link = '<a href="move" style="text-decoration:none">Move…</a>'
        self.place.setText(f"Kept in {escape(where)}{free} · {link}")
        self.place.setAccessibleName(f"Kept in {where}{free}. Move the models")

    def _gone(self) -> ModelsFolderGone | None:
        chosen = self.easel.folders.models
        return None if chosen is None or chosen.is_dir() else ModelsFolderGone(str(chosen))

    def _say_trouble(self, error: EaselError | None) -> None:
        message = None if error is None else describe(error)
        self.trouble.setVisible(message is not None)
        if message is not None:
            self.trouble.setText(f"{message.title}. {message.body} {message.next_step}".strip())

    # What the person does.

    def _asked(self, action: Action, id: str) -> None:
        entry, deliveries = self.rows[id].entry, self.easel.deliveries
        card, installed = entry.card, entry.installed
        match action:
            case Action.GET if card is not None:
                self.questions.get(card)
            case Action.LICENCE:
                self.questions.read_own_licence(entry)
            case Action.PAUSE:
                deliveries.pause(id)
            case Action.RESUME:
                deliveries.resume(id)
            case Action.CANCEL:
                deliveries.cancel(id)
            case Action.DISCARD:
                self.questions.ask_to_discard(entry)
            case Action.ACCESS if entry.delivery is not None:
                error = entry.delivery.error
                if isinstance(error, AccessNeeded):
                    self.questions.ask_for_access(error, lambda: deliveries.resume(id))
            case Action.USE if entry.model is not None:
                self._window.models.choose(entry.model)
                self.refresh()
            case Action.EXPORT if installed is not None:
                self.errands.ask_for_pack(installed)
            case Action.SHOW if installed is not None:
                show_folder(installed.folder)
            case Action.CONVERT if entry.model is not None:
                self.conversions.ask(entry.model)
            case Action.STOP if self._window.getting.readying is not None:
                self._window.getting.readying.stop(id)
            case Action.SHOW if entry.conversion is not None:
                show_folder(entry.conversion.folder)
            case Action.REMOVE:
                self.questions.ask_to_remove(entry)

    def _converted(self) -> None:
        self._window.models.found_more()
        self.refresh()

    def _moved(self) -> None:
        """The models are the same, in another place: the one that draws is read from there."""
        self._window.models.begin()
        self.refresh()
