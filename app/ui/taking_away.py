"""Taking pictures and recipes elsewhere: Copy Recipe, Save All, and what is dragged out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QFileDialog, QWidget

from app.core import recipe_json
from app.core.recipe import Recipe
from app.core.settings import Settings
from app.library.copies import copies_in, copy_for_others, sweep_copies
from app.library.library import Picture
from app.library.recipe_text import parameters
from app.messages import shown
from app.ui.background import Background

RECIPE = "application/x-easel-recipe+json"
"""The type under which a recipe of ours is on the clipboard, beside the text."""

KEPT_S = 24 * 3600.0
"""How long a converted copy is kept for the program that it was dropped on."""


class TakingAway(QObject):
    """Belongs to ``window``, where its keys work.

    ``pictures`` gives all of this session, ``settings`` those of now; converted copies go below
    ``folder``. ``saved`` carries the folder that pictures were saved to and their number.
    """

    said = Signal(str)
    saved = Signal(object, int)
    problem = Signal(object)

    def __init__(
        self,
        window: QWidget,
        background: Background,
        pictures: Callable[[], Sequence[Picture]],
        settings: Callable[[], Settings],
        folder: Path,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._background = background
        self._pictures = pictures
        self._settings = settings
        self._folder = folder
        self._recipe: Recipe | None = None
        self.copy_recipe = self._action("Copy Recipe", "Ctrl+Alt+C", self._copy_recipe)
        self.save_all = self._action("Save All…", "Ctrl+Alt+S", self.ask_for_folder)

    def set_recipe(self, recipe: Recipe | None) -> None:
        """Of the picture at hand; None switches off what needs one."""
        self._recipe = recipe
        self.copy_recipe.setEnabled(recipe is not None)
        self.save_all.setEnabled(bool(self._pictures()))

    def leaving(self, picture: Picture) -> Path:
        """The file to drag out: in the form that is set, and with Option or Alt held bare.

        Raises PictureUnreadable, FolderNotWritable, NoSpace.
        """
        bare = bool(QGuiApplication.queryKeyboardModifiers() & Qt.KeyboardModifier.AltModifier)
        suffix = self._settings().carried_suffix
        sweep_copies(self._folder, time.time() - KEPT_S)
        return copy_for_others(picture, self._folder, suffix, bare=bare)

    def ask_for_folder(self) -> QFileDialog:
        """Open the system's dialog for the folder that all pictures of this session go to."""
        dialog = QFileDialog(self._window, "Save all pictures in")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda chosen: self.save_all_to(Path(chosen)))
        dialog.open()
        return dialog

    def save_all_to(self, folder: Path) -> None:
        """Copies of all pictures of this session, beside what is there, in the form that is set."""
        pictures, suffix = tuple(self._pictures()), self._settings().carried_suffix
        self._background.run(
            lambda: copies_in(pictures, folder, suffix),
            lambda saved: self.saved.emit(folder, len(saved)),
            self.problem.emit,
        )

    def _copy_recipe(self) -> None:
        if self._recipe is not None:
            QGuiApplication.clipboard().setMimeData(recipe_mime(self._recipe))
            self.said.emit("The recipe is on the clipboard")

    def _action(self, text: str, keys: str, do: Callable[[], object]) -> QAction:
        action = QAction(text, self._window)
        action.setShortcut(QKeySequence(keys))
        action.setEnabled(False)
        action.triggered.connect(lambda: do())
        self._window.addAction(action)
        return action


def recipe_mime(recipe: Recipe) -> QMimeData:
    """AUTOMATIC1111's text for other programs, and our JSON for Easel."""
    mime = QMimeData()
    mime.setText(parameters(recipe))
    mime.setData(RECIPE, recipe_json.to_json(recipe).encode())
    return mime


def saved_words(folder: Path, count: int) -> str:
    """What is said when ``count`` pictures were saved in ``folder``."""
    return f"Saved {'one picture' if count == 1 else f'{count} pictures'} in {shown(folder.name)}"
