"""How controls are drawn: boxes with crisp lines, focus halos, soft shadows."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFocusEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget

from app.ui.theme import Theme
from app.ui.tokens import HALO, RADIUS

KEYBOARD = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)
"""Reasons of focus that show the halo: the keyboard's, never the mouse's."""


def body(widget: QWidget) -> QRectF:
    """The part of ``widget`` inside the room for its halo."""
    return QRectF(widget.rect()).adjusted(HALO, HALO, -HALO, -HALO)


def start(widget: QWidget) -> QPainter:
    """A painter on ``widget`` with smooth edges; call ``end`` on it."""
    painter = QPainter(widget)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(widget.font())
    return painter


def box(
    painter: QPainter,
    at: QRectF,
    fill: QColor | None,
    line: QColor | None = None,
    radius: float = RADIUS,
    width: float = 1.0,
) -> None:
    """A rounded box; ``line`` is drawn inside ``at``, on whole pixels."""
    painter.setBrush(fill if fill is not None else Qt.BrushStyle.NoBrush)
    if line is None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawRoundedRect(at, radius, radius)
        return
    painter.setPen(QPen(line, width))
    half = width / 2
    painter.drawRoundedRect(at.adjusted(half, half, -half, -half), radius - half, radius - half)


def halo(painter: QPainter, at: QRectF, theme: Theme, radius: float = RADIUS) -> None:
    """The focus halo around ``at``: an accent line and three soft pixels outside it."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme.colour("accent", 78 if not theme.tokens.dark else 96), HALO))
    half = HALO / 2
    outer = at.adjusted(-half, -half, half, half)
    painter.drawRoundedRect(outer, radius + half, radius + half)
    box(painter, at, None, theme.colour("accent"), radius)


def shadow(painter: QPainter, at: QRectF, theme: Theme, radius: float, reach: int = 14) -> None:
    """A soft shadow under ``at``, ``reach`` pixels wide; cheap rings instead of a blur."""
    painter.setPen(Qt.PenStyle.NoPen)
    strength = 5.0 if theme.tokens.dark else 2.2
    for i in range(reach, 0, -2):
        painter.setBrush(QColor(0, 0, 0, max(1, round(strength * (1 - i / (reach + 1)) + 1))))
        ring = at.adjusted(-i, -i + 3, i, i + 3)
        painter.drawRoundedRect(ring, radius + i, radius + i)


class KeyboardFocus:
    """Mix-in for QWidgets: ``keyboard_focus`` is true while the halo should be seen."""

    keyboard_focus = False

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 (Qt's name)
        self.keyboard_focus = event.reason() in KEYBOARD
        super().focusInEvent(event)  # type: ignore[misc]
        self.update()  # type: ignore[attr-defined]

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 (Qt's name)
        self.keyboard_focus = False
        super().focusOutEvent(event)  # type: ignore[misc]
        self.update()  # type: ignore[attr-defined]
