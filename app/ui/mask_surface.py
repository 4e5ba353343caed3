"""The picture one paints a mask on: pointer, keys and drawing; the tools are in ``mask_editor``."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget

from app.ui.controls.drawing import KeyboardFocus
from app.ui.mask_layer import MaskLayer

OVERLAY = 0.5
SMALLEST_BRUSH = 4
LARGEST_BRUSH = 256
_GROWTH = 1.25
_MARGIN = 12
_HATCH = 9


class MaskSurface(KeyboardFocus, QWidget):
    """Shows a picture with the mask over it and paints where the pointer or the keys go.

    Brush sizes are pixels of the picture. Left and right, up and down move the brush, Space
    paints where it is.
    """

    painted = Signal()
    brush_changed = Signal(int)
    erasing_changed = Signal(bool)

    def __init__(self, picture: QImage, colour: QColor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layer = MaskLayer(picture.size(), colour)
        self._picture = picture
        self._shown = QPixmap()
        side = max(picture.width(), picture.height())
        self.brushes = range(max(2, side // 64), max(4, side // 2) + 1)
        self._brush = max(self.brushes.start, side // 8)
        self._erasing = False
        self._pointer: QPointF | None = None
        self._down = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(120, 80)
        self.setAccessibleName("Picture to paint over")
        self.setAccessibleDescription(
            "Arrow keys move the brush, Space paints, E erases, [ and ] change its size."
        )

    # What the tools set

    @property
    def brush(self) -> int:
        return self._brush

    def set_brush(self, pixels: int) -> None:
        pixels = max(self.brushes.start, min(self.brushes.stop - 1, pixels))
        if pixels != self._brush:
            self._brush = pixels
            self.brush_changed.emit(pixels)
            self.update()

    def grow_brush(self, by: int) -> None:
        """One size larger (``by`` 1) or smaller (-1), by a quarter."""
        wanted = round(self._brush * _GROWTH**by)
        self.set_brush(wanted if wanted != self._brush else self._brush + by)

    @property
    def erasing(self) -> bool:
        return self._erasing

    def set_erasing(self, erasing: bool) -> None:
        if erasing != self._erasing:
            self._erasing = erasing
            self.erasing_changed.emit(erasing)
            self.update()

    def set_colour(self, colour: QColor) -> None:
        self.layer.recolour(colour)
        self.update()

    def changed(self, dirty: QRect) -> None:
        """Repaint ``dirty`` (pixels of the picture) and say that the mask is another."""
        self.update(self._from_picture(QRectF(dirty)).toAlignedRect().adjusted(-2, -2, 2, 2))
        self.painted.emit()

    # Where things are

    def picture_rect(self) -> QRectF:
        """Where the picture is shown, in this widget."""
        room = QRectF(self.rect()).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        size = self._picture.size().scaled(
            room.size().toSize().expandedTo(QSize(1, 1)), Qt.AspectRatioMode.KeepAspectRatio
        )
        shown = QRectF(0, 0, size.width(), size.height())
        shown.moveCenter(room.center())
        return QRectF(shown.toRect())

    def _scale(self) -> float:
        return self.picture_rect().width() / max(1, self._picture.width())

    def to_picture(self, point: QPointF) -> QPointF:
        """A point of this widget in pixels of the picture."""
        return (point - self.picture_rect().topLeft()) / self._scale()

    def _from_picture(self, rect: QRectF) -> QRectF:
        scale, origin = self._scale(), self.picture_rect().topLeft()
        return QRectF(rect.topLeft() * scale + origin, rect.size() * scale)

    # Pointer and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if event.button() == Qt.MouseButton.LeftButton:
            self._pointer = event.position()
            self._press()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self._point_at(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if event.button() == Qt.MouseButton.LeftButton:
            self._lift()

    def leaveEvent(self, event: object) -> None:  # noqa: N802, ARG002
        if not self._down and not self.hasFocus():
            self._point_at(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        ways = {
            Qt.Key.Key_Left: QPointF(-1, 0),
            Qt.Key.Key_Right: QPointF(1, 0),
            Qt.Key.Key_Up: QPointF(0, -1),
            Qt.Key.Key_Down: QPointF(0, 1),
        }
        way = ways.get(Qt.Key(event.key()))
        if way is not None:
            fine = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            self._step(way * (1.0 if fine else max(2.0, self._brush * self._scale() / 4)))
        elif event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._pointer = self._pointer or self.picture_rect().center()
            self._press()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._lift()
        else:
            super().keyReleaseEvent(event)

    def _step(self, way: QPointF) -> None:
        room = self.picture_rect()
        point = (self._pointer or room.center()) + way
        x = min(max(point.x(), room.left()), room.right())
        y = min(max(point.y(), room.top()), room.bottom())
        self._point_at(QPointF(x, y))

    def _press(self) -> None:
        if self._pointer is not None:
            self._down = True
            at = self.to_picture(self._pointer)
            self.changed(self.layer.begin(at, float(self._brush), self._erasing))

    def _lift(self) -> None:
        if self._down:
            self._down = False
            self.layer.end()
            self.painted.emit()

    def _point_at(self, point: QPointF | None) -> None:
        self.update(self._ring_rect())
        self._pointer = point
        self.update(self._ring_rect())
        inside = point is not None and self.picture_rect().contains(point)
        self.setCursor(Qt.CursorShape.BlankCursor if inside else Qt.CursorShape.ArrowCursor)
        if self._down and point is not None:
            self.changed(self.layer.move(self.to_picture(point)))

    # Drawing

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        self._shown = QPixmap()
        super().resizeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        room = self.picture_rect()
        painter = QPainter(self)
        painter.drawPixmap(room.toRect(), self._scaled(room))
        dirty = QRectF(QRectF(event.rect()).toAlignedRect()) & room
        if not dirty.isEmpty():
            painter.drawImage(dirty, self._veil(dirty))
        if self._pointer is not None:
            painter.setClipRect(room)
            self._draw_ring(painter)
        if self.keyboard_focus:
            painter.setClipping(False)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self.palette().highlight().color(), 2))
            painter.drawRect(room.adjusted(-3, -3, 3, 3))
        painter.end()

    def _veil(self, dirty: QRectF) -> QImage:
        """The mask over ``dirty``, half see-through, hatched so that it shows on any colour.

        Only what is exposed is scaled: a stroke costs the same on a large picture.
        """
        ratio = self.devicePixelRatioF()
        veil = QImage((dirty.size() * ratio).toSize(), QImage.Format.Format_ARGB32_Premultiplied)
        veil.setDevicePixelRatio(ratio)
        veil.fill(Qt.GlobalColor.transparent)
        painter = QPainter(veil)
        painter.setRenderHints(
            QPainter.RenderHint.SmoothPixmapTransform | QPainter.RenderHint.Antialiasing
        )
        painter.translate(-dirty.topLeft())
        painter.setOpacity(OVERLAY)
        source = QRectF(self.to_picture(dirty.topLeft()), dirty.size() / self._scale())
        painter.drawImage(dirty, self.layer.image, source)
        painter.setOpacity(1.0)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceAtop)
        painter.setPen(QPen(QColor(255, 255, 255, 170), 1.5))
        height = self.height()
        first = int((dirty.left() - height) // _HATCH)
        for x in range(first * _HATCH, int(dirty.right()) + height, _HATCH):
            painter.drawLine(QPointF(x, 0), QPointF(x + height, height))
        painter.end()
        return veil

    def _scaled(self, room: QRectF) -> QPixmap:
        ratio = self.devicePixelRatioF()
        wanted = (room.size() * ratio).toSize()
        if self._shown.size() != wanted:
            image = self._picture.scaled(
                wanted,
                Qt.AspectRatioMode.IgnoreAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            self._shown = QPixmap.fromImage(image)
            self._shown.setDevicePixelRatio(ratio)
        return self._shown

    def _ring_rect(self) -> QRect:
        if self._pointer is None:
            return QRect()
        reach = self._brush * self._scale() / 2 + 3
        ring = QRectF(0, 0, 2 * reach, 2 * reach)
        ring.moveCenter(self._pointer)
        return ring.toAlignedRect()

    def _draw_ring(self, painter: QPainter) -> None:
        if self._pointer is None:
            return
        radius = self._brush * self._scale() / 2
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(0, 0, 0, 150), 3))  # dark and light: seen on any picture
        painter.drawEllipse(self._pointer, radius, radius)
        pen = QPen(QColor(255, 255, 255), 1.5)
        if self._erasing:
            pen.setDashPattern([3, 3])
        painter.setPen(pen)
        painter.drawEllipse(self._pointer, radius, radius)
