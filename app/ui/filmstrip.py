"""The pictures of this session as small ones in a row, with those that wait."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QBrush,
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPalette,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFrame,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from app.ui import icons
from app.ui.controls.drawing import KEYBOARD, box
from app.ui.desk import ITEM, Desk
from app.ui.item import Item, Stage
from app.ui.theme import Theme
from app.ui.tokens import PICTURE_RADIUS, THUMBNAIL

_RIM = 4
"""Room around a thumbnail for its ring."""
_CELL = THUMBNAIL + 2 * _RIM
_CLOSE = 20

_Index = QModelIndex | QPersistentModelIndex


class _Tiles(QStyledItemDelegate):
    """Draws one tile: a picture, a preview with its progress, a place that waits, a failure."""

    def __init__(self, theme: Theme, strip: Filmstrip) -> None:
        super().__init__(strip)
        self._theme = theme
        self._strip = strip

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _Index) -> QSize:  # noqa: N802
        return QSize(_CELL, _CELL)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        item: Item = index.data(ITEM)
        at = QRectF(tile_rect(option.rect))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        image = item.thumb or item.preview
        if image is not None:
            self._picture(painter, at, image)
        else:
            self._place(painter, at, item)
        if item.stage.live:
            self._progress(painter, at, item)
        if item.stage is Stage.FAILED:
            self._failure(painter, at)
        if item is self._strip.desk.current:
            self._ring(painter, at)
        if index.row() == self._strip.hovered_row and item.stage is not Stage.DONE:
            self._cross(painter, close_rect(at.toRect()))
        painter.restore()

    def _picture(self, painter: QPainter, at: QRectF, image: QImage) -> None:
        brush = QBrush(image)
        size = image.size()
        scale = max(at.width() / size.width(), at.height() / size.height())
        left = at.center().x() - size.width() * scale / 2
        top = at.center().y() - size.height() * scale / 2
        brush.setTransform(QTransform.fromTranslate(left, top).scale(scale, scale))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setBrush(brush)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawRoundedRect(at, PICTURE_RADIUS, PICTURE_RADIUS)
        edge = QColor(255, 255, 255, 26) if self._theme.tokens.dark else QColor(0, 0, 0, 26)
        box(painter, at, None, edge, PICTURE_RADIUS)

    def _place(self, painter: QPainter, at: QRectF, item: Item) -> None:
        colour = self._theme.colour
        box(painter, at, colour("sunken"), colour("line"), PICTURE_RADIUS)
        if item.stage is Stage.WAITING:
            painter.setFont(self._theme.font("secondary"))
            painter.setPen(colour("faint"))
            painter.drawText(at, Qt.AlignmentFlag.AlignCenter, "next")

    def _progress(self, painter: QPainter, at: QRectF, item: Item) -> None:
        track = QRectF(at.left() + 8, at.bottom() - 10, at.width() - 16, 4)
        box(painter, track, QColor(0, 0, 0, 90), None, 2)
        done = item.step / item.steps if item.steps else 0.0
        if done:
            filled = QRectF(track.left(), track.top(), max(4.0, track.width() * done), 4)
            box(painter, filled, self._theme.colour("accent"), None, 2)

    def _failure(self, painter: QPainter, at: QRectF) -> None:
        box(painter, at, self._theme.colour("sunken"), self._theme.colour("line"), PICTURE_RADIUS)
        middle = at.center()
        where = QRectF(middle.x() - 10, middle.y() - 10, 20, 20)
        icons.paint(painter, "warning", where, self._theme.colour("bad"))

    def _ring(self, painter: QPainter, at: QRectF) -> None:
        if self._strip.keyboard_focus:
            outer = at.adjusted(-_RIM, -_RIM, _RIM, _RIM)
            box(painter, outer, None, self._theme.colour("accent", 90), PICTURE_RADIUS + 4, 4)
        outer = at.adjusted(-3.5, -3.5, 3.5, 3.5)
        box(painter, outer, None, self._theme.colour("accent"), PICTURE_RADIUS + 3.5, 2)

    def _cross(self, painter: QPainter, at: QRect) -> None:
        spot = QRectF(at)
        box(painter, spot, QColor(20, 18, 16, 190), None, spot.width() / 2)
        icons.paint(painter, "close", spot.adjusted(3, 3, -3, -3), QColor("#FFFFFF"))


class Filmstrip(QListView):
    """A row of tiles over a ``Desk``. Left and right look at another, Delete stops one.

    ``stop_wanted`` carries the item whose cross was pressed (a failed one is only put away).
    """

    stop_wanted = Signal(object)
    drag_wanted = Signal(object)
    menu_wanted = Signal(object, QPoint)

    def __init__(self, theme: Theme, desk: Desk) -> None:
        super().__init__()
        self.theme = theme
        self.desk = desk
        self.hovered_row = -1
        self.keyboard_focus = False
        self._pressed: tuple[QPoint, Item] | None = None
        self._look()
        self.setModel(desk)
        self.setItemDelegate(_Tiles(theme, self))
        desk.current_changed.connect(self._show_current)
        desk.rowsInserted.connect(self._show_current)
        theme.changed.connect(self.viewport().update)

    def _look(self) -> None:
        self.setAccessibleName("Pictures of this session")
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setUniformItemSizes(True)
        self.setSpacing(0)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFixedHeight(_CELL + 2)
        off = Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.setHorizontalScrollBarPolicy(off)
        self.setVerticalScrollBarPolicy(off)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        clear = QPalette()
        clear.setColor(QPalette.ColorRole.Base, Qt.GlobalColor.transparent)
        self.setPalette(clear)
        self.viewport().setAutoFillBackground(False)

    def current_item(self) -> Item | None:
        item: Item | None = self.currentIndex().data(ITEM)
        return item

    # Qt's own.

    def currentChanged(self, current: _Index, previous: _Index) -> None:  # noqa: N802
        super().currentChanged(current, previous)
        item = current.data(ITEM)
        if item is not None and item is not self.desk.current:
            self.desk.look_at(item)

    def dataChanged(  # noqa: N802 (Qt's name)
        self, first: _Index, last: _Index, roles: Sequence[int] = ()
    ) -> None:
        """Tiles are all of one size: what has changed is painted again, nothing laid out."""
        del roles
        changed = self.visualRect(first) | self.visualRect(last)
        self.viewport().update(changed)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        item, index = self._at(event.position().toPoint())
        if item is None or event.button() is not Qt.MouseButton.LeftButton:
            return
        if item.stage is not Stage.DONE and self._on_cross(index, event.position().toPoint()):
            self.stop_wanted.emit(item)
            return
        self._pressed = (event.position().toPoint(), item)
        self.setCurrentIndex(index)
        self.desk.look_at(item)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        at = event.position().toPoint()
        if event.buttons() & Qt.MouseButton.LeftButton:
            if self._pressed is not None:
                begun, item = self._pressed
                if (at - begun).manhattanLength() >= QApplication.startDragDistance():
                    self._pressed = None
                    if item.picture is not None:
                        self.drag_wanted.emit(item.picture)
            return
        self._hover(self.indexAt(at).row())

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        self._pressed = None

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802 (Qt's name)
        super().leaveEvent(event)
        self._hover(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        item = self.current_item()
        deleting = event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)
        if deleting and item is not None and item.stage is not Stage.DONE:
            self.stop_wanted.emit(item)
            return
        super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 (Qt's name)
        by_mouse = event.reason() is QContextMenuEvent.Reason.Mouse
        item, index = (
            self._at(event.pos()) if by_mouse else (self.current_item(), self.currentIndex())
        )
        if item is None or item.picture is None:
            return
        self.desk.look_at(item)
        at = event.globalPos() if by_mouse else self.mapToGlobal(self.visualRect(index).center())
        self.menu_wanted.emit(item.picture, at)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 (Qt's name)
        turned = event.pixelDelta() if not event.pixelDelta().isNull() else event.angleDelta() / 2
        along = turned.x() if abs(turned.x()) > abs(turned.y()) else turned.y()
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() - along)
        event.accept()

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 (Qt's name)
        self.keyboard_focus = event.reason() in KEYBOARD
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 (Qt's name)
        self.keyboard_focus = False
        super().focusOutEvent(event)
        self.viewport().update()

    def _at(self, point: QPoint) -> tuple[Item | None, QModelIndex]:
        index = self.indexAt(point)
        return index.data(ITEM), index

    def _on_cross(self, index: QModelIndex, point: QPoint) -> bool:
        return close_rect(tile_rect(self.visualRect(index))).contains(point)

    def _hover(self, row: int) -> None:
        if row != self.hovered_row:
            self.hovered_row = row
            self.viewport().update()

    def _show_current(self, *_ignored: object) -> None:
        item = self.desk.current
        row = -1 if item is None else self.desk.row_of(item)
        if row >= 0:
            index = self.desk.index(row)
            flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.selectionModel().setCurrentIndex(index, flag)
            self.scrollTo(index)
        self.viewport().update()


def tile_rect(cell: QRect) -> QRect:
    """Where the picture lies in its cell."""
    return QRect(cell.left() + _RIM, cell.top() + _RIM, THUMBNAIL, THUMBNAIL)


def close_rect(tile: QRect) -> QRect:
    """Where the cross lies on a tile."""
    return QRect(tile.right() - _CLOSE - 3, tile.top() + 5, _CLOSE, _CLOSE)
