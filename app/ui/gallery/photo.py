"""One picture as large as there is room for, or pixel by pixel."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.ui.canvas import LARGEST, enlarged
from app.ui.controls.drawing import box, start
from app.ui.theme import Theme
from app.ui.tokens import CARD_RADIUS, PICTURE_RADIUS

EDGE = 20


class Photo(QWidget):
    """Fitted, or at 100 % (a pixel of the picture is one of the screen) and moved by dragging."""

    zoomed = Signal(bool)
    """Whether it is shown at 100 %."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._image: QImage | None = None
        self._scaled: tuple[tuple[int, QSize], QImage] | None = None
        self._whole = True
        self._middle = QPointF(0.5, 0.5)
        self._pressed: QPointF | None = None
        self.setAccessibleName("Picture")
        theme.changed.connect(self.update)

    def show_image(self, image: QImage | None) -> None:
        """Another picture; None while it is being read."""
        self._image = image
        self._middle = QPointF(0.5, 0.5)
        self.update()

    @property
    def image(self) -> QImage | None:
        return self._image

    @property
    def whole(self) -> bool:
        """Whether all of it is seen."""
        return self._whole

    def set_whole(self, whole: bool) -> None:
        """Fit it, or show it at 100 %."""
        if whole != self._whole:
            self._whole = whole
            self._middle = QPointF(0.5, 0.5)
            cursor = Qt.CursorShape.ArrowCursor if whole else Qt.CursorShape.OpenHandCursor
            self.setCursor(cursor)
            self.zoomed.emit(not whole)
            self.update()

    def picture_rect(self) -> QRectF:
        """Where the picture lies, in points; more than the widget at 100 %."""
        if self._image is None:
            return QRectF()
        if self._whole:
            return fitted(self.size(), self._image.size())
        ratio = self.devicePixelRatioF()
        width, height = self._image.width() / ratio, self._image.height() / ratio
        middle = QPointF(self.rect().center()) + QPointF(0.5, 0.5)
        left = middle.x() - self._middle.x() * width
        return QRectF(left, middle.y() - self._middle.y() * height, width, height)

    # Qt's own.

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        box(painter, QRectF(self.rect()), self.theme.colour("canvas"), None, CARD_RADIUS)
        if self._image is not None:
            self._paint(painter, self._image)
        painter.end()

    def _paint(self, painter: QPainter, image: QImage) -> None:
        at = self.picture_rect()
        if not self._whole:
            painter.setClipRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))
            painter.drawImage(at, image)
            return
        ratio = self.devicePixelRatioF()
        size = (at.size() * ratio).toSize()
        key = (image.cacheKey(), size)
        if self._scaled is None or self._scaled[0] != key:
            self._scaled = (key, enlarged(image, size))
        painter.drawImage(at, self._scaled[1])
        edge = self.theme.colour("line", 90)
        box(painter, at, None, edge, min(2.0, PICTURE_RADIUS))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        super().resizeEvent(event)
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        if event.button() is Qt.MouseButton.LeftButton and not self._whole:
            self._pressed = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        if self._pressed is None or self._image is None:
            return
        moved, self._pressed = event.position() - self._pressed, event.position()
        ratio = self.devicePixelRatioF()
        x = self._middle.x() - moved.x() * ratio / self._image.width()
        y = self._middle.y() - moved.y() * ratio / self._image.height()
        self._middle = QPointF(min(1.0, max(0.0, x)), min(1.0, max(0.0, y)))
        self.update()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        self._pressed = None

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        self.set_whole(not self._whole)


def fitted(room: QSize, picture: QSize) -> QRectF:
    """The largest place of ``picture``'s shape in ``room``, on whole points."""
    width, height = max(1, room.width() - 2 * EDGE), max(1, room.height() - 2 * EDGE)
    scale = min(width / picture.width(), height / picture.height(), LARGEST)
    size = QSize(max(1, round(picture.width() * scale)), max(1, round(picture.height() * scale)))
    left, top = (room.width() - size.width()) // 2, (room.height() - size.height()) // 2
    return QRectF(left, top, size.width(), size.height())
