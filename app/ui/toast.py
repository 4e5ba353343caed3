"""One line that comes, says something worth knowing, and goes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, QPropertyAnimation, Qt, QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.ui.controls.button import Button
from app.ui.controls.drawing import body, box, shadow, start
from app.ui.controls.words import Words
from app.ui.theme import Theme

SECONDS = 6


class Toast(QWidget):
    """Lies at the top of ``over``; a click on its action or the passing of time ends it."""

    def __init__(self, theme: Theme, over: QWidget) -> None:
        super().__init__(over)
        self.theme = theme
        self._over = over
        self._then: Callable[[], object] | None = None
        self._or_else: Callable[[], object] | None = None
        self._words = Words(theme, "", "body")
        self.action_button = Button(theme, "", "soft")
        self.action_button.clicked.connect(self._act)
        self.other_button = Button(theme, "", "flat")
        self.other_button.clicked.connect(self._decline)
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(22, 11, 16, 13)
        row.setSpacing(2)
        row.addWidget(self._words)
        row.addSpacing(8)
        row.addWidget(self.action_button)
        row.addWidget(self.other_button)
        self._going = QTimer(self)
        self._going.setSingleShot(True)
        self._going.setInterval(SECONDS * 1000)
        self._going.timeout.connect(self.hide)
        self._motion = QPropertyAnimation(self, b"pos", self)
        over.installEventFilter(self)
        theme.changed.connect(self.update)
        self.hide()

    def say(
        self, text: str, action: str | None = None, then: Callable[[], object] | None = None
    ) -> None:
        """Show ``text`` for some seconds, with a button ``action`` that calls ``then``."""
        self._then, self._or_else = then, None
        self._name(self.action_button, action)
        self._name(self.other_button, None)
        self._open(text)
        self._going.start()

    def ask(
        self, text: str, yes: tuple[str, Callable[[], object]], no: tuple[str, Callable[[], object]]
    ) -> None:
        """Show ``text`` until one of two buttons is pressed; each is (words, what it calls)."""
        self._then, self._or_else = yes[1], no[1]
        self._name(self.action_button, yes[0])
        self._name(self.other_button, no[0])
        self._open(text)
        self._going.stop()

    def _open(self, text: str) -> None:
        widest = max(160, self._over.width() - 220)
        shown = self._words.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, widest)
        self._words.setText(shown)
        self._words.setToolTip(text if shown != text else "")
        self.setAccessibleName(text)
        self._row.activate()
        self.adjustSize()
        target = self._place()
        self.move(target)
        self.raise_()
        self.show()
        if self.theme.motion_ms:
            self._motion.setDuration(self.theme.motion_ms)
            self._motion.setStartValue(target - QPoint(0, 12))
            self._motion.setEndValue(target)
            self._motion.start()

    @staticmethod
    def _name(button: Button, words: str | None) -> None:
        button.setVisible(words is not None)
        if words is not None:
            button.set_text(words)

    @property
    def text(self) -> str:
        return self.accessibleName()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        if watched is self._over and event.type() == QEvent.Type.Resize and self.isVisible():
            self.move(self._place())
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        at = body(self).adjusted(4, 1, -4, -4)
        shadow(painter, at, self.theme, 10.0, 6)
        box(painter, at, self.theme.colour("surface"), self.theme.colour("line"), 10.0)
        painter.end()

    def _place(self) -> QPoint:
        return QPoint((self._over.width() - self.width()) // 2, 8)

    def _act(self) -> None:
        self.hide()
        if self._then is not None:
            self._then()

    def _decline(self) -> None:
        self.hide()
        if self._or_else is not None:
            self._or_else()
