"""Paint over the part of a picture that is to be drawn anew: the tools around the surface."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QImage, QKeySequence, QPaintEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.ui.controls.button import Button, IconButton
from app.ui.controls.drawing import box, start
from app.ui.controls.segments import Segments
from app.ui.controls.slider import Slider
from app.ui.controls.words import Words
from app.ui.mask_surface import MaskSurface
from app.ui.theme import Theme
from app.ui.tokens import CARD_RADIUS

_PAINT, _ERASE = 0, 1


class MaskEditor(QWidget):
    """The surface with its tools; takes the canvas's place while one paints.

    ``finished`` carries the mask as PNG bytes, as large as the picture, white where it is to be
    redrawn; ``given_up`` says that nothing is to change.
    """

    finished = Signal(bytes)
    given_up = Signal()

    def __init__(
        self,
        theme: Theme,
        picture: QImage,
        mask: QImage | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.surface = MaskSurface(picture, theme.colour("accent"), self)
        if mask is not None and not mask.isNull():
            self.surface.layer.load(mask)
        self.setAccessibleName("Redraw a part")
        self._title = Words(theme, "Paint what should be drawn anew", "strong")
        self._build_tools()
        self._lay_out()
        self._add_keys()
        self.surface.painted.connect(self._follow)
        self.surface.brush_changed.connect(self._size.setValue)
        self.surface.erasing_changed.connect(self._tool_follows)
        theme.changed.connect(self._recolour)
        self.setFocusProxy(self.surface)
        self._follow()

    def _build_tools(self) -> None:
        theme = self._theme
        self.cancel = Button(theme, "Cancel", "flat", parent=self)
        self.done = Button(theme, "Use this part", "action", parent=self)
        self.tool = Segments(theme, "Tool", ("Paint", "Erase"))
        self.tool.choose(_PAINT)
        self.tool.setToolTip("E switches between painting and erasing")
        self._size = Slider(theme, "Brush size", self)
        self._size.setRange(self.surface.brushes.start, self.surface.brushes.stop - 1)
        self._size.setValue(self.surface.brush)
        self._size.setMinimumWidth(90)
        self._size.setMaximumWidth(160)
        self._size.setToolTip("[ and ] change the size of the brush")
        undo_keys = QKeySequence(QKeySequence.StandardKey.Undo)
        redo_keys = QKeySequence(QKeySequence.StandardKey.Redo)
        self.undo = IconButton(theme, "undo", f"Undo   {_native(undo_keys)}", parent=self)
        self.undo.setAccessibleName("Undo")
        self.redo = IconButton(theme, "redo", f"Redo   {_native(redo_keys)}", parent=self)
        self.redo.setAccessibleName("Redo")
        self.invert = Button(theme, "Invert", "flat", parent=self)
        self.invert.setToolTip("Redraw what is kept, and keep what is painted")
        self.clear = Button(theme, "Clear", "flat", parent=self)
        self.cancel.clicked.connect(self.given_up)
        self.done.clicked.connect(self.finish)
        self.tool.chosen.connect(lambda index: self.surface.set_erasing(index == _ERASE))
        self._size.valueChanged.connect(self.surface.set_brush)
        self.undo.clicked.connect(self._undo)
        self.redo.clicked.connect(self._redo)
        self.invert.clicked.connect(lambda: self.surface.changed(self.surface.layer.invert()))
        self.clear.clicked.connect(lambda: self.surface.changed(self.surface.layer.clear()))

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(16, 8, 8, 4)
        top.addWidget(self._title, 1)
        top.addWidget(self.cancel)
        top.addWidget(self.done)
        word = Words(self._theme, "Brush", "secondary", "dim")
        word.setBuddy(self._size)
        tools = QHBoxLayout()
        tools.setContentsMargins(12, 4, 12, 8)
        tools.setSpacing(4)
        tools.addWidget(self.tool)
        tools.addSpacing(12)
        tools.addWidget(word)
        tools.addWidget(self._size, 1)
        tools.addStretch(1)
        for button in (self.undo, self.redo, self.invert, self.clear):
            tools.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.surface, 1)
        column.addLayout(tools)

    def _add_keys(self) -> None:
        standard = QKeySequence.StandardKey
        for keys, do in (
            (QKeySequence("["), lambda: self.surface.grow_brush(-1)),
            (QKeySequence("]"), lambda: self.surface.grow_brush(1)),
            (QKeySequence("E"), lambda: self.surface.set_erasing(not self.surface.erasing)),
            (QKeySequence("I"), self.invert.click),
            (QKeySequence(standard.Undo), self._undo),
            (QKeySequence(standard.Redo), self._redo),
            (QKeySequence("Esc"), self.cancel.click),
            (QKeySequence("Ctrl+Return"), self.done.click),
        ):
            shortcut = QShortcut(keys, self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(do)

    # What the tools do

    def finish(self) -> None:
        """Hand the mask over; nothing while nothing is painted."""
        if not self.surface.layer.is_empty():
            self.finished.emit(self.surface.layer.png())

    def _undo(self) -> None:
        self.surface.changed(self.surface.layer.undo())

    def _redo(self) -> None:
        self.surface.changed(self.surface.layer.redo())

    def _tool_follows(self, erasing: bool) -> None:
        self.tool.choose(_ERASE if erasing else _PAINT)

    def _follow(self) -> None:
        layer = self.surface.layer
        self.undo.setEnabled(layer.can_undo)
        self.redo.setEnabled(layer.can_redo)
        painted = not layer.is_empty()
        self.done.setEnabled(painted)
        self.clear.setEnabled(painted)

    def _recolour(self) -> None:
        self.surface.set_colour(self._theme.colour("accent"))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002 (Qt's name)
        painter = start(self)
        box(painter, QRectF(self.rect()), self._theme.colour("canvas"), None, CARD_RADIUS)
        painter.end()


def _native(keys: QKeySequence) -> str:
    return keys.toString(QKeySequence.SequenceFormat.NativeText)
