"""Joins what one does with pictures and words to the window; called once, after its first paint."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint
from PySide6.QtGui import QAction, QPixmap
from PySide6.QtWidgets import QWidget

from app.core.errors import EaselError
from app.core.model import Feature, Model
from app.core.recipe import How, Parent, Recipe
from app.library.library import Picture
from app.ui.background import Background
from app.ui.drag import Carried, DragSource, carry
from app.ui.grid_drawing import GridDrawing
from app.ui.item import Item, draft_of
from app.ui.model_errands import show_folder
from app.ui.palette import read_palette
from app.ui.picture_actions import PictureActions
from app.ui.recipe_intake import RecipeIntake
from app.ui.start_intake import Taken
from app.ui.starting import LOW, Starting
from app.ui.taking_away import TakingAway, saved_words
from app.ui.wording import Wording

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow


def connect(window: MainWindow, draw: random.Random | None = None) -> Interactions:
    """Complete ``window``; ``draw`` is where surprises come from."""
    return Interactions(window, draw or random.Random())


class Interactions(QObject):
    """Everything of a window that is done with a picture or a word; lives as long as it does."""

    def __init__(self, window: MainWindow, draw: random.Random) -> None:
        super().__init__(window)
        self._window = window
        self._gone: dict[Path, Item] = {}
        self.background = Background(self)
        self.actions = PictureActions(self.background, window)
        self.taking = TakingAway(
            window,
            self.background,
            self._of_this_session,
            lambda: window.easel.settings,
            window.easel.folders.carried,
        )
        self.starting = Starting(
            window.theme,
            window,
            window.prompt,
            window.canvas,
            window.easel.keep_start,
            self.background,
        )
        palette = read_palette(window.easel.folders.resources)
        self.wording = Wording(window.theme, window.prompt, draw, palette)
        self.grids = GridDrawing(window, self.background)
        self.recipes = RecipeIntake(window, self.background)
        self.starting.drop.take_recipe = self.recipes.take_mime
        self._fill_pill()
        self._fill_menus()
        self._connect()
        self._model_changed(window.model())
        self._follow()

    def _connect(self) -> None:
        window, actions, starting = self._window, self.actions, self.starting
        window.closing.connect(self.background.wait)
        window.model_changed.connect(self._model_changed)
        window.surprise_wanted.connect(self._surprise)
        window.canvas.shown_changed.connect(self._follow)
        window.canvas.drag_wanted.connect(lambda: self._drag(window.canvas, actions.picture))
        window.canvas.menu_wanted.connect(self._open_menu)
        window.filmstrip.drag_wanted.connect(lambda one: self._drag(window.filmstrip, one))
        window.filmstrip.menu_wanted.connect(lambda _one, at: self._open_menu(at))
        window.inspector.changed.connect(self._shape_changed)
        starting.editing_changed.connect(self._make_room)
        actions.use_recipe.connect(self._use)
        actions.vary.connect(self._vary)
        starting.intake.taken.connect(self._came_of)
        actions.start_from.connect(starting.start_from)
        actions.redraw_part.connect(lambda file: starting.start_from(file, redraw=True))
        actions.removed.connect(self._removed)
        actions.restored.connect(self._restored)
        self.taking.saved.connect(self._all_saved)
        for part in (actions, starting, self.taking):
            part.problem.connect(window.complain)
            part.said.connect(window.toast)

    # How the actions are reached

    def _fill_pill(self) -> None:
        canvas, actions = self._window.canvas, self.actions
        self.handle = QAction("Drag me out", self)
        self.handle.setToolTip("Hold and drag the picture to the desktop or another program")
        self.handle.triggered.connect(
            lambda: self._window.toast("Hold it, and drag it to the desktop or another program")
        )
        grip = canvas.add_action(self.handle, accented=True)
        DragSource(grip, lambda _point: self._carried(actions.picture))
        for action in (
            actions.copy,
            actions.save_as,
            actions.another,
            actions.recipe,
            actions.redraw,
        ):
            canvas.add_action(action)

    def _fill_menus(self) -> None:
        window, actions, starting = self._window, self.actions, self.starting
        menu = window.menus.picture
        taking = self.taking
        menu.addActions([actions.copy, taking.copy_recipe, actions.save_as, taking.save_all])
        menu.addAction(actions.show)
        menu.addSeparator()
        menu.addActions([actions.recipe, actions.another, actions.start, actions.redraw])
        menu.addSeparator()
        add = window.menus.add
        add(menu, "Draw a Grid…", "Ctrl+Shift+G", lambda: self.grids.ask())
        menu.addSeparator()
        add(menu, "Start from a Picture…", "Ctrl+Alt+O", lambda: starting.choose())
        add(menu, "Start from the Clipboard", "Ctrl+Shift+V", lambda: starting.paste())
        menu.addSeparator()
        menu.addActions([actions.delete, actions.put_back])
        self.menu = menu

    def _open_menu(self, at: QPoint) -> None:
        menu = self.actions.menu(self._window)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)

    # What changes what they act on

    def _follow(self) -> None:
        canvas = self._window.canvas
        shown = canvas.shown() if canvas.isVisibleTo(self._window) else None
        self.actions.set_picture(None if shown is None else shown.picture)
        self.handle.setEnabled(self.actions.picture is not None)
        self.taking.set_recipe(None if shown is None else shown.recipe)

    def _model_changed(self, model: Model | None) -> None:
        features = model.limits.features if model is not None else frozenset[Feature]()
        self.actions.set_features(
            Feature.IMAGE_TO_IMAGE in features, Feature.INPAINTING in features
        )
        self.starting.set_model(model)
        if model is not None:
            self.wording.set_vocabulary(self._window.easel.vocabulary(model))
        self._shape_changed()

    def _shape_changed(self) -> None:
        self.starting.set_shape(self._window.inspector.size_chosen)

    def _make_room(self, editing: bool) -> None:
        window = self._window
        # 1. The next thing to do is to use the part: the accent is for that alone
        window.menus.undo.setEnabled(not editing)  # the brush has an undo of its own
        window.menus.redo.setEnabled(not editing)
        if editing:
            window.prompt.generate_button.set_kind("quiet")
        else:
            window.prompt.set_drawing(window.desk.busy)
        # 2. In a low window the brush needs the filmstrip's place more than the filmstrip does
        if not editing:
            window.filmstrip.setVisible(bool(window.desk))
        elif window.canvas.height() < LOW:
            window.filmstrip.hide()

    # What they do

    def _carried(self, picture: Picture | None) -> Carried | None:
        if picture is None:
            return None
        try:
            file = self.taking.leaving(picture)
        except EaselError as error:
            self._window.complain(error)
            return None
        shown = self._window.canvas.shown()
        if shown is not None and shown.picture == picture:
            return Carried(file, QPixmap.fromImage(shown.image))
        return Carried(file, QPixmap(str(picture.file)))

    def _of_this_session(self) -> list[Picture]:
        items = reversed(self._window.desk.items())
        return [item.picture for item in items if item.picture is not None]

    def _all_saved(self, folder: Path, count: int) -> None:
        self._window.toast(saved_words(folder, count), "Show", lambda: show_folder(folder))

    def _drag(self, source: QWidget, picture: Picture | None) -> None:
        carried = self._carried(picture)
        if carried is not None:
            carry(source, carried)

    def _use(self, recipe: Recipe) -> None:
        with self._window.history.as_one("Use Recipe"):
            self._window.form.fill(recipe)
        self._window.toast("The form is as it was for this picture")

    def _vary(self, picture: Picture) -> None:
        parent = Parent(picture.id, How.VARIATION)
        self._window.draw(replace(draft_of(picture.recipe), seed=None, parent=parent))

    def _came_of(self, taken: Taken) -> None:
        if taken.picture:
            self._window.form.came_of[taken.kept.sha256] = taken.picture

    def _surprise(self) -> None:
        if self.wording.surprise():
            self._window.generate()

    def _removed(self, picture: Picture) -> None:
        desk = self._window.desk
        for item in desk.items():
            if item.picture == picture:
                self._gone[picture.file] = item
                desk.drop(item)
        self._window.toast("Moved to the Trash", "Undo", self.actions.put_back.trigger)

    def _restored(self, picture: Picture) -> None:
        item = self._gone.pop(picture.file, None)
        if item is not None:
            self._window.desk.put_back(item)
