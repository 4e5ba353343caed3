"""One picture large: walked through, looked at closely, with what it says of itself beside it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.core.errors import EaselError
from app.library.copies import read_pixels
from app.library.entry import Entry
from app.library.gallery import Gallery
from app.ui.background import Background
from app.ui.controls.button import Button, IconButton
from app.ui.controls.words import Words
from app.ui.gallery.facts import Facts
from app.ui.gallery.photo import Photo
from app.ui.gallery.pictures import words_of
from app.ui.gallery.thumbs import Thumbs
from app.ui.item import to_image
from app.ui.theme import Theme
from app.ui.tokens import HALO


class Viewer(QWidget):
    """``walked`` carries how far the arrows went: 1 is the next. ``closed``: back to all.

    ``shown`` carries the Entry that is seen now, ``compare_wanted`` it and the one it came of.
    """

    walked = Signal(int)
    closed = Signal()
    shown = Signal(object)
    compare_wanted = Signal(object, object)
    heart_pressed = Signal(object)
    problem = Signal(object)

    def __init__(
        self, theme: Theme, gallery: Gallery, thumbs: Thumbs, background: Background
    ) -> None:
        super().__init__()
        self.theme = theme
        self._gallery = gallery
        self._background = background
        self.entry: Entry | None = None
        self.photo = Photo(theme)
        self.facts = Facts(theme, thumbs)
        self.back = Button(theme, "All pictures", "flat", icon="back")
        self.place = Words(theme, "", "secondary", "dim")
        self.previous = IconButton(theme, "back", "Previous picture", 32)
        self.next = IconButton(theme, "forward", "Next picture", 32)
        self.heart = IconButton(theme, "heart", "Favourite", 32)
        self.zoom = Button(theme, "100 %", "flat")
        self._lay_out()
        self.setAccessibleName("Picture, large")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.back.clicked.connect(self.closed)
        self.previous.clicked.connect(lambda: self.walked.emit(-1))
        self.next.clicked.connect(lambda: self.walked.emit(1))
        self.heart.clicked.connect(lambda: self.heart_pressed.emit(self.entry))
        self.zoom.clicked.connect(lambda: self.photo.set_whole(not self.photo.whole))
        self.photo.zoomed.connect(lambda on: self.zoom.set_text("Fit" if on else "100 %"))
        self.facts.wanted.connect(self.look_at)
        self.facts.compare_wanted.connect(lambda p: self.compare_wanted.emit(p, self.entry))

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(0, 0, 0, 0)
        top.setSpacing(2)
        top.addWidget(self.back)
        top.addStretch(1)
        top.addWidget(self.previous)
        top.addWidget(self.place)
        top.addWidget(self.next)
        top.addStretch(1)
        top.addWidget(self.heart)
        top.addWidget(self.zoom)
        row = QHBoxLayout()
        row.setContentsMargins(HALO, 0, 0, 16)
        row.setSpacing(16)
        row.addWidget(self.photo, 1)
        row.addWidget(self.facts)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(top)
        column.addLayout(row, 1)

    def look_at(self, entry: Entry) -> None:
        """Show ``entry``; it is read on a thread."""
        other = self.entry is None or entry.key != self.entry.key
        self.entry = entry
        self.setAccessibleDescription(words_of(entry))
        self.heart.set_icon("heart filled" if entry.favourite else "heart", "Favourite")
        self.facts.tell(entry, self._gallery.parent(entry), self._gallery.children(entry))
        if other:
            self.photo.set_whole(True)
            self._read(entry)
        self.shown.emit(entry)

    def say_place(self, row: int, of: int) -> None:
        """It is number ``row`` (from 0; -1: not among them) of ``of``."""
        number = QLocale().toString
        self.place.setText(f"{number(row + 1)} of {number(of)}" if row >= 0 else "")
        self.previous.setEnabled(row > 0)
        self.next.setEnabled(0 <= row < of - 1)

    def _read(self, entry: Entry) -> None:
        def done(image: QImage) -> None:
            if self.entry is not None and self.entry.key == entry.key:
                self.photo.show_image(image)

        def failed(error: EaselError) -> None:
            if self.entry is not None and self.entry.key == entry.key:
                self.photo.show_image(None)
                self.problem.emit(error)

        self._background.run(lambda: to_image(read_pixels(entry.file)), done, failed)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        keys = Qt.Key
        does: dict[int, Callable[[], None]] = {
            keys.Key_Left: lambda: self.walked.emit(-1),
            keys.Key_Up: lambda: self.walked.emit(-1),
            keys.Key_Right: lambda: self.walked.emit(1),
            keys.Key_Down: lambda: self.walked.emit(1),
            keys.Key_Space: self.closed.emit,
            keys.Key_Escape: self.closed.emit,
            keys.Key_1: lambda: self.photo.set_whole(False),
            keys.Key_0: lambda: self.photo.set_whole(True),
        }
        do = does.get(event.key())
        if do is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
        else:
            do()
