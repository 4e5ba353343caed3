"""Settings of what is saved: where, in which form, under which name."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from app.core.errors import EaselError, FolderNotWritable, TemplateProblem
from app.core.recipe import Recipe, Scheduler, Size
from app.files.atomic_file import check_writable
from app.library.file_names import DEFAULT, Template
from app.messages import shown
from app.ui.controls.button import Button
from app.ui.controls.choice import Choice
from app.ui.controls.elided import ElidedWords
from app.ui.controls.field import Field
from app.ui.setting_row import Beside, SettingRow
from app.ui.settings_section import USUAL, Section, fill
from app.ui.tokens import HALO

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow

FORMS: tuple[tuple[str, str], ...] = (
    ("PNG, nothing is lost", ".png"),
    ("JPEG, smaller", ".jpg"),
    ("WebP, smaller still", ".webp"),
    ("AVIF, the smallest", ".avif"),
)
FOLDER = (
    "When it cannot be written to, because a disk is not plugged in, say, new pictures go to "
    "Easel's own folder and the window tells you."
)
_BARE_KEY = "Option" if sys.platform == "darwin" else "Alt"
_EXAMPLE = Recipe("a red apple on a table", "starter", Size(512, 512), 20, 7.5, 17, Scheduler.EULER)


class PictureSettings(Section):
    """Where pictures go and what they are called."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window, "Pictures")
        theme = self.theme
        # 1. The folder
        self.path = ElidedWords(theme)
        self.path.setContentsMargins(HALO, 0, 8, 0)
        self.choose = Button(theme, "Choose…", "quiet")
        self.choose.setAccessibleName("Choose the folder for pictures")
        self.choose.clicked.connect(self.ask_for_folder)
        self.folder = self.add(
            "folder",
            SettingRow(theme, "Save in", FOLDER, Beside(self.path, self.choose)),
            lambda: self.change(self.folder, pictures_folder=None),
        )
        # 2. The form
        self.form = Choice(theme, "Form of saved pictures")
        self.form.currentIndexChanged.connect(self._form_chosen)
        self.form_row = self.add(
            "form",
            SettingRow(theme, "Save as", "Each carries its recipe, whatever its form.", self.form),
            lambda: self.change(self.form_row, picture_suffix=None),
        )
        # 3. The name
        self.name = Field(theme, "Names of pictures", DEFAULT)
        self.name.edit.textEdited.connect(self._name_typed)
        self.name.edit.editingFinished.connect(self._name_done)
        self.name_row = self.add(
            "name",
            SettingRow(theme, "Names", "", self.name),
            lambda: self.change(self.name_row, name_template=None),
        )
        # 4. What is dragged out
        self.carried = Choice(theme, "Form of what is dragged out")
        self.carried.currentIndexChanged.connect(self._carried_chosen)
        self.carried_row = self.add(
            "carried",
            SettingRow(
                theme,
                "Drag out as",
                f"Hold {_BARE_KEY} while you drag, and the copy leaves without its recipe.",
                self.carried,
            ),
            lambda: self.change(self.carried_row, carried_suffix=None),
        )

    def refresh(self) -> None:
        settings, easel = self.settings, self.window_.easel
        self.path.say(shown(easel.library.folder))
        self.folder.show_changed(settings.pictures_folder is not None)
        chosen = settings.pictures_folder
        gone = chosen is not None and not Path(chosen).is_dir()
        self.folder.complain(FolderNotWritable(chosen, "gone") if gone and chosen else None)
        suffix = settings.picture_suffix or ".png"
        fill(self.form, list(FORMS), suffix)
        self.form_row.show_changed(suffix != ".png")
        pattern = settings.name_template or DEFAULT
        if not self.name.edit.hasFocus() and self.name.text() != pattern:
            self.name.edit.setText(pattern)
        self.name_row.show_changed(settings.name_template not in (None, DEFAULT))
        self._say_example(self.name.text())
        fill(self.carried, [("As it was saved", None), *FORMS], settings.carried_suffix)
        self.carried_row.show_changed(settings.carried_suffix != USUAL.carried_suffix)

    # The folder

    def ask_for_folder(self) -> QFileDialog:
        """Open the system's dialog for a folder."""
        dialog = QFileDialog(self, "Save pictures in")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda chosen: self.use_folder(Path(chosen)))
        dialog.open()
        return dialog

    def use_folder(self, folder: Path) -> bool:
        """Save in ``folder`` from now on; false, and nothing changed, where that cannot be."""
        try:
            check_writable(folder)
        except EaselError as error:
            self.folder.complain(error)
            return False
        usual = self.window_.easel.folders.pictures
        chosen = None if folder == usual else str(folder.absolute())
        return self.change(self.folder, pictures_folder=chosen)

    # The form and the name

    def _form_chosen(self, _index: int) -> None:
        suffix = self.form.currentData()
        self.change(self.form_row, picture_suffix=None if suffix == ".png" else suffix)

    def _carried_chosen(self, _index: int) -> None:
        self.change(self.carried_row, carried_suffix=self.carried.currentData())

    def _name_typed(self, _text: str) -> None:
        text = self.name.text()
        if self._say_example(text):
            self.change(self.name_row, name_template=None if text in ("", DEFAULT) else text)

    def _name_done(self) -> None:
        """What cannot be a name does not stay."""
        if not self._say_example(self.name.text()):
            self.name.edit.setText(self.settings.name_template or DEFAULT)
            self._say_example(self.name.text())

    def _say_example(self, text: str) -> bool:
        """Under the field: what a picture would be called, or why none can be."""
        try:
            folder, stem = Template(text or DEFAULT).name(_EXAMPLE, datetime.now().astimezone())
        except TemplateProblem as error:
            self.name_row.say("")
            self.name_row.complain(error)
            return False
        suffix = self.settings.picture_suffix or ".png"
        self.name_row.complain(None)
        self.name_row.say(f"For example {folder / (stem + suffix)}")
        return True
