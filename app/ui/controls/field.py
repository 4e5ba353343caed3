"""One line to type in, drawn as a field."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, QSize
from PySide6.QtGui import QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from app.ui.controls.drawing import body, box, halo, start
from app.ui.theme import Theme
from app.ui.tokens import ACTION, HALO


class Field(QWidget):
    """``edit`` is what is typed into; a ``secret`` one shows dots. ``icon`` stands before it."""

    def __init__(
        self, theme: Theme, name: str, hint: str = "", *, secret: bool = False, icon: str = ""
    ) -> None:
        super().__init__()
        self._theme = theme
        self._icon = icon
        self.edit = QLineEdit()
        self.edit.setObjectName("bare")
        self.edit.setAccessibleName(name)
        self.edit.setPlaceholderText(hint)
        self.edit.setFrame(False)
        self.edit.setFont(theme.font("body"))
        if secret:
            self.edit.setEchoMode(QLineEdit.EchoMode.Password)
        self.edit.installEventFilter(self)
        self.setFocusProxy(self.edit)
        row = QHBoxLayout(self)
        row.setContentsMargins(HALO + (31 if icon else 9), HALO, HALO + 9, HALO)
        row.addWidget(self.edit)
        self.setFixedHeight(ACTION + 2 * HALO)
        theme.changed.connect(self._tint)
        self._tint()

    def text(self) -> str:
        """What was typed, without spaces around it."""
        return self.edit.text().strip()

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return QSize(240, ACTION + 2 * HALO)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        if watched is self.edit and event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.update()
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        at, colour = body(self), self._theme.colour
        box(painter, at, colour("surface" if self.isEnabled() else "sunken"), colour("line"))
        if self.edit.hasFocus():
            halo(painter, at, self._theme)
        if self._icon:
            from app.ui import icons

            where = QRectF(at.left() + 10, at.center().y() - 8, 16, 16)
            icons.paint(painter, self._icon, where, colour("dim"))
        painter.end()

    def _tint(self) -> None:
        tinted = self.edit.palette()
        tinted.setColor(QPalette.ColorRole.Text, self._theme.colour("text"))
        tinted.setColor(QPalette.ColorRole.PlaceholderText, self._theme.colour("faint"))
        self.edit.setPalette(tinted)
        self.update()
