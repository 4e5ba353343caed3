"""Icons as painter paths in a 16 by 16 box: no files to open, any colour, sharp at any scale."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

LINE = 1.4
"""Stroke width in the 16 by 16 box."""


def paint(painter: QPainter, name: str, at: QRectF, colour: QColor) -> None:
    """Draw icon ``name`` (a key of ``ICONS``) into ``at``."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(at.topLeft())
    painter.scale(at.width() / 16, at.height() / 16)
    pen = QPen(colour, LINE)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    strokes, fills = QPainterPath(), QPainterPath()
    ICONS[name](strokes, fills)
    painter.strokePath(strokes, pen)
    painter.fillPath(fills, colour)
    painter.restore()


def icon(name: str, colour: QColor, size: int = 16) -> QIcon:
    """Icon ``name`` as a QIcon with a sharp pixmap for 1x and 2x screens."""
    made = QIcon()
    for ratio in (1.0, 2.0):
        pixmap = QPixmap(round(size * ratio), round(size * ratio))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        paint(painter, name, QRectF(0, 0, size, size), colour)
        painter.end()
        made.addPixmap(pixmap)
    return made


def _lines(path: QPainterPath, *points: tuple[float, float]) -> None:
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)


def _dots(path: QPainterPath, radius: float, *points: tuple[float, float]) -> None:
    for x, y in points:
        path.addEllipse(QPointF(x, y), radius, radius)


def _chevron(strokes: QPainterPath, _fills: QPainterPath) -> None:
    _lines(strokes, (4.5, 6.5), (8, 10), (11.5, 6.5))


def _close(strokes: QPainterPath, _fills: QPainterPath) -> None:
    _lines(strokes, (4.5, 4.5), (11.5, 11.5))
    _lines(strokes, (11.5, 4.5), (4.5, 11.5))


def _more(_strokes: QPainterPath, fills: QPainterPath) -> None:
    _dots(fills, 1.3, (3.4, 8), (8, 8), (12.6, 8))


def _plus(strokes: QPainterPath, _fills: QPainterPath) -> None:
    _lines(strokes, (8, 4), (8, 12))
    _lines(strokes, (4, 8), (12, 8))


def _minus(strokes: QPainterPath, _fills: QPainterPath) -> None:
    _lines(strokes, (4, 8), (12, 8))


def _check(strokes: QPainterPath, _fills: QPainterPath) -> None:
    _lines(strokes, (3.5, 8.5), (6.7, 11.5), (12.5, 4.8))


def _dice(strokes: QPainterPath, fills: QPainterPath) -> None:
    strokes.addRoundedRect(QRectF(2.5, 2.5, 11, 11), 2.4, 2.4)
    _dots(fills, 1.05, (5.6, 5.6), (8, 8), (10.4, 10.4))


def _lock_body(strokes: QPainterPath) -> None:
    strokes.addRoundedRect(QRectF(3, 7, 10, 6.8), 1.8, 1.8)


def _lock(strokes: QPainterPath, _fills: QPainterPath) -> None:
    _lock_body(strokes)
    strokes.moveTo(5.2, 7)
    strokes.lineTo(5.2, 5)
    strokes.arcTo(QRectF(5.2, 2.2, 5.6, 5.6), 180, -180)
    strokes.lineTo(10.8, 7)


def _lock_open(strokes: QPainterPath, _fills: QPainterPath) -> None:
    _lock_body(strokes)
    strokes.moveTo(5.2, 7)
    strokes.lineTo(5.2, 4.6)
    strokes.arcTo(QRectF(5.2, 1.8, 5.6, 5.6), 180, -150)


def _panel(strokes: QPainterPath, fills: QPainterPath) -> None:
    strokes.addRoundedRect(QRectF(1.8, 3, 12.4, 10), 2, 2)
    _lines(strokes, (10, 3), (10, 13))
    fills.addRoundedRect(QRectF(10.2, 3.2, 3.8, 9.6), 1.5, 1.5)


def _panel_hidden(strokes: QPainterPath, _fills: QPainterPath) -> None:
    strokes.addRoundedRect(QRectF(1.8, 3, 12.4, 10), 2, 2)
    _lines(strokes, (10, 3), (10, 13))


def _picture(strokes: QPainterPath, fills: QPainterPath) -> None:
    strokes.addRoundedRect(QRectF(2, 2.8, 12, 10.4), 1.8, 1.8)
    _lines(strokes, (2.6, 11.6), (6.2, 7.8), (9, 10.6), (10.6, 9.2), (13.4, 11.8))
    _dots(fills, 1.1, (10.6, 5.8))


def _warning(strokes: QPainterPath, fills: QPainterPath) -> None:
    _lines(strokes, (8, 2.4), (14.2, 13.2), (1.8, 13.2), (8, 2.4))
    _lines(strokes, (8, 6.4), (8, 9.4))
    _dots(fills, 0.9, (8, 11.4))


