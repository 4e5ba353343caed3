"""Marks the part of a prompt that the model will not read."""

from __future__ import annotations

from PySide6.QtGui import QSyntaxHighlighter, QTextCharFormat, QTextDocument

from app.ui.theme import Theme


class CutMarker(QSyntaxHighlighter):
    """Greys and strikes the text from ``cut`` on: the part past the model's token limit."""

    def __init__(self, document: QTextDocument, theme: Theme) -> None:
        super().__init__(document)
        self._theme = theme
        self._cut: int | None = None
        theme.changed.connect(self.rehighlight)

    @property
    def cut(self) -> int | None:
        return self._cut

    def mark(self, cut: int | None) -> None:
        """Mark from UTF-16 position ``cut`` on; None for nothing."""
        if cut != self._cut:
            self._cut = cut
            self.rehighlight()

    def highlightBlock(self, text: str) -> None:  # noqa: N802 (Qt's name)
        if self._cut is None:
            return
        begin = self.currentBlock().position()
        length = self.currentBlock().length()
        first = max(0, self._cut - begin)
        if first < length and text:
            style = QTextCharFormat()
            style.setForeground(self._theme.colour("faint"))
            style.setFontStrikeOut(True)
            self.setFormat(first, length - first, style)
