"""Undo in the form: one step a change, text untouched, and in the menus where one looks for it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.core.recipe import Recipe, Scheduler, Size
from app.ui.form_history import FormHistory
from app.ui.main_window import MainWindow

CONTROL = Qt.KeyboardModifier.ControlModifier


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        self.time += 10.0
        return self.time


@pytest.fixture
def history(window: MainWindow) -> FormHistory:
    return FormHistory(window.form, window.prompt, window.inspector, Clock())


def test_each_change_is_a_step_back_and_forth(window: MainWindow, history: FormHistory) -> None:
    inspector = window.inspector
    begun = window.form.values()
    inspector.fill(steps=12)
    inspector.fill(size=Size(48, 64))
    inspector.seed.roll()
    assert history.to_undo == "Seed"
    changed = window.form.values()
    for _ in range(3):
        history.undo()
    assert window.form.values() == begun
    assert history.to_undo == ""
    history.undo()
    for _ in range(3):
        history.redo()
    assert window.form.values() == changed


def test_a_slider_that_is_dragged_is_one_step(window: MainWindow) -> None:
    history = FormHistory(window.form, window.prompt, window.inspector, lambda: 0.0)
    before = window.inspector.guidance
    for guidance in (3.0, 3.5, 4.0, 4.5):
        window.inspector.fill(guidance=guidance)
    window.inspector.fill(count=3)
    history.undo()
    assert (window.inspector.count, window.inspector.guidance) == (1, 4.5)
    history.undo()
    assert window.inspector.guidance == before


def test_what_was_typed_since_stays(window: MainWindow, history: FormHistory) -> None:
    window.inspector.fill(steps=12)
    window.prompt.set_text("typed after that")
    history.undo()
    assert window.prompt.text() == "typed after that"


def test_a_new_change_ends_redo(window: MainWindow, history: FormHistory) -> None:
    window.inspector.fill(steps=12)
    history.undo()
    window.inspector.fill(count=2)
    assert history.to_redo == ""


def test_a_seed_that_generate_drew_is_no_change_of_the_person(
    window: MainWindow, history: FormHistory
) -> None:
    window.form.take()
    window.inspector.fill(count=2)
    assert history.to_undo == "Pictures"
    seed = window.inspector.seed.seed
    history.undo()
    assert history.to_undo == ""
    assert window.inspector.seed.seed == seed


def test_use_recipe_is_one_step_of_the_whole_form(window: MainWindow, qtbot: QtBot) -> None:
    window.prompt.set_text("my own words")
    window.inspector.fill(count=3)
    before = window.form.values()
    recipe = Recipe(
        "theirs", "numpy", Size(64, 48), 7, 2.5, 99, Scheduler.EULER, negative_prompt="not this"
    )
    from app.ui.interactions import Interactions

    joined = window.findChild(Interactions)
    assert isinstance(joined, Interactions)
    joined.actions.use_recipe.emit(recipe)
    assert window.form.values()["prompt"] == "theirs"
    assert window.menus.undo.text() == "Undo Use Recipe"
    window.canvas.setFocus()
    qtbot.keyClick(window.canvas, Qt.Key.Key_Z, CONTROL)
    assert window.form.values() == before
    assert window.menus.redo.text() == "Redo Use Recipe"


def test_the_keys_undo_text_where_there_is_some_and_else_the_form(
    window: MainWindow, qtbot: QtBot
) -> None:
    editor = window.prompt.editor
    window.inspector.fill(steps=12)
    editor.setFocus()
    qtbot.keyClicks(editor, "cat")
    while editor.document().isUndoAvailable():
        qtbot.keyClick(editor, Qt.Key.Key_Z, CONTROL)
    assert (window.prompt.text(), window.inspector.steps) == ("", 12)
    qtbot.keyClick(editor, Qt.Key.Key_Z, CONTROL)
    assert window.inspector.steps != 12


def test_another_model_ends_what_can_be_undone(window: MainWindow) -> None:
    window.inspector.fill(steps=12)
    assert window.history.to_undo
    window.model_changed.emit(window.model())
    assert window.history.to_undo == ""
    assert window.menus.undo.text() == "Undo"
