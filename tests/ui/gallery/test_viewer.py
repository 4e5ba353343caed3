"""One picture large, two compared, the tree, and a picture drawn again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from app.core.recipe import How, Parent
from app.library.comparing import Change, Likeness, Verdict
from app.library.entry import Entry
from app.library.picture_file import Picture
from app.ui.gallery.compare import compared, verdict_words
from app.ui.gallery.page import GalleryPage
from app.ui.gallery.viewer import Viewer
from app.ui.main_window import MainWindow
from tests.library.examples import recipe
from tests.library.pictures import draw
from tests.ui.gallery.conftest import PROMPTS
from tests.ui.gallery.test_page import NEWEST, _with_model, choose
from tests.ui.numpy_easel import NumpyEasel


@pytest.fixture
def viewer(page: GalleryPage, qtbot: QtBot) -> Viewer:
    """Opened by Space on the second picture."""
    page.grid.choose(1)
    qtbot.keyClick(page.grid, Qt.Key.Key_Space)
    assert page.viewer is not None
    viewer = page.viewer
    qtbot.waitUntil(lambda: viewer.photo.image is not None)
    return viewer


def prompt(viewer: Viewer) -> str:
    assert viewer.entry is not None
    return viewer.entry.prompt


def test_space_shows_it_large_and_the_arrows_walk(
    page: GalleryPage, viewer: Viewer, qtbot: QtBot
) -> None:
    assert (prompt(viewer), viewer.place.text()) == (NEWEST[1], "2 of 5")
    qtbot.keyClick(viewer, Qt.Key.Key_Right)
    assert (prompt(viewer), viewer.place.text()) == (NEWEST[2], "3 of 5")
    for _ in range(9):
        qtbot.keyClick(viewer, Qt.Key.Key_Left)
    assert prompt(viewer) == NEWEST[0]
    assert not viewer.previous.isEnabled()
    qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    assert page.grid.isVisible()
    assert [entry.prompt for entry in page.grid.chosen()] == [NEWEST[0]]


def test_it_is_fitted_or_pixel_by_pixel(viewer: Viewer, qtbot: QtBot) -> None:
    image = viewer.photo.image
    assert image is not None
    assert viewer.photo.picture_rect().width() > image.width(), "a small one is enlarged"
    qtbot.keyClick(viewer, Qt.Key.Key_1)
    at = viewer.photo.picture_rect()
    assert (at.width(), at.height()) == (image.width(), image.height())
    assert viewer.zoom.text() == "Fit"
    qtbot.keyClick(viewer, Qt.Key.Key_0)
    assert viewer.photo.whole


def test_trashed_while_it_is_seen_the_next_takes_its_place(
    page: GalleryPage, viewer: Viewer, qtbot: QtBot
) -> None:
    page.actions_.delete.trigger()
    qtbot.waitUntil(lambda: prompt(viewer) == NEWEST[2])
    assert viewer.place.text() == "2 of 4"


def test_its_heart_follows(page: GalleryPage, viewer: Viewer, qtbot: QtBot) -> None:
    qtbot.mouseClick(viewer.heart, Qt.MouseButton.LeftButton)
    assert viewer.entry is not None
    assert viewer.entry.favourite
    assert page.pictures.entry(1) == viewer.entry


def test_the_tree_leads_to_parent_and_children(
    page: GalleryPage, drawn: list[Picture], easel: NumpyEasel, qtbot: QtBot
) -> None:
    of = Parent(drawn[0].id, How.VARIATION)
    child = replace(recipe(PROMPTS[0], 99), parent=of)
    draw(easel.folders.pictures, child, 99)
    qtbot.waitUntil(lambda: page.pictures.rowCount() == 6)
    page.view(_entry(page, 0))
    viewer = page.viewer
    assert viewer is not None
    assert viewer.facts.changed == "Seed 1 → 99"
    viewer.facts.smalls[0].click()
    assert viewer.entry == _entry(page, 5)
    assert [small.accessibleName() for small in viewer.facts.smalls] == [f"{PROMPTS[0]}, seed 99"]
    viewer.facts.smalls[0].click()
    assert viewer.entry == _entry(page, 0)


def _entry(page: GalleryPage, row: int) -> Entry:
    entry = page.pictures.entry(row)
    assert entry is not None
    return entry


def test_two_are_compared_with_a_line_that_mouse_and_keys_move(
    page: GalleryPage, qtbot: QtBot
) -> None:
    choose(page, 0, 2)
    page.actions_.side_by_side.trigger()
    comparer = page.comparer
    assert comparer is not None
    qtbot.waitUntil(lambda: comparer.found is not None)
    assert comparer.verdict.text() == "Identical", "all of them are drawn from the same pixels"
    qtbot.keyClick(comparer.slider, Qt.Key.Key_Right)
    assert comparer.slider.value() == 520
    qtbot.mouseClick(comparer.curtain, Qt.MouseButton.LeftButton, pos=QPoint(2, 40))
    assert comparer.slider.value() == 0
    qtbot.keyClick(comparer, Qt.Key.Key_Escape)
    assert page.grid.isVisible()


def test_drawn_again_it_is_compared_and_the_difference_has_a_reason(
    page: GalleryPage, window: MainWindow, qtbot: QtBot
) -> None:
    choose(page, 4)
    before = page.grid.chosen()[0]
    _with_model(window, before.model)
    page.actions_.set_entries([before])
    page.actions_.again.trigger()
    qtbot.waitUntil(lambda: page.comparer is not None and page.comparer.found is not None)
    assert page.comparer is not None
    (after,) = page.gallery.children(before)
    assert (after.seed, after.prompt) == (before.seed, before.prompt)
    assert after.parent == Parent(before.id, How.REDRAW)
    assert page.comparer.verdict.text() == "They differ"


def test_what_is_said_of_two_pictures_has_numbers_and_reasons(page: GalleryPage) -> None:
    one, other = _entry(page, 0), replace(_entry(page, 1), version="9.9", placement="MPS")
    found = compared(one, other)
    assert verdict_words(found) == ("Identical", "Every pixel is the same.")
    alike = Likeness(Verdict.SAME_TO_THE_EYE, psnr=41.23, ssim=0.9912, changed=0.25, largest=3)
    reasons = (Change("version", "0.1.0", "9.9"), Change("placement", "CPU", "MPS"))
    assert verdict_words(replace(found, alike=alike, because=reasons)) == (
        "The same to the eye",
        "41.2 dB, likeness 0.991 of 1; 25.0 % of the pixels differ, by 3 of 255 at most."
        " Easel 0.1.0 → 9.9, Drawn on CPU → MPS",
    )
