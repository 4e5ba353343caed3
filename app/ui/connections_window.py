"""Every connection that Easel ever made: when, with whom, what for, how much came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import QDateTime, QLocale, QRectF, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.messages import shown, size_text
from app.ui.controls.button import Button
from app.ui.controls.drawing import box, start
from app.ui.controls.words import Words
from app.ui.theme import Theme
from app.ui.tokens import CARD_RADIUS, HALO
from app.weights.ledger import Connection

_EDGE = 28
NEVER = "Easel has never made a connection."
ABOUT = (
    "Easel goes online only to get a model you asked for, or to look for a newer Easel when you "
    "ask for that. Each connection is written down here."
)


class ConnectionsWindow(QDialog):
    """A plain list, the newest first."""

    def __init__(self, theme: Theme, connections: Sequence[Connection], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Connections")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.empty = Words(theme, NEVER, "body", "dim")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.list = _list(connections)
        self.list.setFont(theme.font("secondary"))
        self.list.header().setFont(theme.font("label"))
        self.card = _Card(theme, self.list)
        self.card.setVisible(bool(connections))
        self.empty.setVisible(not connections)
        done = Button(theme, "Done", "quiet")
        done.clicked.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(_EDGE, 24, _EDGE - HALO, 20)
        column.setSpacing(8)
        column.addWidget(Words(theme, "Connections", "title"))
        column.addWidget(Words(theme, ABOUT, "secondary", "dim", wrap=True))
        card = QHBoxLayout()
        card.setContentsMargins(0, 4, HALO, 4)
        card.addWidget(self.card)
        column.addLayout(card, 1)
        column.addWidget(self.empty, 1)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(done)
        column.addLayout(foot)
        self.resize(860, 520)


class _Card(QWidget):
    """The ground that the list lies on."""

    def __init__(self, theme: Theme, inside: QWidget) -> None:
        super().__init__()
        self._theme = theme
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 4, 6, 6)
        column.addWidget(inside)
        theme.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        colour = self._theme.colour
        box(painter, QRectF(self.rect()), colour("surface"), colour("line"), CARD_RADIUS)
        painter.end()


def _list(connections: Sequence[Connection]) -> QTreeWidget:
    made = QTreeWidget()
    made.setAccessibleName("Connections")
    made.setHeaderLabels(["When", "With", "Received", "What for"])
    made.setRootIsDecorated(False)
    made.setUniformRowHeights(True)
    made.setFrameShape(QFrame.Shape.NoFrame)
    made.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    made.viewport().setAutoFillBackground(False)
    right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    made.headerItem().setTextAlignment(2, right)
    for one in reversed(connections):
        words = [_when(one.when), shown(one.host), size_text(one.received), shown(one.why)]
        item = QTreeWidgetItem(words)
        item.setTextAlignment(2, right)
        item.setToolTip(3, words[3])
        made.addTopLevelItem(item)
    for column in range(3):
        made.header().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
    return made


def _when(moment: str) -> str:
    """In the person's own time zone and way of writing."""
    try:
        local = datetime.fromisoformat(moment).astimezone()
    except ValueError:
        return shown(moment)
    at = QDateTime.fromSecsSinceEpoch(int(local.timestamp()))
    return QLocale().toString(at, QLocale.FormatType.ShortFormat)
