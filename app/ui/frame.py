"""The frame of the window: where each part lies. Empty places are painted, so that the first paint
already has the window's face while its parts are still being made."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.ui.theme import Theme
from app.ui.tokens import CARD_RADIUS, HALO, INSPECTOR, TOOLBAR


class _Place(QWidget):
    """Room for a part that is not there yet."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self._name = name
        if name == "toolbar":
            self.setFixedHeight(TOOLBAR)
        elif name == "inspector":
            self.setFixedWidth(INSPECTOR)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = QPainter(self)
        colour = self._theme.colour
        if self._name == "toolbar":
            painter.fillRect(0, self.height() - 1, self.width(), 1, colour("line"))
        elif self._name == "inspector":
            painter.fillRect(0, 0, 1, self.height(), colour("line"))
        else:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour("canvas"))
            painter.drawRoundedRect(QRectF(self.rect()), CARD_RADIUS, CARD_RADIUS)
        painter.end()


class Frame(QWidget):
    """Toolbar on top; prompt, canvas and filmstrip on the left; inspector on the right."""

    def __init__(self, theme: Theme, prompt: QWidget, inspector_shown: bool) -> None:
        super().__init__()
        self._places = {name: _Place(theme, name) for name in ("toolbar", "canvas", "inspector")}
        self._left = QVBoxLayout()
        self._left.setContentsMargins(16, 16 - HALO, 16, 14)
        self._left.setSpacing(0)
        # Each part has its own room for halos and rings; what is seen of them lines up at 20.
        for part, room, gap in ((prompt, 1, 15 - HALO), (self._places["canvas"], 4, 12)):
            row = QHBoxLayout()
            row.setContentsMargins(room, 0, room, 0)
            row.addWidget(part)
            self._left.addLayout(row, 0 if part is prompt else 1)
            self._left.addSpacing(gap)
        self._body = QWidget()
        self._row = body = QHBoxLayout(self._body)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(0)
        body.addLayout(self._left, 1)
        body.addWidget(self._places["inspector"])
        self._places["inspector"].setVisible(inspector_shown)
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._places["toolbar"])
        column.addWidget(self._body, 1)

    def fill(
        self, toolbar: QWidget, canvas: QWidget, filmstrip: QWidget, inspector: QWidget
    ) -> None:
        """Put the parts in their places. Once."""
        for name, part in (("toolbar", toolbar), ("canvas", canvas), ("inspector", inspector)):
            place = self._places.pop(name)
            part.setVisible(not place.isHidden())
            (self._column if name == "toolbar" else self._row).replaceWidget(place, part)
            place.hide()
            place.deleteLater()
        self._left.addWidget(filmstrip)

    def add_page(self, page: QWidget) -> None:
        """Another view in the place of all that is under the toolbar; hidden for now."""
        page.hide()
        self._column.addWidget(page, 1)

    def show_body(self, shown: bool) -> None:
        """Show what is under the toolbar, or leave the place to a page."""
        self._body.setVisible(shown)
