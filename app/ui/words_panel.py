"""Words by group, to put into the prompt with a click."""

from __future__ import annotations

import random
from typing import Protocol

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPaintEvent, QResizeEvent, QShowEvent, QTextCursor
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.ui.controls.button import Button, DrawnButton
from app.ui.controls.drawing import body, box, halo, start
from app.ui.controls.segments import Segments
from app.ui.controls.words import Words
from app.ui.theme import Theme
from app.ui.tokens import HALO
from app.ui.words import Group, phrase_of

_ROWS_SHOWN = 3
_ROOMY = 700
_CHIP = 24
_GAP = 2


class WordSource(Protocol):
    """Words by group: what a small model knows, or the palette."""

    note: str

    @property
    def groups(self) -> tuple[tuple[str, Group], ...]: ...

    def of(self, group: Group) -> tuple[str, ...]: ...

    def surprise(self, draw: random.Random) -> str: ...


class WordsPanel(QWidget):
    """Words by group, and Surprise Me.

    ``picked`` carries what to put into the prompt, ``surprised`` a whole new prompt.
    """

    picked = Signal(str)
    surprised = Signal(str)

    def __init__(self, theme: Theme, words: WordSource, draw: random.Random) -> None:
        """``words`` must have a group; ``draw`` is where surprises come from."""
        super().__init__()
        self._words = words
        self._draw = draw
        self._theme = theme
        self.groups = words.groups
        self.group = self._segments()
        self.chips = Chips(theme)
        self.surprise = Button(theme, "Surprise me", "soft", icon="dice", parent=self)
        self.surprise.setToolTip("Write a prompt of such words")
        self._lay_out()
        self.chips.picked.connect(self._pick)
        self.surprise.clicked.connect(self.surprise_me)
        self.setFocusProxy(self.surprise)
        self.group.choose(0)
        self._show_group(0)

    def show_words(self, words: WordSource) -> None:
        """Other words in place of these."""
        if words is self._words:
            return
        self._words, self.groups = words, words.groups
        old, self.group = self.group, self._segments()
        self._top.replaceWidget(old, self.group)
        old.hide()
        old.deleteLater()
        self.setTabOrder(self.group, self.surprise)
        self._note.setText(words.note)
        self.group.choose(0)
        self._show_group(0)
        self._fit()

    def _segments(self) -> Segments:
        made = Segments(self._theme, "Words", tuple(title for title, _ in self.groups))
        made.chosen.connect(self._show_group)
        return made

    def _lay_out(self) -> None:
        self._note = Words(self._theme, self._words.note, "secondary", "dim", wrap=True)
        self._top = top = QHBoxLayout()
        top.addWidget(self.group)
        top.addStretch(1)
        top.addWidget(self.surprise)
        self._scroll = QScrollArea(self)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self.chips)
        self._scroll.viewport().setAutoFillBackground(False)
        self.chips.setAutoFillBackground(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self._scroll)
        column.addWidget(self._note)

    def surprise_me(self) -> None:
        """Draw a prompt of these words."""
        self.surprised.emit(self._words.surprise(self._draw))

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        super().showEvent(event)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """A low window has room for one row of words, and says the rest in a tool tip."""
        roomy = self.window().height() >= _ROOMY
        rows = _ROWS_SHOWN if roomy else 1
        peek = 12 if roomy else 0  # the next row's top says that there is more
        self._scroll.setFixedHeight(rows * (_CHIP + 2 * HALO + _GAP) + peek)
        self._note.setVisible(roomy)
        self.group.setToolTip("" if roomy else self._words.note)

    def _show_group(self, index: int) -> None:
        self.chips.show_words(self._words.of(self.groups[index][1]))
        self._scroll.verticalScrollBar().setValue(0)

    def _pick(self, word: str) -> None:
        self.picked.emit(phrase_of(word, self.groups[self.group.index()][1]))


