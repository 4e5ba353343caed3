"""The gallery's pictures as Qt's views ask for them: row by row, read a page at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Protocol

from PySide6.QtCore import (
    QAbstractListModel,
    QDate,
    QLocale,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
)

from app.library.entry import Entry
from app.library.search import Query, Sort

ENTRY = Qt.ItemDataRole.UserRole
PAGE = 32
"""Rows that are read at once."""
PAGES = 48
"""Pages held: more than any screen shows."""

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


class Lists(Protocol):
    """What this needs of ``library.gallery.Gallery``."""

    def keys(self, query: Query) -> tuple[int, ...]: ...
    def entries(self, keys: Sequence[int]) -> tuple[Entry, ...]: ...


class Pictures(QAbstractListModel):
    """What a ``Query`` finds, in its order.

    Only the numbers of the rows are held for all; an ``Entry`` is read when its row is looked at.
    """

    def __init__(self, lists: Lists) -> None:
        super().__init__()
        self._lists = lists
        self._keys: tuple[int, ...] = ()
        self._rows: dict[int, int] = {}
        self._pages: OrderedDict[int, dict[int, Entry]] = OrderedDict()
        self.query = Query()

    def ask(self, query: Query | None = None) -> None:
        """Look again, for ``query`` or for what was asked last."""
        self.query = query or self.query
        keys = self._lists.keys(self.query)
        self._pages.clear()
        if keys == self._keys:
            if keys:
                self.dataChanged.emit(self.index(0), self.index(len(keys) - 1))
            return
        self.beginResetModel()
        self._keys, self._rows = keys, {}
        self.endResetModel()

    # What is there.

    def rowCount(self, parent: _Index = _NOWHERE) -> int:  # noqa: N802 (Qt's name)
        return 0 if parent.isValid() else len(self._keys)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == ENTRY:
            return self.entry(index.row())
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            entry = self.entry(index.row())
            return None if entry is None else words_of(entry)
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag
        return flags.ItemIsEnabled | flags.ItemIsSelectable | flags.ItemIsDragEnabled

    def entry(self, row: int) -> Entry | None:
        """The picture of that row; None where it has gone since, or there is no such row."""
        if not 0 <= row < len(self._keys):
            return None
        number = row // PAGE
        page = self._pages.get(number)
        if page is None:
            keys = self._keys[number * PAGE : (number + 1) * PAGE]
            page = {entry.key: entry for entry in self._lists.entries(keys)}
            self._pages[number] = page
            if len(self._pages) > PAGES:
                self._pages.popitem(last=False)
        else:
            self._pages.move_to_end(number)
        return page.get(self._keys[row])

    def entries(self, rows: Iterable[int]) -> list[Entry]:
        """Those that are still there, in that order."""
        return [entry for row in rows if (entry := self.entry(row)) is not None]

    def key(self, row: int) -> int:
        """What tells a picture among all others, wherever its row goes; 0 where there is none."""
        return self._keys[row] if 0 <= row < len(self._keys) else 0

    def row_of(self, key: int) -> int:
        """The row of the picture of that key, -1 where it is not among what was found."""
        if not self._rows:
            self._rows = {known: row for row, known in enumerate(self._keys)}
        return self._rows.get(key, -1)

    def day(self, row: int) -> str:
        """The day that begins with that row; "" where it goes on, or the order is not by time."""
        if self.query.sort not in (Sort.NEWEST, Sort.OLDEST):
            return ""
        entry = self.entry(row)
        if entry is None:
            return ""
        day = entry.created.astimezone().date()
        before = self.entry(row - 1) if row else None
        if before is not None and before.created.astimezone().date() == day:
            return ""
        return day_text(day)


def day_text(day: date, today: date | None = None) -> str:
    """ "Today", "Yesterday", or the date as it is written here."""
    ago = ((today or date.today()) - day).days
    if ago in (0, 1):
        return ("Today", "Yesterday")[ago]
    return QLocale().toString(QDate(day.year, day.month, day.day), "d MMM yyyy")


def words_of(entry: Entry) -> str:
    """What a screen reader says of it."""
    short = " ".join(entry.prompt.split()) or entry.file.name
    short = short if len(short) <= 120 else f"{short[:119]}…"
    parts = [short]
    if entry.seed is not None:
        parts.append(f"seed {entry.seed}")
    if entry.favourite:
        parts.append("favourite")
    return ", ".join(parts)
