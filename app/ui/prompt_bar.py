"""Where a picture begins: the prompt, what unfolds under it, Generate and Stop."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.ui.controls.button import Button
from app.ui.controls.drawing import body, box, halo, start
from app.ui.prompt_edit import PromptEdit
from app.ui.theme import Theme
from app.ui.tokens import CARD_RADIUS, HALO

if TYPE_CHECKING:
    from app.core.recipe import Start
    from app.ui.panel import Panel

_MAC = sys.platform == "darwin"
GENERATE_KEYS = "⌘↩" if _MAC else "Ctrl ↩"
STOP_KEYS = "⌘." if _MAC else "Ctrl ."
_ROOMY = 640
"""Narrower than this, the buttons leave their shortcuts out."""


class PromptBar(QWidget):
    """The card with the prompt. ``changed`` tells of edits, ``generate`` and ``stop`` of wishes."""

    title = "Prompt"
    explanation = (
        "Say what you want to see: the thing first, then how it looks. The count at the foot says "
        "how much of it the model reads; what is struck through is more than it can take."
    )

    generate = Signal()
    stop = Signal()
    changed = Signal()
    start_changed = Signal()

    avoid: Panel

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._start: Start | None = None
        self._lit = False
        self._over = False
        self.editor = PromptEdit(theme, "Prompt", "Say what you want to see…", "prompt", (2, 6))
        self._last_link: QWidget = self.editor
        self._build()
        self._listen(self.editor)
        self.set_drawing(False)

    def complete(self) -> None:
        """Add what unfolds and what warns. Once; the first paint does without."""
        theme = self.theme
        self.negative = PromptEdit(theme, "Avoid", "What should not be in it", "body", (1, 4))
        self._listen(self.negative)
        self.avoid = self.add_panel(
            "Avoid", self.negative, "Words for what should not be in the picture"
        )
        self.negative.textChanged.connect(self._tell_avoided)
        self.editor.watch_length()
        theme.changed.connect(self._retint)
        self.show_tokens(None, None)

    # What it holds.

    def text(self) -> str:
        """The prompt as typed."""
        return self.editor.toPlainText()

    def set_text(self, text: str) -> None:
        """Put ``text`` into the box, undoably, cursor at its end."""
        cursor = self.editor.textCursor()
        cursor.select(cursor.SelectionType.Document)
        cursor.insertText(text)
        self.editor.setTextCursor(cursor)

    def negative_text(self) -> str:
        """What to avoid, folded or not; empty where the model knows no such thing."""
        return "" if self.avoid.link.isHidden() else self.negative.toPlainText()

    def set_negative(self, text: str) -> None:
        self.negative.setPlainText(text)

    def start(self) -> Start | None:
        """The picture to start from."""
        return self._start

    def set_start(self, begin: Start | None) -> None:
        if begin != self._start:
            self._start = begin
            self.start_changed.emit()
            self.changed.emit()

    # What it shows.

    def add_panel(self, title: str, content: QWidget, tip: str) -> Panel:
        """A link "+ title" in the foot that unfolds ``content`` under the prompt."""
        from app.ui.panel import Panel

        panel = Panel(self.theme, title, content, tip)
        panel.opened.connect(lambda: self._fold_all_but(panel))
        self._panels.addWidget(panel)
        self._links.addWidget(panel.link)
        self.setTabOrder(self._last_link, panel.link)
        self.setTabOrder(panel.link, content)
        self._last_link = content
        return panel

    def _fold_all_but(self, opened: Panel) -> None:
        # One at a time: a low window has no room for more, and folded they stay in use.
        for panel in self.findChildren(type(opened)):
            if panel is not opened:
                panel.close_panel()

    def add_note(self, note: QWidget) -> None:
        """A line on the prompt, right under it, above what unfolds."""
        note.setContentsMargins(0, 5, 0, 0)
        self._panels.insertWidget(0, note)

    def show_tokens(self, count: int | None, limit: int | None, cut: int | None = None) -> None:
        """ "17 of 75", and the text from ``cut`` on marked; nothing for an unknown count."""
        known = count is not None and limit is not None and count > 0
        self.tokens.setText(f"{count} of {limit}" if known else "")
        over = known and cut is not None
        self._over = over
        self.tokens.setToolTip(
            f"The model reads {limit} words and parts of words; the struck part is cut."
            if over
            else f"Words and parts of words (tokens); the model reads up to {limit}."
        )
        self.tokens.setAccessibleName(
            f"{count} of {limit} tokens{', the rest is cut' if over else ''}" if known else "Tokens"
        )
        self.editor.mark_from(cut)
        self._retint()

    def set_drawing(self, drawing: bool) -> None:
        """While something is drawn, Stop stands beside a Generate that queues."""
        self.stop_button.setVisible(drawing)
        self.generate_button.set_kind("quiet" if drawing else "action")
        self.generate_button.set_text("Queue" if drawing else "Generate")
        self.generate_button.setToolTip(
            "Draw this when the pictures before it are done"
            if drawing
            else "Draw what the prompt says"
        )

    # Qt's own.

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        at = body(self)
        box(painter, at, self.theme.colour("surface"), self.theme.colour("line"), CARD_RADIUS)
        if self._lit:
            halo(painter, at, self.theme, CARD_RADIUS)
        painter.end()

    def mousePressEvent(self, _event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        self.editor.setFocus(Qt.FocusReason.MouseFocusReason)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        super().resizeEvent(event)
        for button in (self.generate_button, self.stop_button):
            button.show_hint(self.width() >= _ROOMY)

    def be_brief(self, brief: bool) -> None:
        """In a low window a long prompt scrolls sooner, to leave room for the picture."""
        self.editor.set_most(4 if brief else 6)

    def rounded(self) -> QRectF:
        """Where the card is, without the room for its halo."""
        return body(self)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(HALO + 10, HALO + 14, 14, 11)
        column.setSpacing(0)
        padded = QHBoxLayout()
        padded.setContentsMargins(7, 0, 3, 0)
        padded.addWidget(self.editor)
        column.addLayout(padded)
        self._panels = QVBoxLayout()
        self._panels.setContentsMargins(7, 0, 3, 0)
        self._panels.setSpacing(0)
        column.addLayout(self._panels)
        column.addSpacing(9)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        self._links = QHBoxLayout()
        self._links.setSpacing(0)
        foot.addLayout(self._links)
        foot.addStretch(1)
        self.tokens = QLabel()
        self.tokens.setFont(self.theme.font("secondary"))
        foot.addWidget(self.tokens)
        self.stop_button = Button(self.theme, "Stop", "quiet", STOP_KEYS)
        self.stop_button.setToolTip("Stop what is drawn and what waits")
        self.stop_button.clicked.connect(self.stop)
        foot.addWidget(self.stop_button)
        self.generate_button = Button(self.theme, "Generate", "action", GENERATE_KEYS)
        self.generate_button.clicked.connect(self.generate)
        foot.addWidget(self.generate_button)
        column.addLayout(foot)

    def _tell_avoided(self) -> None:
        words = " ".join(self.negative.toPlainText().split())
        self.avoid.set_note(words)

    def _listen(self, editor: PromptEdit) -> None:
        editor.textChanged.connect(self.changed)
        editor.submitted.connect(self.generate)
        editor.focused.connect(self._light)

    def _light(self, lit: bool) -> None:
        self._lit = lit
        self.update()

    def _retint(self) -> None:
        palette = self.tokens.palette()
        name = "warn" if self._over else "dim"
        palette.setColor(palette.ColorRole.WindowText, self.theme.colour(name))
        self.tokens.setPalette(palette)
        self.update()
