"""A box to tick, with words beside it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPaintEvent

from app.ui import icons
from app.ui.controls.button import DrawnButton
from app.ui.controls.drawing import box, halo, start
from app.ui.theme import Theme
from app.ui.tokens import CONTROL, HALO

_SIDE = 18
_GAP = 9


class Tick(DrawnButton):
    """Empty until it is ticked; a click on the words counts."""

    def __init__(self, theme: Theme, text: str) -> None:
        super().__init__(theme, text)
        self.setText(text)
        self.setCheckable(True)

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        words = self.fontMetrics().horizontalAdvance(self.text())
        return QSize(2 * HALO + _SIDE + _GAP + words + 2, CONTROL + 2 * HALO)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        colour = self.theme.colour
        mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        left = self.width() - HALO - _SIDE if mirrored else HALO
        at = QRectF(left, (self.height() - _SIDE) / 2, _SIDE, _SIDE)
        if self.isChecked():
            box(painter, at, colour("accent"), None, 5.0)
            icons.paint(painter, "check", at.adjusted(2, 2, -2, -2), colour("on_accent"))
        else:
            line = colour("dim" if self.hovered else "faint")
            box(painter, at, colour("surface"), line, 5.0)
        if self.keyboard_focus:
            halo(painter, at, self.theme, 5.0)
        painter.setPen(colour("text"))
        room = QRectF(self.rect())
        room = (
            room.adjusted(0, 0, -(HALO + _SIDE + _GAP), 0)
            if mirrored
            else room.adjusted(HALO + _SIDE + _GAP, 0, 0, 0)
        )
        aligned = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading
        painter.drawText(room, int(aligned), self.text())
        painter.end()
