"""One line of words that ends in "…" where there is no room for all of it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent

from app.ui.controls.words import Words
from app.ui.theme import Theme


class ElidedWords(Words):
    """``whole`` is all of it: what a screen reader says, and the tool tip where it is cut."""

    def __init__(
        self, theme: Theme, whole: str = "", role: str = "body", colour: str = "text"
    ) -> None:
        self.whole = whole
        super().__init__(theme, whole, role, colour)
        self.setAccessibleName(whole)

    def say(self, whole: str) -> None:
        """Other words."""
        self.whole = whole
        self.setAccessibleName(whole)
        self._fit()
        self.updateGeometry()

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self.whole) + 2, metrics.height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return QSize(40, self.fontMetrics().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        end = Qt.TextElideMode.ElideRight
        shown = self.fontMetrics().elidedText(self.whole, end, self.width())
        if shown != self.text():
            self.setText(shown)
        self.setToolTip(self.whole if shown != self.whole else "")
