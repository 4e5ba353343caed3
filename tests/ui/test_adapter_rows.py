"""LoRAs and autoencoders are offered where some fit the model, and go into the draft."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.core.adapter import Adapter
from app.core.card import Kind
from app.core.errors import RecipeProblem
from app.core.model import Family, Feature, Model
from app.core.recipe import LoraUse, Recipe, Scheduler, Size
from app.core.resolve import resolve
from app.ui.main_window import MainWindow
from tests.ui.numpy_easel import NumpyEasel, again

INK = Adapter("ink", "Ink drawing", Kind.LORA, Family.SD1, "/ink.safetensors")
CHALK = Adapter("chalk", "Chalk", Kind.LORA, Family.SD1, "/chalk.safetensors")
LCM = Adapter("lcm-lora-sd-1.5", "LCM-LoRA", Kind.LORA, Family.SD1, "/lcm.safetensors")
CLEAR = Adapter("clear", "Clear colours", Kind.VAE, Family.SD1, "/clear")


def with_adapters(easel: NumpyEasel, *adapters: Adapter) -> Model:
    """What ``easel`` draws with from now on."""
    limits = replace(easel.the_model.limits, features=frozenset(Feature))
    easel.the_model = replace(easel.the_model, limits=limits, adapters=adapters)
    return easel.the_model


@pytest.fixture
def easel(easel: NumpyEasel) -> NumpyEasel:
    with_adapters(easel, INK, CHALK, LCM, CLEAR)
    return easel


def shown(window: MainWindow) -> set[str]:
    return {row.title for row in window.inspector.rows() if row.isVisible()}


def test_what_is_not_installed_has_no_row(window: MainWindow, easel: NumpyEasel) -> None:
    assert {"LoRAs", "Autoencoder"} <= shown(window)
    window.models.choose(with_adapters(easel))
    assert not {"LoRAs", "Autoencoder"} & shown(window)
    window.models.choose(with_adapters(easel, INK))
    assert shown(window) & {"LoRAs", "Autoencoder"} == {"LoRAs"}
    assert window.inspector.adapters.fast.isHidden()


def test_a_weight_and_an_autoencoder_go_into_the_draft(window: MainWindow, qtbot: QtBot) -> None:
    adapters = window.inspector.adapters
    ink, chalk, _ = adapters.loras.lines
    assert window.form.draft().loras == ()
    with qtbot.waitSignal(window.inspector.changed):
        ink.slider.setValue(16)
    chalk.edit.setFocus()
    chalk.edit.selectAll()
    qtbot.keyClicks(chalk.edit, "-1,25")
    qtbot.keyClick(chalk.edit, Qt.Key.Key_Return)
    adapters.vae.setCurrentIndex(1)
    draft = window.form.draft()
    assert draft.loras == (LoraUse("ink", 0.8), LoraUse("chalk", -1.25))
    assert draft.vae == "clear"
    model = window.model()
    assert model is not None
    assert resolve(replace(draft, prompt="a cat"), model)[0].loras == draft.loras
    ink.slider.setValue(0)
    assert window.form.draft().loras == (LoraUse("chalk", -1.25),)


@pytest.mark.parametrize("typed", ["3", "-2.1", "nan", "much"])
def test_a_weight_that_cannot_be_is_refused_and_the_old_one_stays(
    window: MainWindow, qtbot: QtBot, typed: str
) -> None:
    ink = window.inspector.adapters.loras.lines[0]
    ink.slider.setValue(10)
    ink.edit.setFocus()
    ink.edit.selectAll()
    with qtbot.waitSignal(window.inspector.problem) as told:
        qtbot.keyClicks(ink.edit, typed)
        qtbot.keyClick(ink.edit, Qt.Key.Key_Return)
    assert told.args[0] == RecipeProblem("weight", typed, "-2 to 2")
    assert ink.weight == 0.5


def test_every_control_says_what_it_is(window: MainWindow) -> None:
    line = window.inspector.adapters.loras.lines[0]
    assert line.slider.accessibleName() == "Ink drawing"
    assert line.edit.accessibleName() == "Weight of Ink drawing"
    assert window.inspector.adapters.vae.accessibleName() == "Autoencoder"
    assert window.inspector.adapters.fast.accessibleName() == "Draw fast"


def test_one_button_draws_fast_and_as_usual_again(window: MainWindow, qtbot: QtBot) -> None:
    inspector, fast = window.inspector, window.inspector.adapters.fast
    before = window.form.draft()
    inspector.adapters.loras.lines[0].slider.setValue(10)
    qtbot.mouseClick(fast, Qt.MouseButton.LeftButton)
    draft = window.form.draft()
    assert (draft.scheduler, draft.steps, draft.guidance) == (Scheduler.LCM, 6, 1.5)
    assert draft.loras == (LoraUse("ink", 0.5), LoraUse(LCM.id, 1.0))
    assert fast.text() == "Draw as usual"
    qtbot.mouseClick(fast, Qt.MouseButton.LeftButton)
    after = window.form.draft()
    assert after == replace(before, loras=(LoraUse("ink", 0.5),))


def test_using_a_recipe_takes_its_loras_and_misses_what_is_not_here(
    window: MainWindow, qtbot: QtBot
) -> None:
    recipe = Recipe("a cat", "numpy", Size(48, 64), 12, 3.5, 99, Scheduler.EULER)
    recipe = replace(recipe, loras=(LoraUse("chalk", 1.3),), vae="clear")
    window.form.fill(recipe)
    model = window.model()
    assert model is not None
    assert resolve(window.form.take(), model) == (recipe,)
    strange = replace(recipe, loras=(LoraUse("tinsel", 1.0),), vae=None)
    with qtbot.waitSignal(window.inspector.problem) as told:
        window.form.fill(strange)
    problem = told.args[0]
    assert (problem.field, problem.value) == ("loras", "tinsel")
    assert window.form.draft().loras == ()
    assert window.form.draft().vae is None


def test_they_are_remembered(open_window, easel: NumpyEasel) -> None:  # type: ignore[no-untyped-def]
    window = open_window(easel)
    window.inspector.adapters.fill((LoraUse("ink", 1.5),), "clear")
    window.leave()
    later = again(easel)
    with_adapters(later, INK, CLEAR)
    draft = open_window(later).form.draft()
    assert draft.loras == (LoraUse("ink", 1.5),)
    assert draft.vae == "clear"


def test_one_that_arrives_is_offered_at_once(window: MainWindow, easel: NumpyEasel) -> None:
    window.inspector.adapters.loras.lines[1].slider.setValue(20)
    new = Adapter("oil", "Oil paint", Kind.LORA, Family.SD1, "/oil.safetensors")
    with_adapters(easel, new, CHALK)
    window.models.found_more()
    titles = [line.adapter.title for line in window.inspector.adapters.loras.lines]
    assert titles == ["Oil paint", "Chalk"]
    assert window.form.draft().loras == (LoraUse("chalk", 1.0),)
