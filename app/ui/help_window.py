"""Help: a first picture in three steps, prompts that work, and what to do when things fail."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.messages import describe
from app.messages.troubles import Troubles, troubles
from app.ui.controls.button import Button
from app.ui.controls.field import Field
from app.ui.controls.segments import Segments
from app.ui.controls.words import Words
from app.ui.palette import Tried
from app.ui.theme import Theme
from app.ui.tokens import HALO

_EDGE = 28
PAGES = ("Your first picture", "Prompts that work", "Troubleshooting")
FIRST, PROMPTS, TROUBLES = range(3)

_MAC = sys.platform == "darwin"
_KEYS = "⌘↩" if _MAC else "Ctrl+Return"
STEPS = (
    (
        "Say what you want to see",
        "Type it into the box at the top: the thing first, then how it looks. A few words do. "
        "“Words” under the box has some to begin with, and so has a slash while you type.",
    ),
    (
        "Press Generate",
        f"Or {_KEYS}. The picture sharpens while you watch. Not what you meant? Press it again: "
        "each time is another picture. Four at once are set under Pictures, on the right.",
    ),
    (
        "Take it with you",
        "Drag the picture to the desktop, into a mail or another program, or copy it. It is saved "
        "already, in the Pictures folder, with everything that is needed to draw it again: “Use "
        "recipe” under the picture sets the form so.",
    ),
)
SMALL = (
    "The small built-in model knows few words and draws single, simple things. Prompts like these "
    "are for it:"
)
LARGE = "For Stable Diffusion. Each is worth trying, and says something about the next one:"


class HelpWindow(QDialog):
    """One window of three pages. ``prompt_chosen`` carries a prompt to put into the box."""

    prompt_chosen = Signal(str)

    def __init__(
        self, theme: Theme, recipes: Sequence[Tried], examples: Sequence[str], parent: QWidget
    ) -> None:
        """``examples`` are prompts for a small model that is chosen now; () for a large one."""
        super().__init__(parent)
        self._theme = theme
        self.setWindowTitle("Easel Help")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumSize(520, 360)
        self.pages = Segments(theme, "Help", PAGES)
        self.pages.chosen.connect(self.show_page)
        self.search = Field(theme, "Find in what can go wrong", "Find, for example: black")
        self.search.edit.textChanged.connect(self._look_for)
        self.troubles = _Troubles(theme, troubles(describe))
        self._contents = (
            _steps(theme),
            self._prompts(recipes, examples),
            self.troubles,
        )
        done = Button(theme, "Done", "quiet")
        done.clicked.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(_EDGE - HALO, 24, _EDGE - 12, 20)
        column.setSpacing(8)
        title = Words(theme, "Easel Help", "title")
        title.setContentsMargins(HALO, 0, 0, 0)
        column.addWidget(title)
        chosen = QHBoxLayout()
        chosen.setContentsMargins(0, 0, 12 - HALO, 0)
        chosen.addWidget(self.pages)
        column.addLayout(chosen)
        finding = QHBoxLayout()
        finding.setContentsMargins(0, 0, 12 - HALO, 0)
        finding.addWidget(self.search)
        column.addLayout(finding)
        self._scrolls = [_scrolled(content, PAGES[at]) for at, content in enumerate(self._contents)]
        for scroll in self._scrolls:
            column.addWidget(scroll, 1)
        foot = QHBoxLayout()
        foot.setContentsMargins(0, 0, 12 - HALO, 0)
        foot.addStretch(1)
        foot.addWidget(done)
        column.addLayout(foot)
        self.resize(640, 620)
        self.show_page(FIRST)

    def show_page(self, index: int) -> None:
        """One of ``PAGES``."""
        self.pages.choose(index)
        for at, scroll in enumerate(self._scrolls):
            scroll.setVisible(at == index)
        self.search.setVisible(index == TROUBLES)

    def _look_for(self, _text: str) -> None:
        self.troubles.look_for(self.search.text())

    def _prompts(self, recipes: Sequence[Tried], examples: Sequence[str]) -> QWidget:
        page, column = _page()
        if examples:
            column.addWidget(Words(self._theme, SMALL, "body", "dim", wrap=True))
            for prompt in examples[:4]:
                column.addWidget(self._prompt(prompt, ""))
            column.addSpacing(10)
        if recipes:
            column.addWidget(Words(self._theme, LARGE, "body", "dim", wrap=True))
        for tried in recipes:
            column.addWidget(self._prompt(tried.prompt, tried.why))
        column.addStretch(1)
        return page

    def _prompt(self, prompt: str, why: str) -> QWidget:
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 4, 0, 4)
        row.setSpacing(12)
        told = QVBoxLayout()
        told.setSpacing(2)
        told.addWidget(Words(self._theme, prompt, "medium", wrap=True))
        if why:
            told.addWidget(Words(self._theme, why, "secondary", "dim", wrap=True))
        row.addLayout(told, 1)
        use = Button(self._theme, "Use", "quiet")
        use.setAccessibleName(f"Use the prompt: {prompt}")
        use.clicked.connect(lambda: self.prompt_chosen.emit(prompt))
        row.addWidget(use, 0, Qt.AlignmentFlag.AlignTop)
        return line


class _Troubles(QWidget):
    """Every message by its heading; ``look_for`` leaves those that hold all the words."""

    def __init__(self, theme: Theme, listed: tuple[Troubles, ...]) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(HALO, 4, 16, 8)
        column.setSpacing(2)
        self._groups: list[tuple[QWidget, list[tuple[QWidget, str]]]] = []
        for group in listed:
            heading = Words(theme, group.heading, "label", "dim")
            heading.setContentsMargins(0, 8, 0, 2)
            column.addWidget(heading)
            entries: list[tuple[QWidget, str]] = []
            for message in group.messages:
                entry = QWidget()
                inner = QVBoxLayout(entry)
                inner.setContentsMargins(0, 4, 0, 8)
                inner.setSpacing(1)
                inner.addWidget(Words(theme, message.title, "strong", wrap=True))
                inner.addWidget(Words(theme, message.body, "body", "dim", wrap=True))
                inner.addWidget(Words(theme, message.next_step, "body", wrap=True))
                column.addWidget(entry)
                entries.append((entry, str(message).casefold()))
            self._groups.append((heading, entries))
        self._none = Words(theme, "Nothing here has these words.", "body", "dim", wrap=True)
        self._none.hide()
        column.addWidget(self._none)
        column.addStretch(1)

    def look_for(self, text: str) -> None:
        words, count = text.casefold().split(), 0
        for heading, entries in self._groups:
            shown = 0
            for entry, said in entries:
                entry.setVisible(all(word in said for word in words))
                shown += not entry.isHidden()
            heading.setVisible(bool(shown))
            count += shown
        self._none.setVisible(not count)

    @property
    def shown(self) -> int:
        """How many messages are seen."""
        return sum(not entry.isHidden() for _, entries in self._groups for entry, _ in entries)


def _steps(theme: Theme) -> QWidget:
    page, column = _page()
    for number, (title, text) in enumerate(STEPS, 1):
        row = QHBoxLayout()
        row.setSpacing(14)
        count = Words(theme, str(number), "title", "link")
        count.setFixedWidth(22)
        row.addWidget(count, 0, Qt.AlignmentFlag.AlignTop)
        told = QVBoxLayout()
        told.setSpacing(3)
        told.addWidget(Words(theme, title, "strong", wrap=True))
        told.addWidget(Words(theme, text, "body", "dim", wrap=True))
        row.addLayout(told, 1)
        column.addLayout(row)
        column.addSpacing(12)
    column.addStretch(1)
    return page


def _page() -> tuple[QWidget, QVBoxLayout]:
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(HALO, 10, 16, 8)
    column.setSpacing(4)
    return page, column


def _scrolled(inside: QWidget, name: str) -> QScrollArea:
    scroll = QScrollArea()
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setWidgetResizable(True)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setAccessibleName(name)
    scroll.setWidget(inside)
    for layer in (scroll.viewport(), inside):
        layer.setAutoFillBackground(False)
    return scroll