def _folder(strokes: QPainterPath, _fills: QPainterPath) -> None:
    _lines(strokes, (2, 12.6), (2, 3.8), (6.2, 3.8), (7.8, 5.6), (14, 5.6), (14, 12.6), (2, 12.6))


def _sparkle(strokes: QPainterPath, _fills: QPainterPath) -> None:
    strokes.moveTo(7, 2.5)
    strokes.quadTo(7.6, 7.4, 12.5, 8)
    strokes.quadTo(7.6, 8.6, 7, 13.5)
    strokes.quadTo(6.4, 8.6, 1.5, 8)
    strokes.quadTo(6.4, 7.4, 7, 2.5)
    _lines(strokes, (12.6, 2.4), (12.6, 4.8))
    _lines(strokes, (11.4, 3.6), (13.8, 3.6))


def _brush(strokes: QPainterPath, _fills: QPainterPath) -> None:
    _lines(strokes, (13.4, 2.6), (7.2, 8.8))
    strokes.moveTo(7.2, 8.8)
    strokes.cubicTo(4.6, 8.4, 4.6, 11.4, 2.6, 12.6)
    strokes.cubicTo(5.6, 14.2, 8.6, 12.6, 7.2, 8.8)


def _eraser(strokes: QPainterPath, _fills: QPainterPath) -> None:
    _lines(strokes, (9, 3), (13.4, 7.4), (8, 12.8), (5.4, 12.8), (2.8, 10.2), (9, 3))
    _lines(strokes, (6, 6.6), (10, 10.8))


def _undo(strokes: QPainterPath, _fills: QPainterPath) -> None:
    _lines(strokes, (5.4, 3.4), (2.6, 6.2), (5.4, 9))
    strokes.moveTo(2.6, 6.2)
    strokes.lineTo(9, 6.2)
    strokes.arcTo(QRectF(5.6, 6.2, 6.8, 6.8), 90, -180)
    strokes.lineTo(6, 13)


def _redo(strokes: QPainterPath, _fills: QPainterPath) -> None:
    _lines(strokes, (10.6, 3.4), (13.4, 6.2), (10.6, 9))
    strokes.moveTo(13.4, 6.2)
    strokes.lineTo(7, 6.2)
    strokes.arcTo(QRectF(3.6, 6.2, 6.8, 6.8), 90, 180)
    strokes.lineTo(10, 13)


def _stop(_strokes: QPainterPath, fills: QPainterPath) -> None:
    fills.addRoundedRect(QRectF(4, 4, 8, 8), 1.6, 1.6)


def _heart_path(path: QPainterPath) -> None:
    path.moveTo(8, 13.4)
    path.cubicTo(3.6, 10.2, 1.8, 8.2, 1.8, 5.8)
    path.cubicTo(1.8, 3.9, 3.2, 2.7, 4.8, 2.7)
    path.cubicTo(6.2, 2.7, 7.4, 3.5, 8, 4.8)
    path.cubicTo(8.6, 3.5, 9.8, 2.7, 11.2, 2.7)
    path.cubicTo(12.8, 2.7, 14.2, 3.9, 14.2, 5.8)
    path.cubicTo(14.2, 8.2, 12.4, 10.2, 8, 13.4)
    path.closeSubpath()


def _heart(strokes: QPainterPath, _fills: QPainterPath) -> None:
    _heart_path(strokes)


def _heart_filled(_strokes: QPainterPath, fills: QPainterPath) -> None:
    _heart_path(fills)


def _search(strokes: QPainterPath, _fills: QPainterPath) -> None:
    strokes.addEllipse(QPointF(7, 7), 4.4, 4.4)
    _lines(strokes, (10.3, 10.3), (13.6, 13.6))


def _back(strokes: QPainterPath, _fills: QPainterPath) -> None:
    _lines(strokes, (10, 3.5), (5.5, 8), (10, 12.5))


def _forward(strokes: QPainterPath, _fills: QPainterPath) -> None:
    _lines(strokes, (6, 3.5), (10.5, 8), (6, 12.5))


ICONS: dict[str, Callable[[QPainterPath, QPainterPath], None]] = {
    "back": _back,
    "brush": _brush,
    "check": _check,
    "chevron": _chevron,
    "close": _close,
    "dice": _dice,
    "eraser": _eraser,
    "folder": _folder,
    "forward": _forward,
    "heart": _heart,
    "heart filled": _heart_filled,
    "lock": _lock,
    "lock open": _lock_open,
    "minus": _minus,
    "more": _more,
    "panel": _panel,
    "panel hidden": _panel_hidden,
    "picture": _picture,
    "plus": _plus,
    "redo": _redo,
    "search": _search,
    "sparkle": _sparkle,
    "stop": _stop,
    "undo": _undo,
    "warning": _warning,
}
"""Name: what adds its strokes and its filled parts."""
