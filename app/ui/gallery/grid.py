"""The pictures side by side, as many in a row as there is room for."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)

from app.library.entry import Entry
from app.ui.controls.drawing import KEYBOARD
from app.ui.gallery.cells import Cells
from app.ui.gallery.pictures import Pictures
from app.ui.gallery.thumbs import Thumbs
from app.ui.gallery.tiles import LEAST, Tiles, heart_rect
from app.ui.theme import Theme

AHEAD_MS = 250

_Index = QModelIndex | QPersistentModelIndex


class Grid(Cells):
    """``open_wanted`` (Return, double click) and ``view_wanted`` (Space) carry an Entry.

    ``drag_wanted`` and ``menu_wanted`` mean the selection, ``heart_pressed`` one Entry.
    """

    open_wanted = Signal(object)
    view_wanted = Signal(object)
    heart_pressed = Signal(object)
    drag_wanted = Signal()
    menu_wanted = Signal(QPoint)
    chosen_changed = Signal()

    def __init__(self, theme: Theme, pictures: Pictures, thumbs: Thumbs) -> None:
        super().__init__(LEAST)
        self.theme = theme
        self.pictures = pictures
        self.thumbs = thumbs
        self.hovered_row = -1
        self.keyboard_focus = False
        self._look()
        self.setModel(pictures)
        self._tiles = Tiles(theme, self)
        self._kept: tuple[int, list[int], int, int] | None = None
        self._wanting = QTimer(self)
        self._wanting.setSingleShot(True)
        self._wanting.setInterval(0)
        self._wanting.timeout.connect(self._want)
        self._ahead = QTimer(self)
        self._ahead.setSingleShot(True)
        self._ahead.setInterval(AHEAD_MS)
        self._ahead.timeout.connect(self._look_ahead)
        pictures.modelAboutToBeReset.connect(self._remember)
        pictures.modelReset.connect(self._take_up)
        pictures.dataChanged.connect(lambda: self._wanting.start())
        thumbs.arrived.connect(self._show_arrived)
        self.verticalScrollBar().valueChanged.connect(lambda: self._wanting.start())
        self.selectionModel().selectionChanged.connect(lambda: self.chosen_changed.emit())
        theme.changed.connect(self.viewport().update)

    def _look(self) -> None:
        self.setAccessibleName("Pictures")
        self.setDragEnabled(True)
        self.setMouseTracking(True)

    # What is chosen.

    def chosen(self) -> list[Entry]:
        """The selected pictures, as they lie."""
        return self.pictures.entries(sorted(i.row() for i in self.selectedIndexes()))

    def current(self) -> Entry | None:
        """The one that the keyboard is at."""
        return self.pictures.entry(self.currentIndex().row())

    def choose(self, row: int) -> None:
        """Select that row alone, and show it."""
        index = self.pictures.index(row)
        if index.isValid():
            flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.selectionModel().setCurrentIndex(index, flag)
            self.scrollTo(index)

    # Small pictures.

    def _want(self) -> None:
        """What is in sight, now."""
        self.thumbs.want(self.pictures.entries(self.seen()), len(self.seen()))
        self._ahead.start()

    def _look_ahead(self) -> None:
        """The page below and the one above, once nobody waits for anything."""
        seen = self.seen()
        below = range(seen.stop, min(seen.stop + len(seen), self.pictures.rowCount()))
        above = range(max(0, seen.start - len(seen)), seen.start)
        self.thumbs.want(self.pictures.entries([*seen, *below, *above]), 3 * len(seen))

    def _show_arrived(self, keys: Sequence[int]) -> None:
        seen = self.seen()
        for key in keys:
            row = self.pictures.row_of(key)
            if row in seen:
                self.viewport().update(self.visualRect(self.pictures.index(row)))

    # The same pictures stay chosen when others come or go.

    def _remember(self) -> None:
        keys = [self.pictures.key(index.row()) for index in self.selectedIndexes()]
        at = self.currentIndex().row()
        self._kept = (self.pictures.key(at), keys, self.verticalScrollBar().value(), at)

    def _take_up(self) -> None:
        current, keys, scrolled, at = self._kept or (0, [], 0, -1)
        self.hovered_row = -1
        picked = QItemSelection()
        for key in keys:
            row = self.pictures.row_of(key)
            if row >= 0:
                picked.select(self.pictures.index(row), self.pictures.index(row))
        flags = QItemSelectionModel.SelectionFlag
        row = self.pictures.row_of(current)
        if row < 0 and at >= 0:  # it has gone: the one in its place
            row = min(at, self.pictures.rowCount() - 1)
        if row >= 0:
            self.selectionModel().setCurrentIndex(self.pictures.index(row), flags.NoUpdate)
        self.selectionModel().select(picked, flags.ClearAndSelect)
        self.verticalScrollBar().setValue(scrolled)
        self._wanting.start()
        self.chosen_changed.emit()

    # Qt's own.

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        super().resizeEvent(event)
        self._wanting.start()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        selected = {index.row() for index in self.selectedIndexes()}
        dirty = event.rect()
        for row in self.seen():
            cell = self.cell_rect(row)
            if cell.intersects(dirty):
                self._tiles.paint(painter, cell, row, row in selected)
        painter.end()

    def startDrag(self, _actions: Qt.DropAction) -> None:  # noqa: N802 (Qt's name)
        self.drag_wanted.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        entry = self.current()
        if entry is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open_wanted.emit(entry)
        elif entry is not None and event.key() == Qt.Key.Key_Space:
            self.view_wanted.emit(entry)
        elif event.matches(QKeySequence.StandardKey.Copy):
            event.ignore()  # the view would copy the row's words
        elif event.text().isprintable() and event.text():
            event.ignore()  # rows have no names to jump to by typing
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        at = event.position().toPoint()
        index = self.indexAt(at)
        entry = self.pictures.entry(index.row())
        left = event.button() is Qt.MouseButton.LeftButton
        if left and entry is not None and heart_rect(self.visualRect(index)).contains(at):
            self.heart_pressed.emit(entry)
            return
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        index = self.indexAt(event.position().toPoint())
        entry = self.pictures.entry(index.row())
        if entry is not None and event.button() is Qt.MouseButton.LeftButton:
            self.view_wanted.emit(entry)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        super().mouseMoveEvent(event)
        if not event.buttons():
            self._hover(self.indexAt(event.position().toPoint()).row())

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802 (Qt's name)
        super().leaveEvent(event)
        self._hover(-1)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 (Qt's name)
        mouse = event.reason() is QContextMenuEvent.Reason.Mouse
        index = self.indexAt(event.pos()) if mouse else self.currentIndex()
        if not index.isValid():
            return
        if not self.selectionModel().isSelected(index):
            self.choose(index.row())
        middle = self.visualRect(index).center()
        self.menu_wanted.emit(event.globalPos() if mouse else self.viewport().mapToGlobal(middle))

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 (Qt's name)
        self.keyboard_focus = event.reason() in KEYBOARD
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 (Qt's name)
        self.keyboard_focus = False
        super().focusOutEvent(event)
        self.viewport().update()

    def _hover(self, row: int) -> None:
        if row != self.hovered_row:
            for one in (row, self.hovered_row):
                if one >= 0:
                    self.viewport().update(self.visualRect(self.pictures.index(one)))
            self.hovered_row = row
