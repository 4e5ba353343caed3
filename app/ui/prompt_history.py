"""Alt-Up and Alt-Down in the prompt: back through what was drawn, and forth to what was typed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent

from app.ui.prompt_bar import PromptBar

_STEPS = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}


class PromptHistory(QObject):
    """``prompts`` gives them newest first. What stood in the box is kept below them all."""

    def __init__(self, prompt: PromptBar, prompts: Callable[[], tuple[str, ...]]) -> None:
        super().__init__(prompt)
        self._prompt = prompt
        self._prompts = prompts
        self._at = -1
        self._typed = ""
        self._mine = False
        prompt.editor.installEventFilter(self)
        prompt.editor.textChanged.connect(self._text_changed)

    def step(self, by: int) -> bool:
        """Show the prompt ``by`` places older (1) or newer (-1); false at an end."""
        prompts = self._prompts()
        text = self._prompt.text()
        if self._at < 0:
            self._typed = text
        at = self._at + by
        # What is in the box already is no step.
        while by > 0 and at < len(prompts) and prompts[at] == text:
            at += by
        if not -1 <= at < len(prompts):
            return False
        self._mine = True
        self._prompt.set_text(self._typed if at < 0 else prompts[at])
        self._mine = False
        self._at = at
        return True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        if watched is not self._prompt.editor or not isinstance(event, QKeyEvent):
            return False
        held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if held != Qt.KeyboardModifier.AltModifier or event.key() not in _STEPS:
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if event.type() == QEvent.Type.KeyPress:
            self.step(_STEPS[Qt.Key(event.key())])
            return True
        return False

    def _text_changed(self) -> None:
        if not self._mine:
            self._at = -1
