"""Windows over a folder of real pictures, a real index and the numpy engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.library.picture_file import Picture
from app.ui.gallery.page import GalleryPage
from app.ui.main_window import MainWindow
from tests.library.pictures import draw
from tests.ui.numpy_easel import NumpyEasel

PROMPTS = ("a red apple", "a blue car", "a green cat", "a red car", "a castle at night")


@pytest.fixture
def drawn(easel: NumpyEasel) -> list[Picture]:
    """Five pictures on the disk, the oldest first."""
    folder = easel.folders.pictures
    return [draw(folder, prompt, number) for number, prompt in enumerate(PROMPTS, 1)]


@pytest.fixture
def page(
    drawn: list[Picture], open_gallery: Callable[[], GalleryPage], qtbot: QtBot
) -> GalleryPage:
    """The gallery of ``drawn``, all of it listed."""
    page = open_gallery()
    qtbot.waitUntil(lambda: page.pictures.rowCount() == len(drawn))
    return page


@pytest.fixture
def open_gallery(window: MainWindow, qtbot: QtBot) -> Callable[[], GalleryPage]:
    """Shows the gallery of ``window`` and waits until its folders were looked at."""

    def open_it() -> GalleryPage:
        window.views.show_gallery()
        page = window.views.page
        assert page is not None
        with qtbot.waitSignal(page.keeper.settled):
            pass
        return page

    return open_it


def names(page: GalleryPage) -> list[str]:
    """The prompts that are shown, as they lie."""
    rows = range(page.pictures.rowCount())
    return [entry.prompt for entry in page.pictures.entries(rows)]


def file_of(drawn: list[Picture], prompt: str) -> Path:
    return next(picture.file for picture in drawn if picture.recipe.prompt == prompt)
