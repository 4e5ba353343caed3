"""Words in the prompt bar: completion, marks, the panel of words, and surprises."""

from __future__ import annotations

import random

from PySide6.QtCore import QObject

from app.core.model import Vocabulary
from app.ui.completion import Completion
from app.ui.controls.words import Words
from app.ui.palette import Palette
from app.ui.panel import Panel
from app.ui.prompt_bar import PromptBar
from app.ui.theme import Theme
from app.ui.unknown_words import UnknownWords
from app.ui.words import KnownWords
from app.ui.words_panel import WordsPanel, insert_words

_TIP = "Words to put into the prompt; / finds them while you type"


class Wording(QObject):
    """Helps with the words of a small model, and for one that knows them all with a palette."""

    def __init__(
        self, theme: Theme, prompt: PromptBar, draw: random.Random, palette: Palette
    ) -> None:
        super().__init__(prompt)
        self._theme = theme
        self._prompt = prompt
        self._draw = draw
        self._palette = palette
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
        known = KnownWords(vocabulary)
        self._words = known if known else None
        source = known if known else self._palette
        self.completion.set_words(source if source else None)
        self.unknown.set_words(self._words)
        if source:
            self._show(source)
        if self.fold is not None:
            if not source:
                self.fold.close_panel()
            self.fold.link.setVisible(bool(source))

    def surprise(self) -> str:
        """A prompt of known words, put into the box; "" for a model that knows every word."""
        if self._words is None:
            return ""
        prompt = self._words.surprise(self._draw)
        self._put(prompt)
        return prompt

    def _show(self, source: KnownWords | Palette) -> None:
        if self.panel is not None:
            self.panel.show_words(source)
            return
        self.panel = WordsPanel(self._theme, source, self._draw)
        self.panel.picked.connect(self._insert)
        self.panel.surprised.connect(self._put)
        self.fold = self._prompt.add_panel("Words", self.panel, _TIP)

    def _insert(self, words: str) -> None:
        insert_words(self._prompt.editor, words, listed=self._words is None)

    def _put(self, prompt: str) -> None:
        self._prompt.set_text(prompt)
        self.unknown.look()

    def _tell(self, note: str) -> None:
        self.note.setText(note)
        self.note.setVisible(bool(note))
