"""Joins the gallery to its window: what is done there with a picture that was found here."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.core.model import Feature, Model
from app.core.recipe import How, Parent, Recipe
from app.jobs.events import Saved, SessionEvent
from app.jobs.queue import Job, JobState
from app.library.copies import read_pixels
from app.library.entry import Entry
from app.library.gallery import Gallery
from app.library.library import Picture, read_picture
from app.ui.gallery.page import GalleryPage
from app.ui.item import Item, draft_of

if TYPE_CHECKING:
    from app.ui.interactions import Interactions
    from app.ui.main_window import MainWindow


class Joined(QObject):
    """The gallery's page of a window, and what its actions do there."""

    def __init__(
        self,
        window: MainWindow,
        gallery: Gallery,
        interactions: Interactions,
        to_draw: Callable[[], None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._interactions = interactions
        self._recipes = interactions.recipes
        self._to_draw = to_draw
        self._gone: dict[Path, Item] = {}
        self._again: set[str] = set()
        """Ids of the pictures that are drawn again to be compared."""
        folders = window.easel.folders
        self.page = GalleryPage(
            window.theme,
            gallery,
            window.easel.make_thumbnails(),
            folders.support / "Trash",
            window,
        )
        self._connect()
        self._model_changed(window.model())

    def _connect(self) -> None:
        window, page, actions = self._window, self.page, self.page.actions_
        page.open_wanted.connect(self._open)
        page.draw_wanted.connect(self._to_draw)
        page.keeper.problem.connect(window.complain)
        actions.problem.connect(window.complain)
        actions.said.connect(window.toast)
        actions.use_recipe.connect(self._use)
        actions.vary.connect(self._vary)
        actions.redraw.connect(self._redraw)
        actions.start_from.connect(lambda entry: self._start_from(entry.file))
        actions.removed.connect(self._removed)
        actions.restored.connect(self._restored)
        window.model_changed.connect(self._model_changed)
        window.studio.heard.connect(self._hear)

    def close(self) -> None:
        """End what goes on beside the window."""
        self.page.close_down()

    # What the actions do

    def _open(self, entry: Entry) -> None:
        """On the canvas, and its recipe in the form."""
        recipe = entry.recipe
        if recipe is None:
            self._use(entry)
            return
        model = self._recipes.model(recipe) or self._window.model()
        if model is None:
            self._use(entry)
            return
        self.page.background.run(
            lambda: _opened(entry.file, model), self._lay_out, self._window.complain
        )

    def _lay_out(self, opened: tuple[Picture, Item]) -> None:
        picture, item = opened
        desk = self._window.desk
        known = next((one for one in desk.items() if one.picture == picture), None)
        self._to_draw()
        if known is not None:
            desk.look_at(known)
        else:
            desk.put_back(item)
        self._recipes.use(picture.recipe, picture.file)

    def _use(self, entry: Entry) -> None:
        self._to_draw()
        recipe = entry.recipe
        if recipe is None:
            self._recipes.take_file(entry.file)
        else:
            self._recipes.use(recipe, entry.file)

    def _vary(self, entry: Entry) -> None:
        recipe = entry.recipe
        if recipe is None or not self._choose_model(recipe):
            return
        parent = Parent(entry.id, How.VARIATION)
        if self._window.draw(replace(draft_of(recipe), seed=None, parent=parent)):
            self._to_draw()

    def _redraw(self, entry: Entry) -> None:
        """The same recipe and seed; then both side by side."""
        recipe = entry.recipe
        if recipe is None or not self._choose_model(recipe):
            return
        parent = Parent(entry.id, How.REDRAW)
        self._again.add(entry.id)
        if self._window.draw(replace(draft_of(recipe), parent=parent)):
            self._window.toast("Drawing it again; then both are compared")

    def _start_from(self, file: Path) -> None:
        self._to_draw()
        self._interactions.starting.start_from(file)

    def _choose_model(self, recipe: Recipe) -> bool:
        """Draw with the model of ``recipe``; false, and said, where it is not here."""
        model = self._recipes.model(recipe)
        if model is None:
            window = self._window
            window.toast(
                f"Its model, {recipe.model}, is not here", "Models…", window.getting.open_models
            )
            return False
        self._recipes.choose(model)
        return True

    def _removed(self, files: list[Path]) -> None:
        desk = self._window.desk
        for item in desk.items():
            if item.picture is not None and item.picture.file in files:
                self._gone[item.picture.file] = item
                desk.drop(item)
        count = "Moved" if len(files) == 1 else f"{len(files)} pictures moved"
        self._window.toast(f"{count} to the Trash", "Undo", self.page.actions_.put_back.trigger)
        self.page.keeper.look()

    def _restored(self, files: list[Path]) -> None:
        for file in files:
            item = self._gone.pop(file, None)
            if item is not None:
                self._window.desk.put_back(item)
        self._window.toast("Put back")
        self.page.keeper.look()

    # What happens elsewhere

    def _model_changed(self, model: Model | None) -> None:
        can = model is not None and Feature.IMAGE_TO_IMAGE in model.limits.features
        self.page.actions_.set_can_start(can)

    def _hear(self, event: SessionEvent) -> None:
        if not isinstance(event, Saved):
            return
        self.page.refresh()
        parent = event.picture.recipe.parent
        if parent is None or parent.how is not How.REDRAW or parent.picture not in self._again:
            return
        self._again.discard(parent.picture)
        after = self.page.gallery.at(event.picture.file)
        before = next(iter(self.page.gallery.by_id(parent.picture)), None)
        if before is not None and after is not None:
            self._offer(before, after)

    def _offer(self, before: Entry, after: Entry) -> None:
        if self._window.views.in_gallery:
            self.page.compare(before, after)
            return
        self._window.toast("Drawn again", "Compare", lambda: self._compare(before, after))

    def _compare(self, before: Entry, after: Entry) -> None:
        self._window.views.show_gallery()
        self.page.compare(before, after)


def _opened(file: Path, model: Model) -> tuple[Picture, Item]:
    """A picture of the library as an item of the desk. Raises PictureUnreadable. Any thread."""
    picture = read_picture(file)
    pixels = read_pixels(file)
    item = Item(Job(secrets.token_hex(8), picture.recipe, model, JobState.DONE, ""))
    item.finished(picture, pixels)
    return picture, item
