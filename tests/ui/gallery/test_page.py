"""The gallery: all pictures are there, are found, chosen, marked; others come and go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from app.library.library import read_picture
from app.library.picture_file import Picture
from app.library.search import Sort
from app.ui.gallery.bar import SORTS
from app.ui.gallery.page import GalleryPage
from app.ui.main_window import MainWindow
from tests.library.pictures import draw
from tests.ui.gallery.conftest import PROMPTS, names
from tests.ui.numpy_easel import NumpyEasel

NEWEST = list(reversed(PROMPTS))


def choose(page: GalleryPage, *rows: int) -> None:
    """Select those rows as clicks with Cmd do."""
    page.grid.choose(rows[0])
    for row in rows[1:]:
        flag = QItemSelectionModel.SelectionFlag.Select
        page.grid.selectionModel().select(page.pictures.index(row), flag)


def test_every_picture_is_there_newest_first(page: GalleryPage) -> None:
    assert names(page) == NEWEST
    assert page.bar.count.text() == "5 pictures"


def test_small_pictures_come_for_what_is_seen(page: GalleryPage, qtbot: QtBot) -> None:
    entries = page.pictures.entries(range(5))
    qtbot.waitUntil(lambda: all(page.thumbs.get(entry) is not None for entry in entries))
    image = page.thumbs.get(entries[0])
    assert isinstance(image, QImage)
    assert (image.width(), image.height()) == (entries[0].width, entries[0].height), "not blown up"
    assert image.pixelColor(image.width() // 2, image.height() // 2).alpha() == 255


def test_without_pictures_it_says_so_and_leads_to_drawing(
    open_gallery: Callable[[], GalleryPage], window: MainWindow, qtbot: QtBot
) -> None:
    page = open_gallery()
    assert page.empty.isVisible()
    assert page.empty.accessibleName().startswith("No pictures yet")
    qtbot.mouseClick(page.empty.button, Qt.MouseButton.LeftButton)
    assert not page.isVisible()
    assert window.prompt.isVisible()


def test_words_are_found_as_they_are_typed(page: GalleryPage, qtbot: QtBot) -> None:
    qtbot.keyClicks(page.bar.search.edit, "red")
    qtbot.waitUntil(lambda: names(page) == ["a red car", "a red apple"])
    qtbot.keyClicks(page.bar.search.edit, " app")
    qtbot.waitUntil(lambda: names(page) == ["a red apple"])
    qtbot.keyClick(page.bar.search.edit, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: names(page) == NEWEST)


def test_nothing_found_says_so_and_leads_back(page: GalleryPage, qtbot: QtBot) -> None:
    qtbot.keyClicks(page.bar.search.edit, "walrus")
    qtbot.waitUntil(page.empty.isVisible)
    assert page.empty.accessibleName() == "Nothing found. No picture has all of “walrus”."
    qtbot.mouseClick(page.empty.button, Qt.MouseButton.LeftButton)
    assert names(page) == NEWEST
    assert page.bar.search.text() == ""


def test_the_order_can_be_another(page: GalleryPage) -> None:
    page.bar.sort.setCurrentIndex([sort for sort, _ in SORTS].index(Sort.OLDEST))
    assert names(page) == list(PROMPTS)


def test_the_heart_marks_a_favourite_and_the_filter_shows_only_those(
    page: GalleryPage, qtbot: QtBot
) -> None:
    choose(page, 1)
    page.actions_.favourite.trigger()
    entry = page.pictures.entry(1)
    assert entry is not None
    assert entry.favourite
    page.bar.favourites.setChecked(True)
    assert names(page) == ["a red car"]
    page.actions_.favourite.trigger()
    qtbot.waitUntil(page.empty.isVisible)


def test_tags_are_given_found_and_taken_away(page: GalleryPage) -> None:
    page.actions_._ask_tag = lambda _parent: " cars  of mine "
    choose(page, 1, 3)
    _trigger(page, "New Tag…")
    shown = [action.text() for action in page.bar.tags_menu().actions()]
    assert shown == ["cars of mine   2"]
    page.bar.tags_menu().actions()[0].trigger()
    assert names(page) == ["a red car", "a blue car"]
    assert page.bar.tags_button.accessibleName() == "Tags: cars of mine"
    choose(page, 0)
    _trigger(page, "cars of mine")
    assert names(page) == ["a blue car"]


def _trigger(page: GalleryPage, words: str) -> None:
    """Choose ``words`` in the menu of tags."""
    menu = page.actions_.menu(page)
    tags = next(action.menu() for action in menu.actions() if action.text() == "Tags")
    next(action for action in tags.actions() if action.text() == words).trigger()


def test_a_picture_put_into_the_folder_appears_and_one_taken_out_goes(
    page: GalleryPage, easel: NumpyEasel, drawn: list[Picture], qtbot: QtBot
) -> None:
    choose(page, 2)
    draw(easel.folders.pictures, "a new moon", 60)
    qtbot.waitUntil(lambda: names(page) == ["a new moon", *NEWEST])
    assert [entry.prompt for entry in page.grid.chosen()] == [NEWEST[2]], "it stays chosen"
    drawn[0].file.unlink()
    qtbot.waitUntil(lambda: names(page) == ["a new moon", *NEWEST[:-1]])


def test_a_picture_drawn_meanwhile_is_there_at_once(
    page: GalleryPage, window: MainWindow, qtbot: QtBot
) -> None:
    window.prompt.set_text("a yellow star")
    window.generate()
    qtbot.waitUntil(lambda: "a yellow star" in names(page))


def test_many_are_trashed_and_come_back(
    page: GalleryPage, drawn: list[Picture], window: MainWindow, qtbot: QtBot
) -> None:
    choose(page, 0, 2)
    with qtbot.waitSignal(page.actions_.removed):
        page.actions_.delete.trigger()
    assert [picture.file.exists() for picture in drawn] == [True, True, False, True, False]
    qtbot.waitUntil(lambda: names(page) == [NEWEST[1], *NEWEST[3:]])
    assert window.notices.toast.text == "2 pictures moved to the Trash"
    qtbot.mouseClick(window.notices.toast.action_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: names(page) == NEWEST)


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_return_shows_it_in_draw_with_its_recipe(
    page: GalleryPage, window: MainWindow, drawn: list[Picture], qtbot: QtBot, key: Qt.Key
) -> None:
    page.grid.choose(1)
    qtbot.keyClick(page.grid, key)
    qtbot.waitUntil(lambda: window.canvas.shown() is not None)
    shown = window.canvas.shown()
    assert shown is not None
    assert shown.picture == read_picture(drawn[3].file)
    assert window.canvas.isVisible()
    assert not page.isVisible()
    qtbot.waitUntil(lambda: window.prompt.text() == "a red car")


def test_the_arrows_walk_and_shift_extends(page: GalleryPage, qtbot: QtBot) -> None:
    page.grid.choose(0)
    qtbot.keyClick(page.grid, Qt.Key.Key_Right)
    assert [entry.prompt for entry in page.grid.chosen()] == [NEWEST[1]]
    qtbot.keyClick(page.grid, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert [entry.prompt for entry in page.grid.chosen()] == NEWEST[1:3]
    assert page.bar.count.text() == "2 of 5 chosen"


def test_a_variation_knows_its_parent(page: GalleryPage, window: MainWindow, qtbot: QtBot) -> None:
    choose(page, 4)
    parent = page.grid.chosen()[0]
    _with_model(window, parent.model)
    page.actions_.set_entries(page.grid.chosen())
    with qtbot.waitSignal(window.desk.finished):
        page.actions_.another.trigger()
    page.refresh()
    (child,) = page.gallery.children(parent)
    assert child.prompt == parent.prompt
    assert child.seed != parent.seed
    assert page.gallery.parent(child) == parent


def _with_model(window: MainWindow, id: str) -> None:
    """The model that the pictures were drawn with is here."""
    from dataclasses import replace

    assert isinstance(window.easel, NumpyEasel)
    window.easel.the_model = replace(window.easel.the_model, id=id)
    window.models.choose(window.easel.the_model)


def test_starting_from_one_makes_it_the_parent(
    page: GalleryPage, window: MainWindow, qtbot: QtBot
) -> None:
    choose(page, 0)
    parent = page.grid.chosen()[0]
    page.actions_.start.trigger()
    qtbot.waitUntil(lambda: window.prompt.start() is not None)
    assert window.form.draft().parent is not None
    assert window.form.draft().parent.picture == parent.id  # type: ignore[union-attr]


def test_what_is_carried_out_is_all_that_is_chosen(page: GalleryPage, drawn: list[Picture]) -> None:
    choose(page, 0, 3)
    carried = page.carried()
    assert carried is not None
    assert {carried.file, *carried.more} == {drawn[4].file, drawn[1].file}


def test_several_are_saved_elsewhere(page: GalleryPage, tmp_path: Path, qtbot: QtBot) -> None:
    target = tmp_path / "target"
    target.mkdir()
    page.actions_._ask_folder = lambda _parent: target
    choose(page, 0, 1)
    with qtbot.waitSignal(page.actions_.said) as said:
        page.actions_.save_as.trigger()
    assert said.args == ["2 pictures saved in target"]
    prompts = {read_picture(file).recipe.prompt for file in target.iterdir()}
    assert prompts == set(NEWEST[:2])


def test_a_day_is_said_once_and_only_where_the_order_is_by_time(page: GalleryPage) -> None:
    days = [page.pictures.day(row) for row in range(5)]
    assert days[0]
    assert days[1:] == [""] * 4
    page.bar.sort.setCurrentIndex([sort for sort, _ in SORTS].index(Sort.SEED))
    assert page.pictures.day(0) == ""
