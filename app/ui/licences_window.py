"""The licences that models come under, whole, from this disk: Help > Licences."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.core.errors import EaselError
from app.messages import describe
from app.ui.controls.button import Button
from app.ui.controls.choice import Choice
from app.ui.controls.words import Words
from app.ui.licence_sheet import LicenceText
from app.ui.theme import Theme
from app.ui.tokens import HALO
from app.weights.licences import KNOWN, licence

_EDGE = 28


class LicencesWindow(QDialog):
    """Shows one text at a time; asks nobody."""

    def __init__(self, theme: Theme, folder: Path, parent: QWidget) -> None:
        super().__init__(parent)
        self._folder = folder
        self.setWindowTitle("Licences")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.choice = Choice(theme, "Licence")
        self.text = LicenceText(theme, "Text of the licence", "", "surface")
        for id in sorted(KNOWN):
            try:
                self.choice.addItem(licence(folder, id).title, id)
            except EaselError:  # said when it is chosen
                self.choice.addItem(id, id)
        self.choice.currentIndexChanged.connect(self._show)
        done = Button(theme, "Done", "quiet")
        done.clicked.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(_EDGE, 24, _EDGE, 20)
        column.setSpacing(8)
        column.addWidget(Words(theme, "Licences", "title"))
        column.addWidget(
            Words(theme, "What the models that Easel can get come under.", "secondary", "dim")
        )
        row = QHBoxLayout()
        row.setContentsMargins(-HALO, 0, -HALO, 0)
        row.addWidget(self.choice)
        column.addLayout(row)
        column.addWidget(self.text, 1)
        foot = QHBoxLayout()
        foot.setContentsMargins(0, 0, -HALO, 0)
        foot.addStretch(1)
        foot.addWidget(done)
        column.addLayout(foot)
        self._show()

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return QSize(660, 640)

    def _show(self) -> None:
        try:
            self.text.show_text(licence(self._folder, self.choice.currentData()).text)
        except EaselError as error:
            message = describe(error)
            self.text.show_text(f"{message.title}. {message.body} {message.next_step}")