class Chips(QWidget):
    """Words one can press, flowing in rows. One stop for Tab; the arrow keys go on from there."""

    picked = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._chips: list[_Chip] = []

    def show_words(self, words: tuple[str, ...]) -> None:
        """Other words in place of these."""
        for chip in self._chips:
            chip.hide()
            chip.deleteLater()
        self._chips = [self._chip(word) for word in words]
        self._only_stop(0)
        self._flow()

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(chip.text() for chip in self._chips)

    def press(self, word: str) -> None:
        """As a click on ``word``."""
        self._chips[self.words.index(word)].click()

    def _chip(self, word: str) -> _Chip:
        chip = _Chip(self._theme, word, self)
        chip.clicked.connect(lambda: self.picked.emit(word))
        chip.show()
        return chip

    def _only_stop(self, at: int) -> None:
        for index, chip in enumerate(self._chips):
            chip.setFocusPolicy(
                Qt.FocusPolicy.StrongFocus if index == at else Qt.FocusPolicy.ClickFocus
            )

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        by = {
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Down: self._row_length(),
            Qt.Key.Key_Up: -self._row_length(),
        }.get(Qt.Key(event.key()))
        focused = next((i for i, chip in enumerate(self._chips) if chip.hasFocus()), None)
        if by is None or focused is None:
            super().keyPressEvent(event)
            return
        to = min(max(0, focused + by), len(self._chips) - 1)
        self._only_stop(to)
        self._chips[to].setFocus(Qt.FocusReason.TabFocusReason)
        self._reveal(self._chips[to])

    def _row_length(self) -> int:
        first = self._chips[0].y() if self._chips else 0
        return max(1, sum(chip.y() == first for chip in self._chips))

    def _reveal(self, chip: _Chip) -> None:
        viewport = self.parentWidget()
        area = viewport.parentWidget() if viewport is not None else None
        if isinstance(area, QScrollArea):
            area.ensureWidgetVisible(chip, 0, 8)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        super().resizeEvent(event)
        self._flow()

    def _flow(self) -> None:
        at = QPoint(0, 0)
        height = _CHIP + 2 * HALO
        for chip in self._chips:
            size = chip.sizeHint()
            if at.x() and at.x() + size.width() > self.width():
                at = QPoint(0, at.y() + height + _GAP)
            chip.setGeometry(at.x(), at.y(), size.width(), size.height())
            at.setX(at.x() + size.width() + _GAP)
        self.setMinimumHeight(at.y() + height)


class _Chip(DrawnButton):
    def __init__(self, theme: Theme, word: str, parent: QWidget) -> None:
        super().__init__(theme, word, parent)
        self.setText(word)
        self.setFont(theme.font("secondary"))

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        width = self.fontMetrics().horizontalAdvance(self.text()) + 20
        return QSize(width + 2 * HALO, _CHIP + 2 * HALO)

    def keyPressEvent(self, event: QEvent) -> None:  # noqa: N802 (Qt's name)
        if isinstance(event, QKeyEvent) and event.key() in _ARROWS:
            event.ignore()  # QAbstractButton would move the focus by itself
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002 (Qt's name)
        painter = start(self)
        at, colour = body(self), self.theme.colour
        fill = colour("soft") if self.hovered or self.isDown() else colour("sunken")
        box(painter, at, fill, None, _CHIP / 2)
        if self.keyboard_focus:
            halo(painter, at, self.theme, _CHIP / 2)
        painter.setPen(colour("text"))
        painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignCenter, self.text())
        painter.end()


_ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)


def insert_words(editor: QTextEdit, words: str, *, listed: bool = False) -> None:
    """Put ``words`` where the cursor is, with the spaces a sentence needs. Undoable.

    ``listed``: with the comma that a list needs, too.
    """
    cursor = editor.textCursor()
    cursor.setPosition(cursor.selectionEnd())
    before, after = QTextCursor(cursor), QTextCursor(cursor)
    before.movePosition(QTextCursor.MoveOperation.Left, QTextCursor.MoveMode.KeepAnchor)
    after.movePosition(QTextCursor.MoveOperation.Right, QTextCursor.MoveMode.KeepAnchor)
    left = " " if before.selectedText().strip() else ""
    if listed:
        so_far = QTextCursor(cursor)
        so_far.movePosition(QTextCursor.MoveOperation.Start, QTextCursor.MoveMode.KeepAnchor)
        text = so_far.selectedText().rstrip(" ")
        spaces = len(so_far.selectedText()) - len(text)
        keep = QTextCursor.MoveMode.KeepAnchor
        cursor.movePosition(QTextCursor.MoveOperation.Left, keep, spaces)
        left = "" if not text.strip() or text.endswith("(") else ", "
        left = " " if text.endswith(",") else left
    right = " " if after.selectedText().strip(" ,.;\u2029") else ""
    cursor.insertText(f"{left}{words}{right}")
    editor.setTextCursor(cursor)
