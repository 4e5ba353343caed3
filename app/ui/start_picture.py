"""The picture to start from, in the prompt bar: what it is and how much of it is redrawn."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainterPath, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from app.core.recipe import Size, Start
from app.library.starts import Kept
from app.ui import icons
from app.ui.controls.button import Button, IconButton
from app.ui.controls.drawing import box, start
from app.ui.controls.segments import Segments
from app.ui.controls.value_edit import ValueEdit
from app.ui.controls.words import Words
from app.ui.start_intake import Taken
from app.ui.theme import Theme
from app.ui.tokens import PICTURE_RADIUS

AMOUNTS = (("A little", 0.35), ("Half", 0.6), ("Mostly", 0.85))
"""How much is redrawn, in words: strengths that keep the composition, the rough shape, a hint."""

_SIDE = 46
_LEAST, _MOST = 0.01, 1.0


def fit_note(picture: Size, shape: Size) -> str:
    """How a picture comes to the size that is drawn; "" when it has it already."""
    if picture == shape:
        return ""
    wide, tall = picture.width * shape.height, picture.height * shape.width
    if abs(wide - tall) <= max(wide, tall) // 100:
        return f"Scaled to {shape.width} × {shape.height}"
    sides = "left and right" if wide > tall else "above and below"
    return f"Cropped {sides} to {shape.width} × {shape.height}"


class StartPanel(QWidget):
    """Empty: how to bring a picture. Filled: the picture, how much is redrawn, the way out.

    ``changed`` tells of any other start; ``choose``, ``paste`` and ``redraw_part`` are wishes.
    """

    changed = Signal()
    choose = Signal()
    paste = Signal()
    redraw_part = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._kept: Kept | None = None
        self._mask: Kept | None = None
        self._name = ""
        self._shape: Size | None = None
        self._strength = AMOUNTS[1][1]
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self._build_empty())
        self._pages.addWidget(self._build_filled())
        self._show()

    def _build_empty(self) -> QWidget:
        page = QWidget(self)
        row = QHBoxLayout(page)
        row.setContentsMargins(0, 4, 0, 4)
        row.setSpacing(4)
        self.choose_button = Button(self._theme, "Choose a picture…", "quiet", parent=page)
        self.choose_button.clicked.connect(self.choose)
        self.paste_button = Button(self._theme, "Paste", "quiet", parent=page)
        self.paste_button.setToolTip("Start from the picture on the clipboard")
        self.paste_button.clicked.connect(self.paste)
        hint = Words(self._theme, "or drop one anywhere on the window", "secondary", "dim")
        row.addWidget(self.choose_button)
        row.addWidget(self.paste_button)
        row.addSpacing(6)
        row.addWidget(hint)
        row.addStretch(1)
        return page

    def _build_filled(self) -> QWidget:
        theme = self._theme
        page = QWidget(self)
        self._thumbnail = _Thumbnail(theme, page)
        self._title = _Elided(theme, "strong", "text")
        self._fit = _Elided(theme, "secondary", "dim")
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addStretch(1)
        words.addWidget(self._title)
        words.addWidget(self._fit)
        words.addStretch(1)
        self.amount = Segments(theme, "Redraw", tuple(word for word, _ in AMOUNTS))
        self.amount.setFixedHeight(self.amount.sizeHint().height())
        self.amount.setToolTip("How much of the picture is drawn anew; the rest shows through")
        self.amount.chosen.connect(lambda index: self.set_strength(AMOUNTS[index][1]))
        self.exact = ValueEdit(theme, "Redraw, in percent", lambda text: text.rstrip(" %"))
        self.exact.entered.connect(self._enter)
        self.part_button = IconButton(theme, "brush", "Redraw only a part…", parent=page)
        self.part_button.clicked.connect(self.redraw_part)
        self.remove_button = IconButton(theme, "close", "Do not start from a picture", parent=page)
        self.remove_button.clicked.connect(self.clear)
        row = QHBoxLayout(page)
        row.setContentsMargins(0, 4, 0, 4)
        row.setSpacing(4)
        row.addWidget(self._thumbnail)
        row.addSpacing(6)
        row.addLayout(words, 1)
        row.addWidget(self.amount)
        row.addWidget(self.exact)
        row.addWidget(self.part_button)
        row.addWidget(self.remove_button)
        return page

    # What it holds

    def start(self) -> Start | None:
        """What goes into the draft."""
        if self._kept is None:
            return None
        mask = self._mask
        return Start(
            file=str(self._kept.file),
            sha256=self._kept.sha256,
            strength=self._strength,
            mask=None if mask is None else str(mask.file),
            mask_sha256=None if mask is None else mask.sha256,
        )

    @property
    def kept(self) -> Kept | None:
        return self._kept

    @property
    def name(self) -> str:
        """What the picture is called; "" without one."""
        return self._name if self._kept is not None else ""

    @property
    def part(self) -> Kept | None:
        """The mask, where only a part is redrawn."""
        return self._mask

    def set_taken(self, taken: Taken) -> None:
        """Start from another picture; a mask was of the last one and goes."""
        self._kept, self._mask, self._name = taken.kept, taken.part, taken.name
        self._strength = taken.strength or self._strength
        self._thumbnail.set_image(taken.thumbnail)
        self._show()
        self.changed.emit()

    def set_part(self, mask: Kept | None) -> None:
        """Redraw only where ``mask`` is white; None: everywhere."""
        self._mask = mask
        self._show()
        self.changed.emit()

    def set_strength(self, strength: float) -> None:
        """How much is redrawn, more than 0 up to 1."""
        strength = min(_MOST, max(_LEAST, strength))
        if strength != self._strength:
            self._strength = strength
            self._show()
            self.changed.emit()

    def clear(self) -> None:
        """Start from nothing again."""
        if self._kept is not None:
            self._kept = self._mask = None
            self._thumbnail.set_image(QImage())
            self._show()
            self.changed.emit()

    def set_shape(self, shape: Size) -> None:
        """The size that will be drawn, for the note on what is cropped."""
        self._shape = shape
        self._show()

    def set_can_redraw(self, can: bool) -> None:
        """Whether the model takes a mask."""
        self.part_button.setEnabled(can)
        if not can and self._mask is not None:
            self.set_part(None)

    def _enter(self, text: str) -> None:
        try:
            asked = float(text.strip().rstrip("%").replace(",", "."))
        except ValueError:
            asked = self._strength * 100
        self.set_strength(asked / 100)
        self._show()

    # What it shows

    def _show(self) -> None:
        filled = self._kept is not None
        self._pages.setCurrentIndex(int(filled))
        self.setFocusProxy(self.amount if filled else self.choose_button)
        words = [word for word, amount in AMOUNTS if amount == self._strength]
        self.amount.choose([word for word, _ in AMOUNTS].index(words[0]) if words else -1)
        self.exact.show_value(f"{self._strength * 100:.0f} %")
        if self._kept is None:
            return
        self._title.show_text(f"Part of {self._name}" if self._mask else self._name)
        note = fit_note(self._kept.size, self._shape) if self._shape else ""
        if self._mask:
            note = f"Only what you painted is redrawn. {note}".rstrip()
        self._fit.show_text(note or "Used as it is")
        self._thumbnail.set_masked(self._mask is not None)
        self._thumbnail.setAccessibleName(f"Start from {self._name}")

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return QSize(320, _SIDE + 10)


class _Elided(Words):
    """A line that gives way to what stands beside it; whole in its tool tip."""

    def __init__(self, theme: Theme, role: str, colour: str) -> None:
        super().__init__(theme, "", role, colour)
        self._whole = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_text(self, text: str) -> None:
        self._whole = text
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        room = Qt.TextElideMode.ElideRight
        self.setText(self.fontMetrics().elidedText(self._whole, room, max(20, self.width())))
        self.setToolTip(self._whole)
        self.setAccessibleName(self._whole)


class _Thumbnail(QWidget):
    """The picture's middle, square; a brush in its corner when only a part is redrawn."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._image = QImage()
        self._masked = False
        self.setFixedSize(_SIDE, _SIDE)
        theme.changed.connect(self.update)

    def set_image(self, image: QImage) -> None:
        self._image = image
        self.update()

    def set_masked(self, masked: bool) -> None:
        self._masked = masked
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002 (Qt's name)
        painter = start(self)
        painter.setRenderHint(painter.RenderHint.SmoothPixmapTransform)
        rect = QRectF(self.rect())
        outline = QPainterPath()
        outline.addRoundedRect(rect, PICTURE_RADIUS, PICTURE_RADIUS)
        if self._image.isNull():
            painter.fillPath(outline, self._theme.colour("sunken"))
        else:
            painter.save()
            painter.setClipPath(outline)
            side = min(self._image.width(), self._image.height())
            middle = QRectF(0, 0, side, side)
            middle.moveCenter(QRectF(self._image.rect()).center())
            painter.drawImage(rect, self._image, middle)
            painter.restore()
        box(painter, rect, None, self._theme.colour("line"), PICTURE_RADIUS)
        if self._masked:
            badge = QRectF(rect.right() - 18, rect.bottom() - 18, 16, 16)
            box(painter, badge, self._theme.colour("accent"), None, 8)

            icons.paint(
                painter, "brush", badge.adjusted(3, 3, -3, -3), self._theme.colour("on_accent")
            )
        painter.end()
