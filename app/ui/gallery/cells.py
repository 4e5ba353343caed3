"""A view of cells of one size, as many in a row as there is room for, laid out by arithmetic.

Qt's own list lays all its rows out before the first paint, and asks the model for each; here ten
thousand pictures need no more than those in sight.
"""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractItemModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
)
from PySide6.QtGui import QPalette, QRegion, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame

_Index = QModelIndex | QPersistentModelIndex
_Move = QAbstractItemView.CursorAction


class Cells(QAbstractItemView):
    """Rows of the model from left to right, then down; square, ``least`` points or more a side.

    Whoever inherits paints them, in ``paintEvent``.
    """

    def __init__(self, least: int) -> None:
        super().__init__()
        self._least = least
        self._count = 0
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        clear = QPalette()
        clear.setColor(QPalette.ColorRole.Base, Qt.GlobalColor.transparent)
        self.setPalette(clear)
        self.viewport().setAutoFillBackground(False)

    # Where each lies.

    def columns(self) -> int:
        """Cells in a row."""
        return max(1, self.viewport().width() // self._least)

    def cell(self) -> QSize:
        """As wide as makes whole columns fill the row."""
        side = max(self._least // 2, self.viewport().width() // self.columns())
        return QSize(side, side)

    def cell_rect(self, row: int) -> QRect:
        """Where that row of the model lies in the viewport."""
        columns, side = self.columns(), self.cell().width()
        top = row // columns * side - self.verticalScrollBar().value()
        return QRect(row % columns * side, top, side, side)

    def row_at(self, point: QPoint) -> int:
        """The row of the model under a point of the viewport, -1 where there is none."""
        columns, side = self.columns(), self.cell().width()
        column, line = point.x() // side, (point.y() + self.verticalScrollBar().value()) // side
        row = line * columns + column
        return row if 0 <= column < columns and 0 <= row < self._count else -1

    def seen(self) -> range:
        """The rows of the model in sight."""
        columns, side = self.columns(), self.cell().width()
        top, high = self.verticalScrollBar().value(), self.viewport().height()
        first, last = top // side * columns, ((top + high - 1) // side + 1) * columns
        return range(min(first, self._count), min(last, self._count))

    # What Qt asks a view.

    def setModel(self, model: QAbstractItemModel | None) -> None:  # noqa: N802 (Qt's name)
        super().setModel(model)
        if model is not None:
            model.modelReset.connect(self.count_anew)
            self.count_anew()

    def count_anew(self) -> None:
        """Another number of rows: as long a way to scroll as they need."""
        self._count = self.model().rowCount()
        self.updateGeometries()
        self.viewport().update()

    def visualRect(self, index: _Index) -> QRect:  # noqa: N802 (Qt's name)
        return self.cell_rect(index.row()) if index.isValid() else QRect()

    def indexAt(self, point: QPoint) -> QModelIndex:  # noqa: N802 (Qt's name)
        row = self.row_at(point)
        return self.model().index(row, 0) if row >= 0 else QModelIndex()

    def scrollTo(  # noqa: N802 (Qt's name)
        self,
        index: _Index,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        del hint
        at, bar = self.visualRect(index), self.verticalScrollBar()
        if at.top() < 0 or at.height() > self.viewport().height():
            bar.setValue(bar.value() + at.top())
        elif at.bottom() >= self.viewport().height():
            bar.setValue(bar.value() + at.bottom() + 1 - self.viewport().height())

    def horizontalOffset(self) -> int:  # noqa: N802 (Qt's name)
        return 0

    def verticalOffset(self) -> int:  # noqa: N802 (Qt's name)
        return self.verticalScrollBar().value()

    def isIndexHidden(self, _index: _Index) -> bool:  # noqa: N802 (Qt's name)
        return False

    def moveCursor(  # noqa: N802 (Qt's name)
        self, action: QAbstractItemView.CursorAction, _modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:
        if not self._count:
            return QModelIndex()
        row, columns = self.currentIndex().row(), self.columns()
        page = columns * max(1, self.viewport().height() // self.cell().height())
        by = {
            _Move.MoveLeft: -1,
            _Move.MovePrevious: -1,
            _Move.MoveRight: 1,
            _Move.MoveNext: 1,
            _Move.MoveUp: -columns,
            _Move.MoveDown: columns,
            _Move.MovePageUp: -page,
            _Move.MovePageDown: page,
            _Move.MoveHome: -self._count,
            _Move.MoveEnd: self._count,
        }[action]
        if row < 0:
            target = 0
        elif action is _Move.MoveUp and row < columns:
            target = row
        else:
            target = min(self._count - 1, max(0, row + by))
        return self.model().index(target, 0)

    def setSelection(  # noqa: N802 (Qt's name)
        self, rect: QRect, command: QItemSelectionModel.SelectionFlag
    ) -> None:
        """A rubber band takes the cells it touches; Shift all from one to the other."""
        picked = QItemSelection()
        if self.state() == QAbstractItemView.State.DragSelectingState:
            self._pick_touched(picked, rect.normalized())
        else:
            ends = sorted((self.row_at(rect.topLeft()), self.row_at(rect.bottomRight())))
            if ends[0] >= 0:
                model = self.model()
                picked.select(model.index(ends[0], 0), model.index(ends[1], 0))
        self.selectionModel().select(picked, command)

    def _pick_touched(self, picked: QItemSelection, rect: QRect) -> None:
        columns, side, top = self.columns(), self.cell().width(), self.verticalScrollBar().value()
        left, right = max(0, rect.left() // side), min(columns - 1, rect.right() // side)
        for line in range(max(0, (rect.top() + top) // side), (rect.bottom() + top) // side + 1):
            first, last = line * columns + left, min(line * columns + right, self._count - 1)
            if first <= last:
                picked.select(self.model().index(first, 0), self.model().index(last, 0))

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:  # noqa: N802
        region, seen = QRegion(), self.seen()
        for number in range(selection.count()):
            piece = selection.at(number)
            for row in range(max(piece.top(), seen.start), min(piece.bottom() + 1, seen.stop)):
                region += self.cell_rect(row)
        return region

    def updateGeometries(self) -> None:  # noqa: N802 (Qt's name)
        side, high = self.cell().width(), self.viewport().height()
        lines = -(-self._count // self.columns())
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, lines * side - high))
        bar.setPageStep(max(side, high // side * side))
        bar.setSingleStep(max(1, side // 3))
        super().updateGeometries()

    def scrollContentsBy(self, dx: int, dy: int) -> None:  # noqa: N802 (Qt's name)
        del dx
        self.viewport().scroll(0, dy)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        super().resizeEvent(event)
        self.updateGeometries()
