"""The real window with a real session: what one does with its pictures and words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.compose import Easel
from app.core.settings import Settings
from app.places import find_folders
from app.ui.drag import Carried
from app.ui.interactions import Interactions
from app.ui.item import Item, Stage
from app.ui.main_window import MainWindow
from app.ui.theme import Theme
from tests.engine.numpy_engine import make_numpy_engine, numpy_model
from tests.ui.interactions.conftest import VOCABULARY

PATIENCE_MS = 60_000


@pytest.fixture
def window(qtbot: QtBot, theme: Theme, tmp_path: Path) -> Iterator[MainWindow]:
    easel = Easel(find_folders(), Settings(), make_engine=make_numpy_engine)
    made = MainWindow(easel, theme)
    qtbot.addWidget(made)
    with qtbot.waitSignal(made.begun, timeout=PATIENCE_MS):
        made.show()
    made.models.choose(numpy_model(tmp_path))
    yield made
    made.leave()


@pytest.fixture
def joined(window: MainWindow) -> Interactions:
    found = window.findChild(Interactions)
    assert isinstance(found, Interactions)
    return found


def draw(qtbot: QtBot, window: MainWindow, prompt: str = "a red apple") -> Item:
    window.prompt.set_text(prompt)
    with qtbot.waitSignal(window.desk.finished, timeout=PATIENCE_MS) as finished:
        window.generate()
    item: Item = finished.args[0]
    return item


def test_before_a_picture_there_is_nothing_to_do_with_one(
    window: MainWindow, joined: Interactions
) -> None:
    assert joined.actions.picture is None
    assert not joined.handle.isEnabled()
    assert not window.canvas.pill.isVisible()


def test_a_finished_picture_brings_the_pill(
    qtbot: QtBot, window: MainWindow, joined: Interactions
) -> None:
    item = draw(qtbot, window)
    assert joined.actions.picture == item.picture
    names = [
        child.accessibleName()
        for child in window.canvas.pill.findChildren(QWidget)
        if child.accessibleName()
    ]
    assert names == ["Drag me out", "Copy", "Save as", "Vary", "Use recipe", "Redraw a part"]
    assert window.canvas.pill.isVisible()


def test_what_is_dragged_is_the_saved_file_with_its_picture(
    qtbot: QtBot, window: MainWindow, joined: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[tuple[QWidget, Carried]] = []
    monkeypatch.setattr(
        "app.ui.interactions.carry", lambda widget, carried: begun.append((widget, carried))
    )
    item = draw(qtbot, window)
    assert item.picture is not None
    window.canvas.drag_wanted.emit()
    window.filmstrip.drag_wanted.emit(item.picture)
    assert [widget for widget, _ in begun] == [window.canvas, window.filmstrip]
    assert {carried.file for _, carried in begun} == {item.picture.file}
    assert all(carried.shown.width() == 64 for _, carried in begun)
    assert joined.actions.picture == item.picture


def test_use_recipe_fills_the_form_and_holds_the_seed(
    qtbot: QtBot, window: MainWindow, joined: Interactions
) -> None:
    first = draw(qtbot, window, "a cat")
    draw(qtbot, window, "a dog")
    window.desk.look_at(first)
    joined.actions.recipe.trigger()
    draft = window.form.take()
    assert (draft.prompt, draft.seed) == ("a cat", first.recipe.seed)


def test_vary_draws_the_same_with_another_seed(
    qtbot: QtBot, window: MainWindow, joined: Interactions
) -> None:
    first = draw(qtbot, window)
    window.prompt.set_text("something else")
    with qtbot.waitSignal(window.desk.finished, timeout=PATIENCE_MS) as finished:
        joined.actions.another.trigger()
    recipe = finished.args[0].recipe
    assert recipe.prompt == "a red apple"
    assert recipe.seed != first.recipe.seed
    assert window.prompt.text() == "something else"


def test_a_picture_in_the_trash_leaves_the_desk_and_undo_brings_it_back(
    qtbot: QtBot, window: MainWindow, joined: Interactions
) -> None:
    item = draw(qtbot, window)
    assert item.picture is not None
    with qtbot.waitSignal(joined.actions.removed):
        joined.actions.delete.trigger()
    assert window.desk.items() == ()
    assert not item.picture.file.exists()
    with qtbot.waitSignal(joined.actions.restored):
        joined.actions.put_back.trigger()
    assert window.desk.items() == (item,)
    assert item.picture.file.exists()
    assert window.desk.current is item


def test_a_picture_drawn_from_another_says_so_in_its_recipe(
    qtbot: QtBot, window: MainWindow, joined: Interactions
) -> None:
    draw(qtbot, window)
    with qtbot.waitSignal(window.prompt.start_changed):
        joined.actions.start.trigger()
    second = draw(qtbot, window, "a cat")
    assert second.stage is Stage.DONE
    assert second.recipe.start == window.prompt.start()
    assert second.recipe.start is not None


def test_the_brush_lies_over_the_canvas_whatever_comes_under_it(
    qtbot: QtBot, window: MainWindow, joined: Interactions
) -> None:
    draw(qtbot, window)
    with qtbot.waitSignal(joined.starting.editing_changed):
        joined.actions.redraw.trigger()
    editor = joined.starting.editor
    assert editor is not None
    draw(qtbot, window, "another one")
    assert editor.isVisible()
    middle = editor.mapTo(window, editor.rect().center())
    assert window.childAt(middle) in (editor, editor.surface)


def test_in_a_low_window_the_filmstrip_makes_room_for_the_brush(
    qtbot: QtBot, window: MainWindow, joined: Interactions
) -> None:
    window.resize(900, 600)
    draw(qtbot, window)
    with qtbot.waitSignal(joined.starting.editing_changed):
        joined.actions.redraw.trigger()
    assert not window.filmstrip.isVisible()
    assert window.prompt.generate_button.kind == "quiet"
    joined.starting.stop_editing()
    assert window.filmstrip.isVisible()
    assert window.prompt.generate_button.kind == "action"


def test_a_model_with_a_vocabulary_offers_its_words_and_surprises(
    qtbot: QtBot, window: MainWindow, joined: Interactions
) -> None:
    wording = joined.wording
    assert wording.panel is not None
    assert [title for title, _ in wording.panel.groups][:3] == ["Subject", "Medium", "Style"]
    assert wording.surprise() == ""
    wording.set_vocabulary(VOCABULARY)
    assert wording.fold is not None
    assert wording.fold.link.isVisible()
    with qtbot.waitSignal(window.desk.finished, timeout=PATIENCE_MS) as finished:
        window.surprise_wanted.emit()
    assert wording.words is not None
    assert wording.words.unknown(finished.args[0].recipe.prompt) == ()
    assert wording.panel is not None
    wording.panel.chips.press("ice cream")
    assert window.prompt.text().endswith("ice cream")


def test_unknown_words_are_named_under_the_prompt(
    qtbot: QtBot, window: MainWindow, joined: Interactions
) -> None:
    joined.wording.set_vocabulary(VOCABULARY)
    window.prompt.set_text("a dragonfly")
    note = joined.wording.note
    qtbot.waitUntil(note.isVisible)
    assert note.text().startswith("The built-in model does not know “dragonfly”")
    window.prompt.set_text("a cat")
    qtbot.waitUntil(lambda: not note.isVisible())


def test_no_two_actions_of_the_window_share_a_shortcut(
    window: MainWindow, joined: Interactions
) -> None:
    taken: dict[str, str] = {}
    for action in {*window.actions(), *joined.menu.actions()}:
        for keys in action.shortcuts():
            assert keys.toString() not in taken, (action.text(), taken.get(keys.toString()))
            taken[keys.toString()] = action.text()
    for menu in (window.menus.file, window.menus.view, window.menus.help):
        for action in menu.actions():
            for keys in action.shortcuts():
                assert keys.toString() not in taken, (action.text(), taken.get(keys.toString()))
                taken[keys.toString()] = action.text()
