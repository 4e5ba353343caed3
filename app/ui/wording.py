"""The model's words in the prompt bar: completion, marks, the panel, and surprises."""

from __future__ import annotations

import random

from PySide6.QtCore import QObject

from app.core.model import Vocabulary
from app.ui.completion import Completion
from app.ui.controls.words import Words
from app.ui.panel import Panel
from app.ui.prompt_bar import PromptBar
from app.ui.theme import Theme
from app.ui.unknown_words import UnknownWords
from app.ui.words import KnownWords
from app.ui.words_panel import WordsPanel, insert_words


class Wording(QObject):
    """Helps with the words of a small model; does nothing for one that knows them all."""

    def __init__(self, theme: Theme, prompt: PromptBar, draw: random.Random) -> None:
        super().__init__(prompt)
        self._theme = theme
        self._prompt = prompt
        self._draw = draw
        self._words: KnownWords | None = None
        self.panel: WordsPanel | None = None
        self.fold: Panel | None = None
        self.note = Words(theme, "", "secondary", "warn", wrap=True)
        self.note.setContentsMargins(0, 2, 0, 8)
        self.note.hide()
        prompt.add_note(self.note)
        self.completion = Completion(prompt.editor, theme)
        self.unknown = UnknownWords(prompt.editor, theme)
        self.unknown.noted.connect(self._tell)

    @property
    def words(self) -> KnownWords | None:
        """What the model knows; None when that is everything."""
        return self._words

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """The words of the model that draws; an empty vocabulary means: all words."""
        words = KnownWords(vocabulary)
        self._words = words if words else None
        self.completion.set_words(self._words)
        self.unknown.set_words(self._words)
        if self._words is not None and self.fold is None:
            self._add_panel(self._words)
        if self.fold is not None:
            if self._words is None:
                self.fold.close_panel()
            self.fold.link.setVisible(self._words is not None)

    def surprise(self) -> str:
        """A prompt of known words, put into the box; "" for a model that knows every word."""
        if self._words is None:
            return ""
        prompt = self._words.surprise(self._draw)
        self._put(prompt)
        return prompt

    def _add_panel(self, words: KnownWords) -> None:
        self.panel = WordsPanel(self._theme, words, self._draw)
        self.panel.picked.connect(self._insert)
        self.panel.surprised.connect(self._put)
        self.fold = self._prompt.add_panel(
            "Words", self.panel, "The words the small built-in model knows"
        )

    def _insert(self, words: str) -> None:
        insert_words(self._prompt.editor, words)

    def _put(self, prompt: str) -> None:
        self._prompt.set_text(prompt)
        self.unknown.look()

    def _tell(self, note: str) -> None:
        self.note.setText(note)
        self.note.setVisible(bool(note))
