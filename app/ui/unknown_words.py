"""Quietly marks the words of a prompt that the small built-in model was never shown."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit

from app.ui.text_places import to_python, to_qt
from app.ui.theme import Theme
from app.ui.words import KnownWords, about_unknown

PAUSE_MS = 300
"""Nothing is marked while one types: only once the keys rest."""

READ = 4000
"""Characters looked at; far more than the model reads."""


class UnknownWords(QObject):
    """Dots under unknown words of ``editor``, and ``noted`` with one sentence on them."""

    noted = Signal(str)

    def __init__(self, editor: QTextEdit, theme: Theme, words: KnownWords | None = None) -> None:
        super().__init__(editor)
        self._editor = editor
        self._theme = theme
        self._words = words
        self._note = ""
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(PAUSE_MS)
        self._rest.timeout.connect(self.look)
        editor.textChanged.connect(self._rest.start)
        theme.changed.connect(self.look)

    @property
    def note(self) -> str:
        return self._note

    def set_words(self, words: KnownWords | None) -> None:
        """Judge by ``words``; None: the model knows any word, so nothing is marked."""
        self._words = words
        self.look()

    def look(self) -> None:
        """Mark now."""
        self._rest.stop()
        if not self._words:
            self._tell([], "")
            return
        text = self._editor.toPlainText()[:READ]
        cursor = None
        if self._editor.hasFocus():
            cursor = to_python(text, self._editor.textCursor().position())
        marks = []
        style = QTextCharFormat()
        style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
        style.setUnderlineColor(self._theme.colour("warn"))
        for span in self._words.unknown(text, cursor):
            mark = QTextEdit.ExtraSelection()
            place = QTextCursor(self._editor.document())
            place.setPosition(to_qt(text, span.start))
            place.setPosition(
                to_qt(text, span.start + len(span.word)), QTextCursor.MoveMode.KeepAnchor
            )
            mark.cursor = place
            mark.format = style
            marks.append(mark)
        self._tell(marks, about_unknown(self._words, text, cursor))

    def _tell(self, marks: list[QTextEdit.ExtraSelection], note: str) -> None:
        self._editor.setExtraSelections(marks)
        if note != self._note:
            self._note = note
            self.noted.emit(note)
