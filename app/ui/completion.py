"""Completes the word being typed from what the small model knows; never in the way."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import (
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QTextCursor,
)
from PySide6.QtWidgets import QTextEdit, QWidget

from app.ui.text_places import to_python, to_qt
from app.ui.theme import Theme
from app.ui.tokens import RADIUS
from app.ui.words import Completions, Offer

ROW = 28
_SIDE = 12
_NARROWEST = 200
_EDGE = 5
GROUP_MARK = "/"
"""An offer that begins with it is a group: taking it offers the words of that group."""


class Completer(Protocol):
    """What words come from; false when there are none."""

    def __bool__(self) -> bool: ...

    def completions(self, text: str, cursor: int) -> Completions:
        """Offers for what ends at ``cursor``; cheap enough for each key."""
        ...


def _kind(offer: Offer) -> str:
    if offer.text.startswith(GROUP_MARK):
        return f"{offer.means}…"
    return f"= {offer.means}" if offer.means else offer.group.value


class OfferList(QWidget):
    """The list under the cursor: a child of the window, so that it never takes the focus.

    The word on the left, quietly on the right what it is.
    """

    chosen = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._now = Completions()
        self._current = 0
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Words to put in")
        self.hide()

    @property
    def current(self) -> Offer:
        return self._now.offers[self._current]

    def offer(self, completions: Completions) -> None:
        """Show ``completions`` (not empty), the first selected."""
        self._now = completions
        metrics = QFontMetrics(self._theme.font("body"))
        words = max(metrics.horizontalAdvance(x.text + _kind(x)) for x in completions.offers)
        width = max(_NARROWEST, words + 2 * (_EDGE + _SIDE) + 32)
        self.resize(width, ROW * len(completions.offers) + 2 * _EDGE)
        self._select(0)

    def step(self, by: int) -> None:
        """Select ``by`` rows on, around the ends."""
        self._select((self._current + by) % len(self._now.offers))

    def _select(self, row: int) -> None:
        self._current = row
        count = len(self._now.offers)
        self.setAccessibleDescription(
            f"{self.current.text}, {self.current.group.value}, {row + 1} of {count}"
        )
        self.update()

    def _row_at(self, y: float) -> int:
        return max(0, min(len(self._now.offers) - 1, int((y - _EDGE) // ROW)))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self._select(self._row_at(event.position().y()))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self._select(self._row_at(event.position().y()))
        self.chosen.emit()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self._theme.colour("line"))
        painter.setBrush(self._theme.colour("surface"))
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(frame, RADIUS, RADIUS)
        for row, offer in enumerate(self._now.offers):
            rect = QRectF(_EDGE, _EDGE + row * ROW, self.width() - 2 * _EDGE, ROW)
            self._paint_row(painter, rect, offer, row == self._current)
        painter.end()

    def _paint_row(self, painter: QPainter, rect: QRectF, offer: Offer, current: bool) -> None:
        theme = self._theme
        if current:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("soft"))
            painter.drawRoundedRect(rect, 5, 5)
        inner = rect.adjusted(_SIDE, 0, -_SIDE, 0)
        left = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        # What is typed already stands back, what Tab would add stands out.
        begun = self._now.begun
        done = self._now.end - self._now.start if begun is None else begun
        painter.setFont(theme.font("body"))
        painter.setPen(theme.colour("dim"))
        painter.drawText(inner, left, offer.text[:done])
        width = QFontMetrics(theme.font("body")).horizontalAdvance(offer.text[:done])
        painter.setPen(theme.colour("text"))
        painter.drawText(inner.adjusted(width, 0, 0, 0), left, offer.text[done:])
        painter.setFont(theme.font("secondary"))
        painter.setPen(theme.colour("dim" if current else "faint"))
        painter.drawText(inner, right, _kind(offer))


class Completion(QObject):
    """Watches a prompt box and offers words.

    Tab or Enter takes the selected word, Up and Down select, Esc closes until another letter is
    typed. All other keys go to the prompt as ever.
    """

    taken = Signal(str)

    def __init__(self, editor: QTextEdit, theme: Theme, words: Completer | None = None) -> None:
        super().__init__(editor)
        self._editor = editor
        self._theme = theme
        self._words = words
        self._now = Completions()
        self._list: OfferList | None = None
        self._keyed = False
        """The change to come is one of typing, not of undo, of a paste or of a recipe."""
        editor.textChanged.connect(self._typed)
        editor.cursorPositionChanged.connect(self._cursor_moved)
        editor.installEventFilter(self)

    def set_words(self, words: Completer | None) -> None:
        """Complete from ``words``; None: nothing is offered."""
        self._words = words
        self.close()

    @property
    def open(self) -> bool:
        return self._list is not None and self._list.isVisible()

    @property
    def offered(self) -> tuple[Offer, ...]:
        return self._now.offers if self.open else ()

    def close(self) -> None:
        self._now = Completions()
        if self._list is not None:
            self._list.hide()

    def accept(self) -> None:
        """Put the selected word in place of what was typed of it."""
        if not self.open or self._list is None:
            return
        offer = self._list.current
        cursor = self._editor.textCursor()
        cursor.setPosition(to_qt(self._editor.toPlainText(), self._now.start))
        cursor.setPosition(
            to_qt(self._editor.toPlainText(), self._now.end), QTextCursor.MoveMode.KeepAnchor
        )
        self.close()
        is_group = offer.text.startswith(GROUP_MARK)
        cursor.insertText(offer.text)
        self._editor.setTextCursor(cursor)
        if is_group:
            self._keyed = True
            self._typed()
        else:
            self.taken.emit(offer.text)

    def _typed(self) -> None:
        keyed, self._keyed = self._keyed, False
        if not keyed or not self._words or not self._editor.hasFocus():
            self.close()
            return
        text = self._editor.toPlainText()
        place = to_python(text, self._editor.textCursor().position())
        now = self._words.completions(text, place)
        if not now.offers:
            self.close()
            return
        self._show(now)

    def _show(self, now: Completions) -> None:
        self._now = now
        window = self._editor.window()
        if self._list is None or self._list.parent() is not window:
            self._list = OfferList(self._theme, window)
            self._list.chosen.connect(self.accept)
        self._list.offer(now)
        # Under the first letter of the word, inside the window.
        cursor = self._editor.textCursor()
        cursor.setPosition(to_qt(self._editor.toPlainText(), now.start))
        spot = self._editor.cursorRect(cursor)
        at = self._editor.viewport().mapTo(window, spot.bottomLeft() + QPoint(-_SIDE - _EDGE, 6))
        right = window.width() - self._list.width() - 8
        if at.y() + self._list.height() > window.height() - 8:
            top = self._editor.viewport().mapTo(window, spot.topLeft())
            at.setY(top.y() - self._list.height() - 6)
        self._list.move(max(8, min(at.x(), right)), at.y())
        self._list.raise_()
        self._list.show()

    def _cursor_moved(self) -> None:
        place = to_python(self._editor.toPlainText(), self._editor.textCursor().position())
        if self.open and place != self._now.end:
            self.close()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if watched is not self._editor:
            return False
        if event.type() == QEvent.Type.InputMethod:
            self._keyed = True
        elif event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            typed = bool(event.text()) and event.text().isprintable()
            self._keyed = typed or event.key() == Qt.Key.Key_Backspace
        if not self.open:
            return False
        if event.type() == QEvent.Type.FocusOut:
            self.close()
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if _plain(event) and event.key() in _KEYS:
                event.accept()
                return True
        elif event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return _plain(event) and self._key(event.key())
        return False

    def _key(self, key: int) -> bool:
        if key in (Qt.Key.Key_Tab, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.accept()
        elif key == Qt.Key.Key_Escape:
            self.close()
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up) and self._list is not None:
            self._list.step(1 if key == Qt.Key.Key_Down else -1)
        else:
            return False
        return True


_KEYS = (
    Qt.Key.Key_Tab,
    Qt.Key.Key_Return,
    Qt.Key.Key_Enter,
    Qt.Key.Key_Escape,
    Qt.Key.Key_Down,
    Qt.Key.Key_Up,
)


def _plain(event: QKeyEvent) -> bool:
    return event.modifiers() in (
        Qt.KeyboardModifier.NoModifier,
        Qt.KeyboardModifier.KeypadModifier,
    )
