"""What the gallery says where there are no pictures."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.ui import icons
from app.ui.controls.button import Button
from app.ui.controls.drawing import start
from app.ui.controls.words import Words
from app.ui.theme import Theme

_ICON = 44


class Empty(QWidget):
    """``draw_wanted``: there are none yet. ``all_wanted``: none was found."""

    draw_wanted = Signal()
    all_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._none_yet = True
        self._title = Words(theme, "", "title")
        self._body = Words(theme, "", "body", "dim", wrap=True)
        self._body.setFixedWidth(380)
        for words in (self._title, self._body):
            words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.button = Button(theme, "", "action")
        self.button.clicked.connect(self._press)
        centre = Qt.AlignmentFlag.AlignHCenter
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addStretch(4)
        column.addSpacing(_ICON + 12)
        column.addWidget(self._title, 0, centre)
        column.addWidget(self._body, 0, centre)
        column.addSpacing(10)
        column.addWidget(self.button, 0, centre)
        column.addStretch(5)
        theme.changed.connect(self.update)
        self.say_none_yet()

    def say_none_yet(self) -> None:
        """Nothing has been drawn."""
        body = "What you draw is kept here, with its recipe, and can be found again."
        self._say(True, "No pictures yet", "Draw a picture", body)

    def say_looking(self) -> None:
        """The folders have not been looked at to the end."""
        self._say(True, "Looking for pictures…", "", "Every picture of the folder is listed once.")

    def say_none_found(self, asked: str) -> None:
        """``asked`` finds nothing."""
        what = f"No picture has all of “{asked}”." if asked else "No picture is marked like that."
        self._say(False, "Nothing found", "Show all pictures", what)

    def _say(self, none_yet: bool, title: str, button: str, body: str) -> None:
        self._none_yet = none_yet
        self._title.setText(title)
        self._body.setText(body)
        self.button.setVisible(bool(button))
        self.button.set_text(button)
        self.button.set_kind("action" if none_yet else "quiet")
        self.setAccessibleName(f"{title}. {body}")
        self.update()

    def _press(self) -> None:
        (self.draw_wanted if self._none_yet else self.all_wanted).emit()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        top = self._title.geometry().top() - _ICON - 14
        at = QRectF(self.width() / 2 - _ICON / 2, top, _ICON, _ICON)
        name = "picture" if self._none_yet else "search"
        icons.paint(painter, name, at, self.theme.colour("ghost"))
        painter.end()
