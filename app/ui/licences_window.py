"""The licences that models come under, whole, from this disk: Help > Licences."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.core.card import Licence
from app.core.errors import EaselError
from app.messages import describe, shown
from app.ui.controls.button import Button
from app.ui.controls.choice import Choice
from app.ui.controls.words import Words
from app.ui.licence_text import LicenceText
from app.ui.theme import Theme
from app.ui.tokens import HALO
from app.weights.licences import KNOWN, licence

_EDGE = 28


class LicencesWindow(QDialog):
    """Shows one text at a time; asks nobody.

    To the texts in ``folder`` come ``others``: of models that were added by name or brought in.
    """

    def __init__(
        self, theme: Theme, folder: Path, others: tuple[Licence, ...], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._folder = folder
        self._texts: dict[str, str] = {}
        self.setWindowTitle("Licences")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.choice = Choice(theme, "Licence")
        self.text = LicenceText(theme, "Text of the licence", "", "surface")
        for id in sorted(KNOWN):
            try:
                text = licence(folder, id)
                self._texts[text.sha256] = text.text
                self.choice.addItem(text.title, text.sha256)
            except EaselError:  # said when it is chosen
                self.choice.addItem(id, id)
        for other in others:
            if other.sha256 not in self._texts:
                self._texts[other.sha256] = other.text
                self.choice.addItem(shown(other.title), other.sha256)
        self.choice.currentIndexChanged.connect(self._show)
        done = Button(theme, "Done", "quiet")
        done.clicked.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(_EDGE - HALO, 24, _EDGE - HALO, 20)
        column.setSpacing(8)
        title = Words(theme, "Licences", "title")
        about = "What the models that Easel can get come under."
        said = Words(theme, about, "secondary", "dim")
        for words in (title, said):
            words.setContentsMargins(HALO, 0, HALO, 0)
            column.addWidget(words)
        column.addWidget(self.choice)
        row = QHBoxLayout()
        row.setContentsMargins(HALO, 0, HALO, 0)
        row.addWidget(self.text)
        column.addLayout(row, 1)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(done)
        column.addLayout(foot)
        self.resize(660, 680)
        self._show()

    def _show(self) -> None:
        chosen = self.choice.currentData()
        try:
            known = self._texts.get(chosen)
            self.text.show_text(known or licence(self._folder, chosen).text)
        except EaselError as error:
            message = describe(error)
            self.text.show_text(f"{message.title}. {message.body} {message.next_step}")
