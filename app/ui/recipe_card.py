"""Says what of another picture's recipe was used, and what of it cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.core.recipe import Draft, Size
from app.library.found_recipe import FoundRecipe, LaidOn
from app.messages import describe
from app.ui.controls.button import Button
from app.ui.controls.drawing import body, box, shadow, start
from app.ui.controls.words import Words
from app.ui.theme import Theme

WIDTH = 460
_UNKNOWN = 8
"""Settings that Easel has not are named up to this many."""


@dataclass(frozen=True, slots=True)
class Said:
    """The card in words: what it is, then (heading, lines) of each part that there is."""

    title: str
    parts: tuple[tuple[str, tuple[str, ...]], ...]


def words_for(found: FoundRecipe, laid: LaidOn) -> Said:
    """What became of ``found``."""
    parts: list[tuple[str, tuple[str, ...]]] = []
    if laid.used:
        parts.append(("In the form now", (_used(laid),)))
    if laid.missing_model:
        parts.append(
            ("Not here", (f"Its model, {laid.missing_model}. {laid.model.title} draws instead.",))
        )
    if laid.missing_loras:
        names = ", ".join(lora.name for lora in laid.missing_loras)
        heading = "" if laid.missing_model else "Not here"
        parts.append((heading, (f"LoRAs: {names}.",)))
    if laid.cannot:
        said = [describe(problem) for problem in laid.cannot]
        lines = tuple(f"{message.title}. {message.body}" for message in said)
        parts.append((f"What {laid.model.title} cannot do", lines))
    if laid.unknown:
        named = [f"{_name(name)} {value}" for name, value in laid.unknown[:_UNKNOWN]]
        left = len(laid.unknown) - len(named)
        more = f" and {left} more" if left else ""
        parts.append(("Left out, because Easel has nothing like it", (", ".join(named) + more,)))
    return Said(f"Recipe from a picture by {found.program or 'another program'}", tuple(parts))


def _used(laid: LaidOn) -> str:
    draft = laid.draft
    words = [_WORDS[field](draft) for field in laid.used if field in _WORDS]
    text = ", ".join(word for word in words if word)
    return f"{text[:1].upper()}{text[1:]}."


def _size(draft: Draft) -> str:
    size = draft.size
    return f"{size.width} × {size.height}" if isinstance(size, Size) else ""


_WORDS: dict[str, Callable[[Draft], str]] = {
    "prompt": lambda _draft: "the prompt",
    "negative_prompt": lambda _draft: "what to avoid",
    "size": _size,
    "steps": lambda draft: f"{draft.steps} steps",
    "guidance": lambda draft: f"follow the prompt {draft.guidance:g}",
    "seed": lambda draft: f"seed {draft.seed}",
    "scheduler": lambda draft: str(draft.scheduler),
    "start": lambda _draft: "the starting picture",
    "loras": lambda draft: f"{len(draft.loras)} LoRA{'s' if len(draft.loras) > 1 else ''}",
}


def _name(name: str) -> str:
    return "starting picture, redrawn by" if name == "start" else name


class RecipeCard(QWidget):
    """Lies on ``over``, as high as it needs and no higher than there is room."""

    models_wanted = Signal()

    def __init__(self, theme: Theme, over: QWidget) -> None:
        super().__init__(over)
        self.theme = theme
        self._over = over
        self._column = QVBoxLayout()
        self._column.setContentsMargins(0, 0, 8, 0)
        self._column.setSpacing(3)
        self._text = QWidget()
        self._text.setLayout(self._column)
        self._scroll = QScrollArea()
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(self._text)
        for layer in (self._scroll.viewport(), self._text):
            layer.setAutoFillBackground(False)
        self.models_button = Button(theme, "Models…", "quiet")
        self.models_button.clicked.connect(self.models_wanted)
        self.close_button = Button(theme, "Close", "quiet")
        self.close_button.clicked.connect(self.hide)
        foot = QHBoxLayout()
        foot.setSpacing(4)
        foot.addStretch(1)
        foot.addWidget(self.models_button)
        foot.addWidget(self.close_button)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(26, 22, 20, 20)
        outer.setSpacing(10)
        outer.addWidget(self._scroll, 1)
        outer.addLayout(foot)
        over.installEventFilter(self)
        theme.changed.connect(self.update)
        self.hide()

    def tell(self, found: FoundRecipe, laid: LaidOn) -> None:
        """Show what became of ``found``."""
        said = words_for(found, laid)
        while (item := self._column.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        self._add(said.title, "strong", "text")
        spoken = [said.title]
        for heading, lines in said.parts:
            if heading:
                self._column.addSpacing(7)
                self._add(heading, "label", "dim")
            for line in lines:
                self._add(line, "secondary", "text")
            spoken += [heading, *lines]
        self.setAccessibleName(" ".join(part for part in spoken if part))
        self.models_button.setVisible(bool(laid.missing_model))
        self.show()
        self.raise_()
        self._place()
        self.close_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _add(self, text: str, role: str, colour: str) -> None:
        words = Words(self.theme, text, role, colour, wrap=True)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._column.addWidget(words)

    def _place(self) -> None:
        room = self._over.size()
        width = min(WIDTH, room.width() - 16)
        inner = width - 46
        text = self._column.totalHeightForWidth(inner - 8) if self._column.count() else 0
        needed = max(text, self._text.sizeHint().height() if text <= 0 else text)
        height = min(needed + 52 + self.close_button.sizeHint().height(), room.height() - 8)
        self.setGeometry((room.width() - width) // 2, 4, width, height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        if watched is self._over and event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
            return
        super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        at = body(self).adjusted(5, 3, -5, -7)
        shadow(painter, at, self.theme, 12.0, 8)
        box(painter, at, self.theme.colour("surface"), self.theme.colour("line"), 12.0)
        painter.end()
