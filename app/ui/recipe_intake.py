"""Takes the recipe out of a picture, whoever drew it, and lays it on the form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QObject

from app.core.errors import EaselError, PictureUnreadable
from app.core.model import Model
from app.core.recipe import Recipe
from app.library.foreign import read_recipe
from app.library.found_recipe import FoundRecipe, LaidOn, lay_on
from app.ui.background import Background
from app.ui.drag import PNG
from app.ui.start_intake import file_in

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow
    from app.ui.recipe_card import RecipeCard


class RecipeIntake(QObject):
    """Reads on a thread; the newest wins. What could not be used is said on a card."""

    def __init__(self, window: MainWindow, background: Background) -> None:
        super().__init__(window)
        self._window = window
        self._background = background
        self._newest = 0
        self.card: RecipeCard | None = None

    def take_file(self, file: Path) -> None:
        """Fill the form with what ``file`` says of how it was made."""
        self._take(lambda: read_recipe(file), lambda: self._offer_start(file))

    def take_mime(self, mime: QMimeData) -> bool:
        """The same of what was dropped; false when there is no picture's file in it."""
        file = file_in(mime)
        if file is not None:
            self.take_file(file)
            return True
        data = mime.data(PNG).data()
        if not data:
            return False
        self._take(lambda: read_recipe(bytes(data)), self._say_nothing)
        return True

    def use(self, recipe: Recipe, file: Path) -> None:
        """Fill the form with ``recipe`` of Easel's own, and its model where that is here."""
        model = self.model(recipe)
        if model is None:
            self.take_file(file)
            return
        self.choose(model)
        self._close_card()
        self._window.form.fill(recipe)
        self._window.toast("The form is as it was for this picture")

    def model(self, recipe: Recipe) -> Model | None:
        """The model of ``recipe``, where it is here."""
        return next((m for m in self._window.models.at_hand() if m.id == recipe.model), None)

    def choose(self, model: Model) -> None:
        """Draw with ``model`` from now on."""
        chosen = self._window.model()
        if chosen is None or chosen.id != model.id:
            self._window.models.choose(model)

    def lay(self, found: FoundRecipe) -> LaidOn | None:
        """Fill the form with ``found`` as far as can be; what became of it. None: no model."""
        window, model = self._window, self._window.model()
        if model is None:
            return None
        laid = lay_on(found, model, window.models.at_hand())
        self.choose(laid.model)
        window.form.lay(laid.draft)
        self._show(found, laid)
        return laid

    def _take(self, read: Callable[[], FoundRecipe | None], nothing: Callable[[], None]) -> None:
        self._newest += 1
        mine = self._newest

        def done(found: FoundRecipe | None) -> None:
            if mine != self._newest:
                return
            if found is None:
                nothing()
            else:
                self.lay(found)

        self._background.run(read, done, self._failed)

    def _failed(self, error: EaselError) -> None:
        self._window.complain(error)

    def _offer_start(self, file: Path) -> None:
        self._window.toast(
            "This picture does not say how it was made",
            "Start from it",
            lambda: self._window.views.start_from(file),
        )

    def _say_nothing(self) -> None:
        self._window.complain(PictureUnreadable("", "no recipe"))

    def _show(self, found: FoundRecipe, laid: LaidOn) -> None:
        if self.card is None:
            from app.ui.recipe_card import RecipeCard

            self.card = RecipeCard(self._window.theme, self._window.canvas)
            self.card.models_wanted.connect(self._window.getting.open_models)
            self._window.desk.rowsInserted.connect(self._close_card)
        self.card.tell(found, laid)

    def _close_card(self) -> None:
        if self.card is not None:
            self.card.hide()
