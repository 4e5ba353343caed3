"""How one picture of the grid is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter

from app.ui import icons
from app.ui.controls.drawing import box
from app.ui.theme import Theme
from app.ui.tokens import PICTURE_RADIUS

if TYPE_CHECKING:
    from app.ui.gallery.grid import Grid

RIM = 9
"""Room around a picture, for its ring and to the next."""
LEAST = 144 + 2 * RIM
"""Points of a cell."""
HEART = 26


class Tiles:
    """Draws what has come of a picture, its heart, its ring, and the day that begins with it."""

    def __init__(self, theme: Theme, grid: Grid) -> None:
        self._theme = theme
        self._grid = grid

    def paint(self, painter: QPainter, cell: QRect, row: int, selected: bool) -> None:
        """That row of the model, into ``cell``."""
        grid = self._grid
        entry = grid.pictures.entry(row)
        if entry is None:
            return
        image = grid.thumbs.get(entry)
        at = picture_rect(cell, entry.width, entry.height)
        if selected:
            self._ring(painter, QRectF(at), row)
        elif grid.keyboard_focus and row == grid.currentIndex().row():
            around = QRectF(at).adjusted(-3.5, -3.5, 3.5, 3.5)
            box(painter, around, None, self._theme.colour("ghost"), PICTURE_RADIUS + 3.5, 2)
        if image is not None:
            painter.drawImage(at, image)
        else:
            self._place(painter, QRectF(at), grid.thumbs.failed(entry))
        if entry.favourite or row == grid.hovered_row:
            self._heart(painter, QRectF(heart_rect(cell)), entry.favourite)
        day = grid.pictures.day(row)
        if day:
            self._day(painter, cell, day)

    def _ring(self, painter: QPainter, at: QRectF, row: int) -> None:
        grid, colour = self._grid, self._theme.colour
        if grid.keyboard_focus and row == grid.currentIndex().row():
            outer = at.adjusted(-7, -7, 7, 7)
            box(painter, outer, None, colour("accent", 90), PICTURE_RADIUS + 7, 4)
        around = at.adjusted(-4, -4, 4, 4)
        box(painter, around, colour("soft"), colour("accent"), PICTURE_RADIUS + 4, 2)

    def _place(self, painter: QPainter, at: QRectF, failed: bool) -> None:
        colour = self._theme.colour
        box(painter, at, colour("sunken"), colour("line") if failed else None, PICTURE_RADIUS)
        if failed:
            middle = at.center()
            where = QRectF(middle.x() - 10, middle.y() - 10, 20, 20)
            icons.paint(painter, "warning", where, colour("faint"))

    def _heart(self, painter: QPainter, at: QRectF, filled: bool) -> None:
        spot = at.adjusted(2, 2, -2, -2)
        box(painter, spot, QColor(20, 18, 16, 150), None, spot.width() / 2)
        name = "heart filled" if filled else "heart"
        icons.paint(painter, name, spot.adjusted(4, 4, -4, -4), QColor("#FFFFFF"))

    def _day(self, painter: QPainter, cell: QRect, day: str) -> None:
        font = self._theme.font("label")
        metrics = QFontMetrics(font)
        widest = cell.width() - 2 * RIM - 12 - 14
        text = metrics.elidedText(day, Qt.TextElideMode.ElideRight, widest)
        width = metrics.horizontalAdvance(text) + 14
        at = QRectF(cell.left() + RIM + 6, cell.top() + RIM + 6, width, 20)
        box(painter, at, self._theme.colour("surface", 235), self._theme.colour("line"), 10)
        painter.setFont(font)
        painter.setPen(self._theme.colour("text"))
        painter.drawText(at, Qt.AlignmentFlag.AlignCenter, text)


def picture_rect(cell: QRect, width: int, height: int) -> QRect:
    """Where a picture of that shape lies in its cell: whole, in the middle."""
    side = cell.width() - 2 * RIM
    scale = min(side / max(1, width), side / max(1, height))
    size = QSize(max(1, round(width * scale)), max(1, round(height * scale)))
    left = cell.left() + (cell.width() - size.width()) // 2
    return QRect(left, cell.top() + (cell.height() - size.height()) // 2, *size.toTuple())


def heart_rect(cell: QRect) -> QRect:
    """Where the heart lies in a cell: always in the same corner, whatever the picture's shape."""
    room = RIM + HEART + 4
    return QRect(cell.right() - room, cell.bottom() - room, HEART, HEART)
