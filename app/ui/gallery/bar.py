"""What the gallery is asked: words as they are typed, favourites, tags, the order."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from app.library.index import Tag
from app.library.search import Query, Sort
from app.ui.controls.button import Button, IconButton
from app.ui.controls.choice import Choice
from app.ui.controls.field import Field
from app.ui.controls.words import Words
from app.ui.theme import Theme
from app.ui.tokens import HALO

TYPING_MS = 120
"""Between two letters; the gallery is asked when they stop coming for as long."""

SORTS = (
    (Sort.NEWEST, "Newest first"),
    (Sort.OLDEST, "Oldest first"),
    (Sort.PROMPT, "By prompt"),
    (Sort.MODEL, "By model"),
    (Sort.SEED, "By seed"),
)


class Bar(QWidget):
    """``asked`` carries a Query when another one is wanted; ``down`` leads to the pictures.

    ``tags`` gives what tags there are.
    """

    asked = Signal(object)
    down = Signal()

    def __init__(self, theme: Theme, tags: Callable[[], tuple[Tag, ...]]) -> None:
        super().__init__()
        self.theme = theme
        self._tags = tags
        self._chosen: tuple[str, ...] = ()
        self.search = Field(theme, "Search", "Search prompts, models, seeds, dates", icon="search")
        self.search.setMinimumWidth(180)
        self.search.setMaximumWidth(420)
        self.search.edit.setClearButtonEnabled(False)
        self.search.edit.installEventFilter(self)
        self.favourites = IconButton(theme, "heart", "Only favourites", 32)
        self.favourites.setCheckable(True)
        self.tags_button = Button(theme, "Tags", "quiet")
        self.tags_button.clicked.connect(self._open_tags)
        self.sort = Choice(theme, "Order")
        for _, words in SORTS:
            self.sort.addItem(words)
        self.count = Words(theme, "", "secondary", "dim")
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_MS)
        self._typing.timeout.connect(self._ask)
        self.search.edit.textChanged.connect(lambda: self._typing.start())
        self.favourites.toggled.connect(self._heart)
        self.sort.currentIndexChanged.connect(lambda _row: self._ask())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.search, 3)
        row.addWidget(self.favourites)
        row.addWidget(self.tags_button)
        row.addStretch(1)
        row.addWidget(self.count)
        row.addSpacing(6)
        row.addWidget(self.sort)
        self.setFixedHeight(34 + 2 * HALO)

    def query(self) -> Query:
        """What is asked now."""
        return Query(
            self.search.text(),
            self.favourites.isChecked(),
            self._chosen,
            SORTS[self.sort.currentIndex()][0],
        )

    @property
    def narrowed(self) -> bool:
        """Whether pictures are left out."""
        asked = self.query()
        return bool(asked.text or asked.favourites or asked.tags)

    def clear(self) -> None:
        """Ask for all pictures; the order stays."""
        self.search.edit.clear()
        self.favourites.setChecked(False)
        self.choose_tags(())
        self._typing.stop()
        self._ask()

    def choose_tags(self, tags: tuple[str, ...]) -> None:
        """Only pictures with all of ``tags``."""
        self._chosen = tags
        words = ", ".join(tags) if tags else "Tags"
        short = words if len(words) <= 24 else f"{len(tags)} tags"
        self.tags_button.set_text(short, f"Tags: {words}" if tags else "Tags")
        self.tags_button.set_kind("soft" if tags else "quiet")

    def tags_menu(self) -> QMenu:
        """A menu of all tags with their counts, made anew."""
        menu = QMenu(self)
        menu.setAccessibleName("Tags")
        known = self._tags()
        for tag in known:
            action = menu.addAction(f"{tag.name}   {tag.count}")
            action.setCheckable(True)
            action.setChecked(tag.name in self._chosen)
            action.triggered.connect(lambda _on=False, name=tag.name: self._toggle(name))
        if not known:
            menu.addAction("Tag pictures from their menu").setEnabled(False)
        if self._chosen:
            menu.addSeparator()
            menu.addAction("All pictures").triggered.connect(lambda: self._choose(()))
        return menu

    def _open_tags(self) -> None:
        menu = self.tags_menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.tags_button.mapToGlobal(QPoint(HALO, self.tags_button.height())))

    def _toggle(self, name: str) -> None:
        left = tuple(tag for tag in self._chosen if tag != name)
        self._choose(left if name in self._chosen else (*self._chosen, name))

    def _choose(self, tags: tuple[str, ...]) -> None:
        self.choose_tags(tags)
        self._ask()

    def _heart(self, on: bool) -> None:
        self.favourites.set_icon("heart filled" if on else "heart", "Only favourites")
        self._ask()

    def _ask(self) -> None:
        self.asked.emit(self.query())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Escape and self.search.text():
                self.search.edit.clear()
                return True
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._typing.stop()
                self._ask()
                self.down.emit()
                return True
        return super().eventFilter(watched, event)
