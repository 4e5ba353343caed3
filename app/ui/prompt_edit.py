"""The box a prompt is typed into: grows with its text, marks what the model will not read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QMimeData, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QPalette,
    QResizeEvent,
)
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextEdit

from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.ui.cut_marker import CutMarker


class PromptEdit(QTextEdit):
    """Plain text of any length, direction and script. Tab leaves it.

    ``submitted`` tells of Ctrl/Cmd-Return; ``focused`` of focus coming (True) and going.
    """

    submitted = Signal()
    focused = Signal(bool)

    def __init__(
        self, theme: Theme, name: str, placeholder: str, role: str, lines: tuple[int, int]
    ) -> None:
        super().__init__()
        self.theme = theme
        self._lines = lines
        self.setAccessibleName(name)
        self.setPlaceholderText(placeholder)
        self.setAcceptRichText(False)
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFont(theme.font(role))
        self.document().setDocumentMargin(0)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        clear = QPalette()
        clear.setColor(QPalette.ColorRole.Base, Qt.GlobalColor.transparent)
        self.setPalette(clear)
        self._marker: CutMarker | None = None
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    def set_most(self, lines: int) -> None:
        """Grow up to ``lines``; more scrolls."""
        self._lines = (self._lines[0], lines)
        self._fit()

    def watch_length(self) -> None:
        """Be ready to mark what is too long."""
        from app.ui.cut_marker import CutMarker

        self._marker = CutMarker(self.document(), self.theme)

    def mark_from(self, cut: int | None) -> None:
        """Mark the text from UTF-16 position ``cut`` on; None for nothing."""
        if self._marker is not None:
            self._marker.mark(cut)

    @property
    def cut_from(self) -> int | None:
        """Where the marked part begins."""
        return None if self._marker is None else self._marker.cut

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return QSize(300, self.height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return QSize(120, self.minimumHeight())

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            undoes = event.matches(QKeySequence.StandardKey.Undo)
            redoes = event.matches(QKeySequence.StandardKey.Redo)
            document = self.document()
            if (undoes and not document.isUndoAvailable()) or (
                redoes and not document.isRedoAvailable()
            ):
                event.ignore()  # then it is the form's
                return False
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        held = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if held and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.submitted.emit()
            return
        super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 (Qt's name)
        super().focusInEvent(event)
        self.focused.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 (Qt's name)
        super().focusOutEvent(event)
        self.focused.emit(False)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        super().resizeEvent(event)
        self._fit()

    def insertFromMimeData(self, source: QMimeData) -> None:  # noqa: N802 (Qt's name)
        # A NUL ends strings in many a program: it never gets as far as the prompt.
        text = source.text().replace("\0", " ")
        if text:
            self.textCursor().insertText(text)

    def _fit(self, *_ignored: object) -> None:
        line = self.fontMetrics().lineSpacing()
        least, most = self._lines
        wanted = round(self.document().size().height())
        height = max(least * line, min(wanted, most * line)) + 4
        if height != self.height() or self.minimumHeight() != height:
            self.setFixedHeight(height)
        scrolls = wanted > most * line + 4
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAsNeeded if scrolls else policy.ScrollBarAlwaysOff
        )
