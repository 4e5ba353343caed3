"""The licence of a model: read first, accepted with a tick, and only then is anything fetched."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.core.card import Licence
from app.core.errors import EaselError
from app.messages import describe
from app.ui.controls.button import Button
from app.ui.controls.tick import Tick
from app.ui.controls.words import Words
from app.ui.licence_text import LicenceText
from app.ui.theme import Theme
from app.ui.tokens import HALO

_EDGE = 28


class LicenceSheet(QDialog):
    """``agreed``: the tick was set and Accept pressed. Without ``asks`` it can only be read."""

    agreed = Signal()

    def __init__(
        self, theme: Theme, licence: Licence, model: str, parent: QWidget, *, asks: bool
    ) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setWindowTitle("Licence")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.title = Words(theme, licence.title, "title", wrap=True)
        does = "comes under this licence. It has to be accepted before anything is downloaded."
        if not asks:
            does = "comes under this licence."
        self.about = Words(theme, f"{model} {does}", "body", "dim", wrap=True)
        self.restrictions = LicenceText(theme, "Use restrictions", licence.restrictions, "soft")
        self.text = LicenceText(theme, "Text of the licence", licence.text, "surface")
        self.box = Tick(theme, "I have read the licence and accept it")
        self.trouble = Words(theme, "", "secondary", "bad", wrap=True)
        self.trouble.hide()
        self.accept_button = Button(theme, "Accept and get", "action")
        self.accept_button.setEnabled(False)
        self.box.toggled.connect(self.accept_button.setEnabled)
        self.accept_button.clicked.connect(self._agree)
        self.close_button = Button(theme, "Cancel" if asks else "Close", "quiet")
        self.close_button.clicked.connect(self.reject)
        self.box.setVisible(asks)
        self.accept_button.setVisible(asks)
        self._lay_out(bool(licence.restrictions))
        self.resize(660, 680)
        self.text.setFocus()

    def complain(self, error: EaselError) -> None:
        """What was agreed to could not be kept: say so here, where it was said."""
        message = describe(error)
        self.trouble.setText(f"{message.title}. {message.body} {message.next_step}".strip())
        self.trouble.show()

    def _lay_out(self, restricted: bool) -> None:
        theme = self.theme
        column = QVBoxLayout(self)
        column.setContentsMargins(_EDGE - HALO, 24, _EDGE - HALO, 20)
        column.setSpacing(6)
        apart = Words(theme, "What you may not do with it", "label", "dim")
        whole = Words(theme, "The whole licence", "label", "dim")
        # Controls have room for a halo around them: what is seen of all lines up.
        for words in (self.title, self.about, apart, whole, self.trouble):
            words.setContentsMargins(HALO, 0, HALO, 0)
        column.addWidget(self.title)
        column.addWidget(self.about)
        column.addSpacing(8)
        if restricted:
            column.addWidget(apart)
            column.addLayout(_inset(self.restrictions), 2)
            column.addSpacing(8)
        else:
            self.restrictions.setParent(None)
        column.addWidget(whole)
        column.addLayout(_inset(self.text), 3)
        column.addSpacing(6)
        column.addWidget(self.trouble)
        foot = QHBoxLayout()
        foot.setContentsMargins(0, 0, 0, 0)
        foot.setSpacing(4)
        foot.addWidget(self.box)
        foot.addStretch(1)
        foot.addWidget(self.close_button)
        foot.addWidget(self.accept_button)
        column.addLayout(foot)

    def _agree(self) -> None:
        if self.box.isChecked():
            self.agreed.emit()


def _inset(text: LicenceText) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(HALO, 0, HALO, 0)
    row.addWidget(text)
    return row
