"""A slider: a thin track, filled with the accent up to a round handle."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPaintEvent, QPen
from PySide6.QtWidgets import QSlider, QWidget

from app.ui.controls.drawing import KeyboardFocus, box, start
from app.ui.theme import Theme
from app.ui.tokens import HALO

_HANDLE = 18.0


class Slider(KeyboardFocus, QSlider):
    """A horizontal slider over whole numbers; a press on the track goes there at once."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.theme = theme
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return QSize(120, int(_HANDLE) + 2 * HALO)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return QSize(60, int(_HANDLE) + 2 * HALO)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        colour = self.theme.colour
        middle, at = self.height() / 2, self._handle_at()
        track = QRectF(HALO, middle - 2, self.width() - 2 * HALO, 4)
        box(painter, track, colour("line") if self.theme.tokens.dark else colour("sunken"), None, 2)
        enabled = self.isEnabled()
        if self._mirrored():
            filled = QRectF(at, middle - 2, track.right() - at, 4)
        else:
            filled = QRectF(track.left(), middle - 2, at - track.left(), 4)
        box(painter, filled, colour("accent" if enabled else "ghost"), None, 2)
        knob = QPointF(at, middle)
        if self.keyboard_focus:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour("accent", 80))
            painter.drawEllipse(knob, _HANDLE / 2 + 3, _HANDLE / 2 + 3)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 26))
        painter.drawEllipse(knob + QPointF(0, 1), _HANDLE / 2 + 0.5, _HANDLE / 2 + 0.5)
        painter.setBrush(QColor("#FFFFFF") if not self.theme.tokens.dark else QColor("#F3F0EC"))
        edge = colour("accent") if self.keyboard_focus else QColor(0, 0, 0, 40)
        painter.setPen(QPen(edge, 1))
        painter.drawEllipse(knob, _HANDLE / 2 - 0.5, _HANDLE / 2 - 0.5)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        if event.button() is Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self.setSliderPosition(self._value_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        if self.isSliderDown():
            self.setSliderPosition(self._value_at(event.position().x()))

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        self.setSliderDown(False)

    def _mirrored(self) -> bool:
        return self.layoutDirection() is Qt.LayoutDirection.RightToLeft

    def _span(self) -> tuple[float, float]:
        edge = HALO + _HANDLE / 2
        return edge, max(1.0, self.width() - 2 * edge)

    def _handle_at(self) -> float:
        first, length = self._span()
        part = (self.sliderPosition() - self.minimum()) / max(1, self.maximum() - self.minimum())
        return first + length * (1 - part if self._mirrored() else part)

    def _value_at(self, x: float) -> int:
        first, length = self._span()
        part = min(1.0, max(0.0, (x - first) / length))
        part = 1 - part if self._mirrored() else part
        return self.minimum() + round(part * (self.maximum() - self.minimum()))
