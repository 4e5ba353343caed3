"""The part of a picture that is to be redrawn, as strokes on a layer with undo and redo."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from app.ui.png import png_bytes

MOST_UNDONE = 200


@dataclass(frozen=True, slots=True)
class _Step:
    """What a stroke changed, before and after: only the rectangle it touched."""

    at: QPoint
    before: QImage
    after: QImage


class MaskLayer:
    """A layer as large as the picture, see-through where the picture is kept.

    Everything that paints returns the rectangle it changed, in pixels of the picture.
    """

    def __init__(self, size: QSize, colour: QColor) -> None:
        self.image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
        self.image.fill(Qt.GlobalColor.transparent)
        self._colour = QColor(colour)
        self._before: QImage | None = None
        self._touched = QRect()
        self._last = QPointF()
        self._pen = QPen()
        self._erasing = False
        self._done: list[_Step] = []
        self._undone: list[_Step] = []

    def load(self, mask: QImage) -> None:
        """Begin from an earlier mask (white is redrawn), fitted to the picture. Not undoable."""
        grey = mask.convertToFormat(QImage.Format.Format_Grayscale8)
        self.image.fill(self._colour)
        self.image.setAlphaChannel(grey.scaled(self.image.size()))

    def recolour(self, colour: QColor) -> None:
        """Show the same mask in another colour."""
        self._colour = QColor(colour)
        self._done = [_Step(s.at, self._in(s.before), self._in(s.after)) for s in self._done]
        self._undone = [_Step(s.at, self._in(s.before), self._in(s.after)) for s in self._undone]
        self.image = self._in(self.image)

    def _in(self, image: QImage) -> QImage:
        tinted = image.copy()
        painter = QPainter(tinted)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
        painter.fillRect(tinted.rect(), self._colour)
        painter.end()
        return tinted

    def begin(self, point: QPointF, diameter: float, erase: bool) -> QRect:
        """Put the brush down: a dot of ``diameter`` pixels of the picture."""
        self.end()
        self._before = QImage(self.image)  # shared until the first change
        self._touched = QRect()
        self._erasing = erase
        self._pen = QPen(self._colour, diameter)
        self._pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        self._last = QPointF(point)
        return self.move(point)

    def move(self, point: QPointF) -> QRect:
        """Draw on to ``point``. Nothing when the brush is not down."""
        if self._before is None:
            return QRect()
        painter = QPainter(self.image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._erasing:
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_DestinationOut)
        painter.setPen(self._pen)
        if point == self._last:
            painter.drawPoint(point)
        else:
            painter.drawLine(self._last, point)
        painter.end()
        reach = int(self._pen.widthF() / 2) + 2
        line = QRect(self._last.toPoint(), point.toPoint()).normalized()
        changed = line.adjusted(-reach, -reach, reach, reach) & self.image.rect()
        self._touched = self._touched.united(changed)
        self._last = QPointF(point)
        return changed

    def end(self) -> None:
        """Lift the brush: what was drawn since ``begin`` is one step of undo."""
        before, self._before = self._before, None
        if before is not None:
            self._remember(before, self._touched)

    def _remember(self, before: QImage, touched: QRect) -> None:
        old, new = before.copy(touched), self.image.copy(touched)
        if touched.isEmpty() or old == new:
            return
        self._done.append(_Step(touched.topLeft(), old, new))
        del self._done[:-MOST_UNDONE]
        self._undone.clear()

    def clear(self) -> QRect:
        """Redraw nothing."""
        self.end()
        before = QImage(self.image)
        self.image.fill(Qt.GlobalColor.transparent)
        self._remember(before, self.image.rect())
        return self.image.rect()

    def invert(self) -> QRect:
        """Redraw what was kept and keep what was to be redrawn."""
        self.end()
        before = QImage(self.image)
        self.image.fill(self._colour)
        painter = QPainter(self.image)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_DestinationOut)
        painter.drawImage(0, 0, before)
        painter.end()
        self._remember(before, self.image.rect())
        return self.image.rect()

    def undo(self) -> QRect:
        """Take back the last step."""
        self.end()
        if not self._done:
            return QRect()
        step = self._done.pop()
        self._undone.append(step)
        return self._put(step.at, step.before)

    def redo(self) -> QRect:
        """Do again what was taken back."""
        self.end()
        if not self._undone:
            return QRect()
        step = self._undone.pop()
        self._done.append(step)
        return self._put(step.at, step.after)

    def _put(self, at: QPoint, piece: QImage) -> QRect:
        painter = QPainter(self.image)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        painter.drawImage(at, piece)
        painter.end()
        return QRect(at, piece.size())

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    def mask(self) -> QImage:
        """The mask in 8-bit grey, as large as the picture: black is kept, white is redrawn."""
        alpha = self.image.convertToFormat(QImage.Format.Format_Alpha8)
        alpha.reinterpretAsFormat(QImage.Format.Format_Grayscale8)
        hard = alpha.convertToFormat(
            QImage.Format.Format_Mono, Qt.ImageConversionFlag.ThresholdDither
        )
        return hard.convertToFormat(QImage.Format.Format_Grayscale8)

    def is_empty(self) -> bool:
        """Whether nothing is to be redrawn."""
        mask = self.mask()
        blank = QImage(mask.size(), mask.format())
        blank.fill(Qt.GlobalColor.black)
        return mask == blank

    def png(self) -> bytes:
        """The mask as the bytes of a PNG file."""
        return png_bytes(self.mask())
