"""Two pictures in one place with a line between them to draw aside, and how alike they are."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QVBoxLayout, QWidget

from app.core.events import Pixels
from app.library.comparing import Change, Likeness, Verdict, changes, likeness
from app.library.copies import read_pixels
from app.library.entry import Entry
from app.ui.background import Background
from app.ui.canvas import enlarged
from app.ui.controls.button import Button
from app.ui.controls.drawing import box, start
from app.ui.controls.words import Words
from app.ui.gallery.facts import change_words
from app.ui.gallery.photo import fitted
from app.ui.item import to_image
from app.ui.theme import Theme
from app.ui.tokens import CARD_RADIUS, HALO

_KNOB = 34


@dataclass(frozen=True, slots=True)
class Compared:
    """Two pictures, how alike they are, and what they have not in common."""

    before: Pixels
    after: Pixels
    alike: Likeness
    because: tuple[Change, ...]


def compared(before: Entry, after: Entry) -> Compared:
    """Read and compare. Raises PictureUnreadable. Any thread."""
    one, other = read_pixels(before.file), read_pixels(after.file)
    alike = likeness(one, other)
    because: list[Change] = []
    first, second = before.recipe, after.recipe
    if alike.verdict is not Verdict.IDENTICAL:
        if first is not None and second is not None:
            because += changes(first, second)
        for what in ("version", "placement"):
            was, now = getattr(before, what), getattr(after, what)
            if was and now and was != now:
                because.append(Change(what, was, now))
    return Compared(one, other, alike, tuple(because))


def verdict_words(found: Compared) -> tuple[str, str]:
    """What a person would say, and the numbers and reasons behind it."""
    alike = found.alike
    if alike.verdict is Verdict.IDENTICAL:
        return "Identical", "Every pixel is the same."
    said = "The same to the eye" if alike.verdict is Verdict.SAME_TO_THE_EYE else "They differ"
    one, other = found.before, found.after
    if (one.width, one.height) != (other.width, other.height):
        numbers = f"{one.width} × {one.height} and {other.width} × {other.height} pixels."
    else:
        numbers = (
            f"{alike.psnr:.1f} dB, likeness {alike.ssim:.3f} of 1; {100 * alike.changed:.1f} % of"
            f" the pixels differ, by {alike.largest} of 255 at most."
        )
    reasons = change_words(found.because)
    return said, f"{numbers} {reasons}".strip()


class Curtain(QWidget):
    """The first picture left of the line, the second right of it."""

    moved = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._images: tuple[QImage, QImage] | None = None
        self._at = 0.5
        self._scaled: tuple[object, QImage, QImage] | None = None
        self.setCursor(Qt.CursorShape.SplitHCursor)
        theme.changed.connect(self.update)

    def show_images(self, before: QImage | None, after: QImage | None) -> None:
        """Two pictures; None while they are read."""
        self._images = None if before is None or after is None else (before, after)
        self.update()

    def set_line(self, share: float) -> None:
        """Where the line is: 0 at the left edge of the pictures, 1 at the right."""
        self._at = min(1.0, max(0.0, share))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        box(painter, QRectF(self.rect()), self.theme.colour("canvas"), None, CARD_RADIUS)
        if self._images is not None:
            self._paint(painter, *self._images)
        painter.end()

    def _paint(self, painter: QPainter, before: QImage, after: QImage) -> None:
        at = fitted(self.size(), after.size())
        size = (at.size() * self.devicePixelRatioF()).toSize()
        key = (before.cacheKey(), after.cacheKey(), size)
        if self._scaled is None or self._scaled[0] != key:
            self._scaled = (key, enlarged(before, size), enlarged(after, size))
        line = at.left() + at.width() * self._at
        painter.drawImage(at, self._scaled[2])
        painter.save()
        painter.setClipRect(QRectF(at.left(), at.top(), line - at.left(), at.height()))
        painter.drawImage(at, self._scaled[1])
        painter.restore()
        painter.fillRect(QRectF(line - 1, at.top(), 2, at.height()), QColor("#FFFFFF"))
        knob = QRectF(0, 0, _KNOB, _KNOB)
        knob.moveCenter(QPointF(line, at.center().y()))
        box(painter, knob, self.theme.colour("surface"), self.theme.colour("line"), _KNOB / 2)
        from app.ui import icons

        middle, ink = knob.center(), self.theme.colour("text")
        for name, x in (("back", -13), ("forward", 0)):
            icons.paint(painter, name, QRectF(middle.x() + x, middle.y() - 6.5, 13, 13), ink)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        self._move(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._move(event)

    def _move(self, event: QMouseEvent) -> None:
        if self._images is None:
            return
        at = fitted(self.size(), self._images[1].size())
        share = (event.position().x() - at.left()) / at.width()
        self.moved.emit(round(1000 * min(1.0, max(0.0, share))))


class Comparer(QWidget):
    """``closed``: back to where it was asked for."""

    closed = Signal()
    problem = Signal(object)

    def __init__(self, theme: Theme, background: Background) -> None:
        super().__init__()
        self.theme = theme
        self._background = background
        self._pair: tuple[Entry, Entry] | None = None
        self.found: Compared | None = None
        self.back = Button(theme, "Back", "flat", icon="back")
        self.back.clicked.connect(self.closed)
        self.verdict = Words(theme, "", "strong")
        self.numbers = Words(theme, "", "secondary", "dim", wrap=True)
        self.curtain = Curtain(theme)
        # Keyboard and screen reader have a slider of Qt's own; the eye has the line.
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Line between the two pictures")
        self.slider.setRange(0, 1000)
        self.slider.setSingleStep(20)
        self.slider.setPageStep(100)
        self.slider.valueChanged.connect(lambda value: self.curtain.set_line(value / 1000))
        self.curtain.moved.connect(self.slider.setValue)
        self.setAccessibleName("Two pictures compared")
        self.setFocusProxy(self.slider)
        top = QHBoxLayout()
        top.setContentsMargins(0, 0, 0, 0)
        top.addWidget(self.back)
        top.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 14)
        column.setSpacing(6)
        column.addLayout(top)
        inside = QVBoxLayout()
        inside.setContentsMargins(HALO, 0, HALO, 0)
        inside.setSpacing(4)
        inside.addWidget(self.curtain, 1)
        inside.addWidget(self.slider)
        inside.addWidget(self.verdict)
        inside.addWidget(self.numbers)
        column.addLayout(inside, 1)

    def look_at(self, before: Entry, after: Entry) -> None:
        """Read both, and say how alike they are."""
        self._pair, self.found = (before, after), None
        self.curtain.show_images(None, None)
        self.verdict.setText("Comparing…")
        self.numbers.setText("")
        self.slider.setValue(500)

        def done(found: Compared) -> None:
            if self._pair == (before, after):
                self._tell(found)

        self._background.run(lambda: compared(before, after), done, self.problem.emit)

    def _tell(self, found: Compared) -> None:
        self.found = found
        self.curtain.show_images(to_image(found.before), to_image(found.after))
        said, numbers = verdict_words(found)
        self.verdict.setText(said)
        self.numbers.setText(numbers)
        self.setAccessibleDescription(f"{said}. {numbers}")

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Space):
            self.closed.emit()
        else:
            super().keyPressEvent(event)
