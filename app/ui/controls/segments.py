"""One choice of a few, side by side: words (Fast, Balanced, Fine) or shapes (1:1, 3:4, ...)."""

from __future__ import annotations

from PySide6.QtCore import QEasingCurve, QRectF, QSize, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QColor, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QHBoxLayout, QWidget

from app.ui.controls.button import DrawnButton
from app.ui.controls.drawing import body, box, halo, start
from app.ui.theme import Theme
from app.ui.tokens import CONTROL, HALO


class _Segment(DrawnButton):
    def __init__(self, theme: Theme, text: str, name: str) -> None:
        super().__init__(theme, name)
        self.setText(text)
        self.setCheckable(True)
        self.setFont(theme.font("secondary"))

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 20, CONTROL)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 10, CONTROL)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        lit = self.isChecked() or self.hovered
        if self.isChecked():
            painter.setFont(self.theme.font("secondary strong"))
        if self.keyboard_focus:
            halo(painter, QRectF(self.rect()).adjusted(2, 2, -2, -2), self.theme, 6.0)
        painter.setPen(self.theme.colour("text" if lit else "dim"))
        painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignCenter, self.text())
        painter.end()


class _Choices(QWidget):
    """What both kinds share: at most one is chosen, and telling it does not choose it."""

    chosen = Signal(int)

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self.theme = theme
        self.setAccessibleName(name)
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self._click)

    def index(self) -> int:
        """The chosen one, -1 when none is."""
        return self._group.checkedId()

    def choose(self, index: int) -> None:
        """Show ``index`` as chosen, none for -1; not told by ``chosen``."""
        if index == self.index():
            return
        button = self._group.button(index)
        if button is not None:
            button.setChecked(True)
        elif self._group.checkedButton() is not None:
            self._group.setExclusive(False)
            self._group.checkedButton().setChecked(False)
            self._group.setExclusive(True)
        self._moved()
        self.update()

    def _click(self, index: int) -> None:
        self._moved()
        self.chosen.emit(index)

    def _moved(self) -> None:
        """The chosen one has changed."""


class Segments(_Choices):
    """Words side by side in a sunken track; the chosen one lies on a raised thumb."""

    def __init__(self, theme: Theme, name: str, words: tuple[str, ...]) -> None:
        super().__init__(theme, name)
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(HALO, HALO, HALO, HALO)
        row.setSpacing(0)
        for index, word in enumerate(words):
            segment = _Segment(theme, word, f"{name}: {word}")
            segment.setObjectName(f"{name}: {word}")
            self._group.addButton(segment, index)
            row.addWidget(segment, 1)
        self._thumb = QRectF()
        self._motion = QVariantAnimation(self)
        self._motion.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._motion.valueChanged.connect(self._slide)
        theme.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        colour = self.theme.colour
        box(painter, body(self), colour("sunken"), None)
        if not self._thumb.isNull() and self.index() >= 0:
            dark = self.theme.tokens.dark
            fill = colour("line") if dark else colour("surface")
            if not dark:
                box(painter, self._thumb.adjusted(0, 1, 0, 1), QColor(0, 0, 0, 22), None, 6.5)
            box(painter, self._thumb, fill, None, 6.5)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        super().resizeEvent(event)
        self._motion.stop()
        self._thumb = self._place()

    def _moved(self) -> None:
        target = self._place()
        if self.theme.motion_ms and self.isVisible() and not self._thumb.isNull():
            self._motion.stop()
            self._motion.setDuration(self.theme.motion_ms)
            self._motion.setStartValue(self._thumb)
            self._motion.setEndValue(target)
            self._motion.start()
        else:
            self._slide(target)

    def _place(self) -> QRectF:
        button = self._group.checkedButton()
        if button is None:
            return QRectF()
        self._row.activate()
        return QRectF(button.geometry()).adjusted(2, 2, -2, -2)

    def _slide(self, place: QRectF) -> None:
        self._thumb = QRectF(place)
        self.update()


class _Tile(DrawnButton):
    def __init__(self, theme: Theme, ratio: str, shape: tuple[int, int], name: str) -> None:
        super().__init__(theme, name)
        self._shape = shape
        self.setText(ratio)
        self.setCheckable(True)
        self.setToolTip(name)
        self.setFont(theme.font("tile"))

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return QSize(45 + 2 * HALO, 44 + 2 * HALO)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return QSize(40 + 2 * HALO, 44 + 2 * HALO)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        colour, at, on = self.theme.colour, body(self), self.isChecked()
        fill = colour("soft") if on else colour("sunken" if self.hovered else "surface")
        box(painter, at, fill, colour("accent" if on else "line"))
        if self.keyboard_focus:
            halo(painter, at, self.theme)
        ink = colour("text" if on or self.hovered else "dim")
        width, height = self._shape
        scale = 17 / max(width, height)
        if min(width, height) * scale < 8:
            scale = 8 / min(width, height)
        middle_x, middle_y = at.center().x(), at.top() + 15
        frame = QRectF(0, 0, min(24.0, round(width * scale)), min(18.0, round(height * scale)))
        frame.moveCenter(frame.center().__class__(round(middle_x) + 0.0, middle_y))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(ink, 1.2))
        painter.drawRoundedRect(frame, 2, 2)
        painter.setPen(ink)
        words = QRectF(at.left(), at.bottom() - 18, at.width(), 14)
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, self.text())
        painter.end()


class ShapeTiles(_Choices):
    """Shapes as little frames with their ratio, five a row."""

    A_ROW = 5

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme, name)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(0)

    def set_shapes(self, shapes: tuple[tuple[str, int, int], ...]) -> None:
        """Offer ``shapes``: ratio, width, height each."""
        for button in self._group.buttons():
            self._group.removeButton(button)
            self._grid.removeWidget(button)
            button.hide()
            button.deleteLater()
        for index, (ratio, width, height) in enumerate(shapes):
            name = f"{self.accessibleName()}: {ratio}, {width} × {height}"
            tile = _Tile(self.theme, ratio, (width, height), name)
            self._group.addButton(tile, index)
            self._grid.addWidget(tile, index // self.A_ROW, index % self.A_ROW)
        for column in range(self.A_ROW):
            self._grid.setColumnStretch(column, 1)
