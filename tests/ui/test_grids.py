"""A grid through the window: asked for, drawn one by one, and saved as one sheet as well."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.core.grid import Axis
from app.core.recipe import Scheduler
from app.library.contact_sheet import read_sheet
from app.ui.grid_sheet import GridSheet
from app.ui.interactions import Interactions
from app.ui.main_window import MainWindow
from tests.ui.numpy_easel import NumpyEasel

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


def ask(window: MainWindow) -> GridSheet:
    joined = window.findChild(Interactions)
    assert isinstance(joined, Interactions)
    sheet = joined.grids.ask()
    assert sheet is not None
    return sheet


def sheets(window: MainWindow) -> list[Path]:
    return list(window.easel.folders.pictures.rglob("grid-*.png"))


def test_seeds_and_guidance_become_pictures_and_a_sheet(window: MainWindow, qtbot: QtBot) -> None:
    window.prompt.set_text("a cat")
    window.inspector.fill(count=3)
    window.inspector.seed.set_seed(40)
    sheet = ask(window)
    sheet.seeds.edit.setText("2")
    sheet.guidances.edit.setText("2, 4.5; 4.5 6")
    assert sheet.total.text() == "6 pictures: 2 down, 3 across."
    qtbot.mouseClick(sheet.draw_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(sheets(window)) == 1)

    recipes = [item.recipe for item in reversed(window.desk.items())]
    assert [(one.seed, one.guidance) for one in recipes] == [
        (seed, guidance) for seed in (40, 41) for guidance in (2.0, 4.5, 6.0)
    ]
    grid, recipe, ids = read_sheet(sheets(window)[0])
    assert (grid.down, grid.rows) == (Axis.SEED, (40, 41))
    assert recipe == recipes[0]
    drawn = [item.picture for item in reversed(window.desk.items())]
    assert ids == tuple(picture.id for picture in drawn if picture is not None)
    qtbot.waitUntil(lambda: "sheet" in window.notices.toast.text)


def test_samplers_and_steps(window: MainWindow, qtbot: QtBot) -> None:
    window.prompt.set_text("a cat")
    sheet = ask(window)
    sheet.kind.choose(1)
    sheet.kind.chosen.emit(1)
    for tick in sheet.samplers:
        tick.setChecked(tick.text() in ("Euler", "DDIM"))
    sheet.steps.edit.setText("2 4")
    grid = sheet.grid()
    assert grid.rows == tuple(s for s in Scheduler if s.value in ("Euler", "DDIM"))
    assert grid.columns == (2, 4)
    qtbot.keyClick(sheet.steps.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(sheets(window)) == 1)
    assert {(i.recipe.scheduler, i.recipe.steps) for i in window.desk.items()} == {
        (scheduler, steps) for scheduler in grid.rows for steps in (2, 4)
    }


@pytest.mark.parametrize(
    ("seeds", "guidances", "words"),
    [("0", "3", "1 to 100"), ("x", "3", "1 to 100"), ("2", "0.5", "1 to"), ("2", "a", "1 to")],
)
def test_what_cannot_be_drawn_is_said_and_nothing_is_queued(
    window: MainWindow, qtbot: QtBot, seeds: str, guidances: str, words: str
) -> None:
    window.prompt.set_text("a cat")
    sheet = ask(window)
    sheet.seeds.edit.setText(seeds)
    sheet.guidances.edit.setText(guidances)
    qtbot.mouseClick(sheet.draw_button, Qt.MouseButton.LeftButton)
    assert sheet.isVisible()
    assert words in sheet.advice.text()
    assert not window.desk
    sheet.reject()


def test_too_many_are_too_many(window: MainWindow) -> None:
    sheet = ask(window)
    sheet.seeds.edit.setText("60")
    sheet.guidances.edit.setText("2 3")
    sheet.draw_button.click()
    assert sheet.trouble.isVisible()
    sheet.reject()


def test_an_empty_prompt_is_said_in_the_sheet(window: MainWindow) -> None:
    sheet = ask(window)
    sheet.draw_button.click()
    assert "nothing to draw" in f"{sheet.trouble.text()} {sheet.advice.text()}"
    assert not window.desk
    sheet.reject()


def test_stopped_cells_stay_empty(window: MainWindow, qtbot: QtBot) -> None:
    easel = window.easel
    assert isinstance(easel, NumpyEasel)
    easel.engine.hold()
    window.prompt.set_text("a cat")
    sheet = ask(window)
    sheet.seeds.edit.setText("3")
    sheet.guidances.edit.setText("3")
    sheet.draw_button.click()
    qtbot.waitUntil(lambda: window.desk.live is not None and window.desk.live.step == 2)
    window.filmstrip.stop_wanted.emit(window.desk.items()[1])  # the second of three
    easel.engine.release()
    qtbot.waitUntil(lambda: len(sheets(window)) == 1)
    _, _, ids = read_sheet(sheets(window)[0])
    assert [bool(id) for id in ids] == [True, False, True]


def test_when_all_are_stopped_there_is_no_sheet(window: MainWindow, qtbot: QtBot) -> None:
    easel = window.easel
    assert isinstance(easel, NumpyEasel)
    easel.engine.hold()
    window.prompt.set_text("a cat")
    sheet = ask(window)
    sheet.draw_button.click()
    qtbot.waitUntil(lambda: window.desk.live is not None and window.desk.live.step == 2)
    window.studio.stop_all()
    qtbot.waitUntil(lambda: not window.desk.busy)
    assert sheets(window) == []
