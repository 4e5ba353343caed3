"""The controls are those the model has, hold only what it can do, and say what they hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.errors import RecipeProblem
from app.core.model import Feature, Model
from app.core.recipe import Draft, Recipe, Scheduler, Size, Start
from app.core.resolve import resolve
from app.ui.controls.value_edit import ValueEdit
from app.ui.inspector import Inspector, pace_html
from app.ui.main_window import MainWindow
from app.ui.pace import Pace, seconds_text
from app.ui.ratio import ratio_text
from app.ui.theme import Theme
from tests.engine.numpy_engine import numpy_model
from tests.ui.numpy_easel import NumpyEasel


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return numpy_model(tmp_path)


@pytest.fixture
def inspector(qtbot: QtBot, qapp: QApplication, model: Model) -> Inspector:
    made = Inspector(Theme(qapp, "light"))
    qtbot.addWidget(made)
    made.set_model(model)
    made.resize(288, 700)
    made.show()
    return made


def value(inspector: Inspector, name: str) -> ValueEdit:
    return next(v for v in inspector.findChildren(ValueEdit) if v.accessibleName() == name)


def enter(qtbot: QtBot, edit: ValueEdit, text: str) -> None:
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClicks(edit, text)
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    edit.clearFocus()


def test_it_begins_with_the_models_own_values(inspector: Inspector, model: Model) -> None:
    limits = model.limits
    assert inspector.size_chosen == limits.native
    assert inspector.steps == limits.steps
    assert inspector.guidance == limits.guidance
    assert inspector.scheduler is limits.scheduler
    assert value(inspector, "Size in pixels").text() == "64 × 64"
    assert value(inspector, "Number of steps").text() == "6 steps"


@pytest.mark.parametrize(
    ("name", "typed", "attribute", "expected"),
    [
        ("Size in pixels", "32x128", "size_chosen", Size(32, 128)),
        ("Number of steps", "17", "steps", 17),
        ("Guidance", "3,5", "guidance", 3.5),
        ("Number of pictures", "40", "count", 40),
    ],
)
def test_an_exact_value_can_be_typed(
    inspector: Inspector, qtbot: QtBot, name: str, typed: str, attribute: str, expected: object
) -> None:
    enter(qtbot, value(inspector, name), typed)
    assert getattr(inspector, attribute) == expected


@pytest.mark.parametrize(
    ("name", "typed", "field"),
    [
        ("Size in pixels", "7", "size"),
        ("Size in pixels", "100000", "size"),
        ("Size in pixels", "wide", "size"),
        ("Number of steps", "0", "steps"),
        ("Number of steps", "1e400", "steps"),
        ("Guidance", "nan", "guidance"),
        ("Number of pictures", "101", "count"),
    ],
)
def test_what_cannot_be_is_refused_and_the_value_stays(
    inspector: Inspector, qtbot: QtBot, name: str, typed: str, field: str
) -> None:
    edit = value(inspector, name)
    before = edit.text()
    with qtbot.waitSignal(inspector.problem) as told:
        enter(qtbot, edit, typed)
    assert isinstance(told.args[0], RecipeProblem)
    assert told.args[0].field == field
    assert edit.text() == before


def test_what_the_model_lacks_is_absent(inspector: Inspector, model: Model) -> None:
    limits = replace(
        model.limits, schedulers=(Scheduler.LCM,), scheduler=Scheduler.LCM, max_guidance=1.0,
        guidance=1.0, max_count=1,
    )  # fmt: skip
    inspector.set_model(replace(model, id="lean", limits=limits))
    shown = {row.title for row in inspector.rows() if row.isVisible()}
    assert shown == {"Shape", "Quality", "Seed"}


def test_another_model_keeps_what_carries_over(inspector: Inspector, model: Model) -> None:
    inspector.fill(size=Size(48, 64), steps=12, scheduler=Scheduler.EULER)
    larger = replace(
        model.limits, native=Size(512, 512), shapes=(Size(512, 512), Size(576, 768)),
        min_side=256, max_side=1024, fine_steps=50, guidance=7.0,
    )  # fmt: skip
    inspector.set_model(replace(model, id="larger", limits=larger))
    assert inspector.size_chosen == Size(576, 768)
    assert inspector.steps == 50, "Fine is Fine"
    assert inspector.guidance == 7.0
    assert inspector.scheduler is Scheduler.EULER


def test_the_seed_changes_unless_it_was_asked_for_or_held(inspector: Inspector) -> None:
    seed = inspector.seed
    assert len({seed.take() for _ in range(4)}) == 4
    seed.set_seed(7)
    assert seed.take() == 7
    assert seed.take() != 7
    seed.set_seed(7)
    seed.set_locked(True)
    assert [seed.take(), seed.take()] == [7, 7]


@pytest.mark.parametrize("typed", ["-1", "4294967296", "seven", "", "１２"])
def test_what_is_no_seed_is_not_taken(inspector: Inspector, qtbot: QtBot, typed: str) -> None:
    inspector.seed.set_seed(42)
    edit = inspector.seed.edit
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClick(edit, Qt.Key.Key_Delete)
    edit.insert(typed)
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert inspector.seed.seed == 42


def test_using_a_recipe_gives_a_draft_that_is_that_recipe(window: MainWindow) -> None:
    assert isinstance(window.easel, NumpyEasel)
    start = Start(str(window.easel.folders.support / "s.png"), "0" * 64, 0.5)
    recipe = Recipe("a cat", "numpy", Size(48, 64), 12, 3.5, 99, Scheduler.EULER, "blurry", start)
    window.form.fill(recipe)
    model = window.model()
    assert model is not None
    assert resolve(window.form.take(), model) == (recipe,)


def test_a_model_without_a_negative_prompt_has_no_avoid(window: MainWindow) -> None:
    window.prompt.set_negative("blurry")
    model = window.model()
    assert model is not None
    limits = replace(model.limits, features=frozenset[Feature]())
    window.models.choose(replace(model, id="plain", limits=limits))
    assert window.prompt.avoid.link.isHidden()
    assert window.form.draft() == replace(window.form.draft(), negative_prompt="")


def test_what_is_remembered_of_another_kind_is_ignored(window: MainWindow) -> None:
    before = window.form.draft()
    for text in ("", "[]", "{", '{"steps": "many", "size": [0], "seed": -1, "count": true}'):
        window.form.restore(text)
    assert window.form.draft() == before
    assert isinstance(before, Draft)


@pytest.mark.parametrize(
    ("size", "ratio"),
    [((512, 512), "1:1"), ((112, 144), "3:4"), ((640, 832), "3:4"), ((168, 96), "16:9"),
     ((768, 512), "3:2"), ((1024, 128), "8:1")],
)  # fmt: skip
def test_a_shape_is_known_by_its_ratio(size: tuple[int, int], ratio: str) -> None:
    assert ratio_text(*size) == ratio


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.01, "less than 0.1 s"), (0.62, "0.62 s"), (3.42, "3.4 s"), (14.2, "14 s"),
     (59.6, "1 min"), (125, "2 min 5 s"), (1200, "20 min"), (4200, "1 h 10 min")],
)  # fmt: skip
def test_times_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


def test_the_foot_says_how_long_pictures_take(model: Model) -> None:
    pace = Pace()
    assert pace.seconds(model, Size(64, 64), 20) is None
    recipe = Recipe("a cat", model.id, Size(64, 64), 10, 4.0, 1, Scheduler.EULER)
    pace.note(recipe, 5.0)
    assert pace.seconds(model, Size(64, 64), 20) == pytest.approx(10.0)
    assert pace_html("10 s", "40 s", 4, "this Mac's GPU") == (
        "About <b>10 s</b> a picture and <b>40 s</b> for 4, on this Mac&#x27;s GPU."
    )
