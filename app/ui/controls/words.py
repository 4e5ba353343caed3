"""Words on the window's ground, in a role's font and a token's colour, through theme changes."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QWidget

from app.ui.theme import Theme


class Words(QLabel):
    """A label; plain text unless ``rich``. Links in rich text can be reached by Tab."""

    def __init__(
        self,
        theme: Theme,
        text: str = "",
        role: str = "body",
        colour: str = "text",
        *,
        rich: bool = False,
        wrap: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._colour = colour
        self.setTextFormat(Qt.TextFormat.RichText if rich else Qt.TextFormat.PlainText)
        self.setText(text)
        self.setFont(theme.font(role))
        self.setWordWrap(wrap)
        theme.changed.connect(self._tint)
        self._tint()

    def set_colour(self, colour: str) -> None:
        if colour != self._colour:
            self._colour = colour
            self._tint()

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        hint = super().minimumSizeHint()
        return QSize(min(hint.width(), 40), hint.height()) if self.wordWrap() else hint

    def _tint(self) -> None:
        tinted = QPalette()
        tinted.setColor(QPalette.ColorRole.WindowText, self._theme.colour(self._colour))
        tinted.setColor(QPalette.ColorRole.Link, self._theme.colour("link"))
        self.setPalette(tinted)
        if self.textFormat() is Qt.TextFormat.RichText and (text := self.text()):
            self.clear()  # links keep the colour they were laid out with
            self.setText(text)
