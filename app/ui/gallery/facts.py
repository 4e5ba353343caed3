"""What a picture says of itself, what it came of, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QLocale, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from app.core.recipe import How
from app.library.comparing import Change, changes
from app.library.entry import Entry
from app.ui.controls.button import Button, DrawnButton
from app.ui.controls.drawing import body, box, halo, start
from app.ui.controls.words import Words
from app.ui.gallery.pictures import words_of
from app.ui.gallery.thumbs import Thumbs
from app.ui.theme import Theme
from app.ui.tokens import HALO, INSPECTOR, PICTURE_RADIUS

SMALL = 68
A_ROW = 3
MOST = 30
"""Children that are shown; a picture varied a thousand times has more."""

_NAMES = {
    "prompt": "Prompt",
    "negative_prompt": "What to avoid",
    "model": "Model",
    "size": "Size",
    "steps": "Steps",
    "guidance": "Follow the prompt",
    "seed": "Seed",
    "scheduler": "Sampler",
    "start": "Starting picture",
    "loras": "LoRAs",
    "vae": "Autoencoder",
    "version": "Easel",
    "placement": "Drawn on",
}
_NOT_SHOWN = frozenset({"prompt", "negative_prompt", "start", "loras"})
"""Their values are too long for a line; that they are others is said."""

_HOW = {
    How.VARIATION: "A variation of",
    How.IMAGE_TO_IMAGE: "Started from",
    How.REDRAW: "Drawn again from",
}


def change_words(found: Sequence[Change]) -> str:
    """What has changed, on a line: "Seed 7 → 12, Steps 20 → 30"."""
    parts = []
    for change in found:
        name = _NAMES.get(change.what, change.what)
        if change.what in _NOT_SHOWN:
            parts.append(f"another {name[:1].lower()}{name[1:]}".replace("what to", "what-to-"))
        else:
            parts.append(f"{name} {change.before or 'none'} → {change.after or 'none'}")
    words = ", ".join(parts)
    return f"{words[:1].upper()}{words[1:]}"


class Small(DrawnButton):
    """A small picture that leads to the picture."""

    def __init__(self, theme: Theme, entry: Entry, thumbs: Thumbs) -> None:
        super().__init__(theme, words_of(entry))
        self._entry = entry
        self._thumbs = thumbs
        self.setToolTip(words_of(entry))

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return QSize(SMALL + 2 * HALO, SMALL + 2 * HALO)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        at = body(self)
        image: QImage | None = self._thumbs.get(self._entry)
        box(painter, at, self.theme.colour("sunken"), None, PICTURE_RADIUS)
        if image is not None:
            scale = min(at.width() / image.width(), at.height() / image.height())
            place = QRectF(0, 0, image.width() * scale, image.height() * scale)
            place.moveCenter(at.center())
            painter.setRenderHint(painter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(place, image, QRectF(image.rect()))
        if self.hovered:
            box(painter, at, None, self.theme.colour("accent"), PICTURE_RADIUS, 2)
        if self.keyboard_focus:
            halo(painter, at, self.theme, PICTURE_RADIUS)
        painter.end()


class Facts(QScrollArea):
    """Beside the viewer's picture. ``wanted`` carries an Entry to look at instead.

    ``compare_wanted`` carries the picture it came of.
    """

    wanted = Signal(object)
    compare_wanted = Signal(object)

    def __init__(self, theme: Theme, thumbs: Thumbs) -> None:
        super().__init__()
        self.theme = theme
        self._thumbs = thumbs
        self.setFixedWidth(INSPECTOR)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("About the picture")
        self.viewport().setAutoFillBackground(False)
        thumbs.arrived.connect(lambda _keys: self.viewport().update())
        self.changed = ""
        """The line of what has changed since the picture that it came of."""
        self.smalls: list[Small] = []

    def tell(self, entry: Entry, parent: Entry | None, children: Sequence[Entry]) -> None:
        """Fill it anew."""
        inside = QWidget()
        inside.setAutoFillBackground(False)
        column = QVBoxLayout(inside)
        column.setContentsMargins(4, 0, 12, 12)
        column.setSpacing(3)
        self.smalls, self.changed = [], ""
        small = [e for e in (parent, *children[:MOST]) if e is not None]
        self._thumbs.want(small, len(small))
        # 1. What it is
        self._add(column, entry.prompt or entry.file.name, "body", "text")
        if entry.negative_prompt:
            self._head(column, "Avoid")
            self._add(column, entry.negative_prompt, "secondary", "dim")
        column.addSpacing(8)
        self._table(column, entry)
        # 2. What it came of
        if parent is not None and entry.parent is not None:
            self._head(column, _HOW[entry.parent.how])
            column.addWidget(self._small(parent), 0, Qt.AlignmentFlag.AlignLeft)
            one, other = parent.recipe, entry.recipe
            if one is not None and other is not None:
                found = changes(one, other)
                self.changed = change_words(found) or "Nothing has changed"
                self._add(column, self.changed, "secondary", "dim")
            compare = Button(self.theme, "Compare with it", "quiet")
            compare.clicked.connect(lambda: self.compare_wanted.emit(parent))
            column.addWidget(compare, 0, Qt.AlignmentFlag.AlignLeft)
        # 3. What became of it
        if children:
            self._head(column, f"{len(children)} came of it")
            grid = QGridLayout()
            grid.setSpacing(2)
            for number, child in enumerate(children[:MOST]):
                grid.addWidget(self._small(child), number // A_ROW, number % A_ROW)
            grid.setColumnStretch(A_ROW, 1)
            column.addLayout(grid)
        column.addStretch(1)
        old = self.takeWidget()
        self.setWidget(inside)
        if old is not None:
            old.deleteLater()

    def _small(self, entry: Entry) -> Small:
        small = Small(self.theme, entry, self._thumbs)
        small.clicked.connect(lambda: self.wanted.emit(entry))
        self.smalls.append(small)
        return small

    def _table(self, column: QVBoxLayout, entry: Entry) -> None:
        size = f"{entry.width} × {entry.height}"
        when = QLocale().toString(entry.created.astimezone(), QLocale.FormatType.ShortFormat)  # type: ignore[call-overload]
        rows = (
            ("Model", entry.model),
            ("Seed", "" if entry.seed is None else str(entry.seed)),
            ("Size", size),
            ("Steps", "" if entry.steps is None else str(entry.steps)),
            ("Follow the prompt", "" if entry.guidance is None else f"{entry.guidance:g}"),
            ("Sampler", entry.scheduler),
            ("Drawn", str(when)),
            ("By", "" if entry.program == "Easel" else entry.program),
            ("Tags", ", ".join(entry.tags)),
        )
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for number, (name, value) in enumerate((n, v) for n, v in rows if v):
            grid.addWidget(Words(self.theme, name, "secondary", "dim"), number, 0)
            words = Words(self.theme, value, "secondary", "text", wrap=True)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(words, number, 1)
        column.addLayout(grid)

    def _head(self, column: QVBoxLayout, text: str) -> None:
        column.addSpacing(12)
        self._add(column, text, "label", "dim")

    def _add(self, column: QVBoxLayout, text: str, role: str, colour: str) -> None:
        words = Words(self.theme, text, role, colour, wrap=True)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(words)
