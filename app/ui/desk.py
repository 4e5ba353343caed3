"""What lies on the desk: every picture of this session, newest first, kept by its job's id."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from app.core.events import Cancelled, Decoding, Failed, JobId, Loading, Stepped
from app.jobs.events import EngineChanged, NotSaved, Queued, Retrying, Saved, SessionEvent, Started
from app.ui.item import Item, Stage, to_image

ITEM = Qt.ItemDataRole.UserRole
HELD = 12
"""Finished pictures held in memory at full size; older ones are read from their files again."""

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


class Desk(QAbstractListModel):
    """A list of ``Item``, changed only by session events, and which of them is being looked at.

    An item keeps its place from waiting to finished. Unless the person has chosen another one,
    the running item is the one looked at (``following``).
    """

    current_changed = Signal()
    """Another item is looked at, or none."""
    item_changed = Signal(object)
    finished = Signal(object)
    failed = Signal(object)
    busy_changed = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._items: list[Item] = []
        self._by_id: dict[JobId, Item] = {}
        self._held: list[Item] = []
        self._busy = False
        self.current: Item | None = None
        self.following = True

    # What is there.

    def rowCount(self, parent: _Index = _NOWHERE) -> int:  # noqa: N802 (Qt's name)
        return 0 if parent.isValid() else len(self._items)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._items):
            return None
        item = self._items[index.row()]
        if role == ITEM:
            return item
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return item.words()
        return None

    def items(self) -> tuple[Item, ...]:
        """All items, newest first."""
        return tuple(self._items)

    def row_of(self, item: Item) -> int:
        """The row of ``item``, -1 when it has gone."""
        return self._items.index(item) if item in self._items else -1

    @property
    def live(self) -> Item | None:
        """The item that is being drawn."""
        return next((item for item in self._items if item.stage.live), None)

    @property
    def busy(self) -> bool:
        """Whether something is drawn or waits."""
        return self._busy

    # What the person does.

    def look_at(self, item: Item | None) -> None:
        """Show ``item``; looking at the running or a waiting one means following the drawing."""
        self.following = item is None or item.stage in (Stage.WAITING,) or item.stage.live
        self._look(self.live or item if self.following else item)

    def drop(self, item: Item) -> None:
        """Take ``item`` off the desk; its file stays."""
        row = self.row_of(item)
        if row < 0:
            return
        self.beginRemoveRows(_NOWHERE, row, row)
        self._items.pop(row)
        self._by_id.pop(item.job.id, None)
        self.endRemoveRows()
        if self.current is item:
            following = self.live or (self._items[min(row, len(self._items) - 1)] if self else None)
            self._look(following)
        self._tell_busy()

    def put_back(self, item: Item) -> None:
        """Lay ``item``, once dropped, on the desk again and look at it."""
        if item.job.id in self._by_id:
            return
        self.beginInsertRows(_NOWHERE, 0, 0)
        self._items.insert(0, item)
        self._by_id[item.job.id] = item
        self.endInsertRows()
        self.look_at(item)

    def __bool__(self) -> bool:
        return bool(self._items)

    # What the session tells.

    def hear(self, event: SessionEvent) -> None:
        """Take one event. Events of unknown jobs are dropped."""
        if isinstance(event, Queued):
            self._add(Item(event.job))
            return
        if isinstance(event, EngineChanged):
            return
        job = event.job
        item = self._by_id.get(job if isinstance(job, str) else job.id)
        if item is None or item.stage in (Stage.DONE, Stage.FAILED):
            return
        match event:
            case Started() | Loading() | Retrying():
                item.restarted()
                self._begin(item)
            case Stepped(_, step, steps, preview):
                item.stepped(step, steps, preview)
                self._begin(item)
            case Decoding():
                item.stage = Stage.FINISHING
            case Saved(_, picture, pixels):
                item.finished(picture, pixels)
                self._hold(item)
                self.finished.emit(item)
            case NotSaved(_, pixels):
                item.pixels = pixels
                item.preview = to_image(pixels)
            case Failed(_, error):
                item.stage, item.error = Stage.FAILED, error
                self.failed.emit(item)
            case Cancelled():
                self.drop(item)
                return
        self._changed(item)

    def _add(self, item: Item) -> None:
        self.beginInsertRows(_NOWHERE, 0, 0)
        self._items.insert(0, item)
        self._by_id[item.job.id] = item
        self.endInsertRows()
        if not self._busy:
            self.following = True
            self._look(item)
        self._tell_busy()

    def _begin(self, item: Item) -> None:
        if self.following and self.current is not item:
            self._look(item)

    def _look(self, item: Item | None) -> None:
        if item is not self.current:
            self.current = item
            self.current_changed.emit()

    def _changed(self, item: Item) -> None:
        row = self.row_of(item)
        if row >= 0:
            index = self.index(row)
            self.dataChanged.emit(index, index)
        self.item_changed.emit(item)
        self._tell_busy()

    def _tell_busy(self) -> None:
        busy = any(item.stage is Stage.WAITING or item.stage.live for item in self._items)
        if busy != self._busy:
            self._busy = busy
            self.busy_changed.emit(busy)

    def _hold(self, item: Item) -> None:
        self._held.append(item)
        while len(self._held) > HELD:
            old = self._held.pop(0)
            if old is not self.current:
                old.image = None
