"""Help > Keyboard Shortcuts: what the keys do, read from the menus so that it is true."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.ui.controls.button import Button
from app.ui.controls.words import Words
from app.ui.theme import Theme
from app.ui.tokens import HALO

_EDGE = 28

Line = tuple[str, str]
"""What it does, and its keys as the system writes them."""

_PROMPT = (
    ("Words to put in", "/"),
    ("Take the word that is offered", "Tab"),
    ("An earlier prompt", "Alt+Up"),
    ("A later prompt", "Alt+Down"),
    ("To the next control", "Tab"),
)


class ShortcutsWindow(QDialog):
    """A list by menu; goes when it is closed."""

    def __init__(self, theme: Theme, window: QMainWindow) -> None:
        super().__init__(window)
        self.setWindowTitle("Keyboard Shortcuts")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.groups = shortcuts(window)
        done = Button(theme, "Done", "quiet")
        done.clicked.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(_EDGE - HALO, 24, _EDGE - HALO, 20)
        column.setSpacing(8)
        title = Words(theme, "Keyboard shortcuts", "title")
        title.setContentsMargins(HALO, 0, 0, 0)
        column.addWidget(title)
        column.addWidget(_scrolled(_listed(theme, self.groups)), 1)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(done)
        column.addLayout(foot)
        self.resize(460, 640)


def shortcuts(window: QMainWindow) -> dict[str, list[Line]]:
    """Every action of the menu bar that has keys, by menu; then what the prompt answers to."""
    groups: dict[str, list[Line]] = {}
    for top in window.menuBar().actions():
        menu = top.menu()
        if isinstance(menu, QMenu):
            lines = [(_plain(action.text()), _keys(action)) for action in _with_keys(menu)]
            if lines:
                groups[top.text()] = lines
    groups["In the prompt"] = [(does, _native(keys)) for does, keys in _PROMPT]
    return groups


def _with_keys(menu: QMenu) -> Iterator[QAction]:
    for action in menu.actions():
        below = action.menu()
        if isinstance(below, QMenu):
            yield from _with_keys(below)
        elif action.shortcuts():
            yield action


def _keys(action: QAction) -> str:
    return "  ".join(
        keys.toString(QKeySequence.SequenceFormat.NativeText) for keys in action.shortcuts()[:2]
    )


def _native(keys: str) -> str:
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)


def _plain(text: str) -> str:
    return text.replace("&", "").rstrip("…")


def _listed(theme: Theme, groups: dict[str, list[Line]]) -> QWidget:
    inside = QWidget()
    grid = QGridLayout(inside)
    grid.setContentsMargins(HALO, 0, 16, 8)
    grid.setVerticalSpacing(6)
    grid.setColumnStretch(0, 1)
    row = 0
    for title, lines in groups.items():
        heading = Words(theme, title, "label", "dim")
        heading.setContentsMargins(0, 10 if row else 0, 0, 0)
        grid.addWidget(heading, row, 0, 1, 2)
        row += 1
        for does, keys in lines:
            told = Words(theme, does)
            told.setAccessibleName(f"{does}: {keys}")
            grid.addWidget(told, row, 0)
            shown = Words(theme, keys, "medium", "dim")
            shown.setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(shown, row, 1)
            row += 1
    grid.setRowStretch(row, 1)
    return inside


def _scrolled(inside: QWidget) -> QScrollArea:
    scroll = QScrollArea()
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setWidgetResizable(True)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setAccessibleName("Keyboard shortcuts")
    scroll.setWidget(inside)
    for layer in (scroll.viewport(), inside):
        layer.setAutoFillBackground(False)
    return scroll
