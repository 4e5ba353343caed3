"""From an empty folder to a picture, through the window alone: licence, download, use, draw."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from app.ui.main_window import MainWindow
from app.ui.model_row import Action
from app.ui.models_window import ModelsWindow
from tests.jobs.shelves import TITLE
from tests.ui.models.conftest import (
    WAIT_MS,
    Drawn,
    Open,
    Serve,
    accept,
    arrived,
    choose,
    drawn_easel,
    get,
    press,
    row,
    sheet_of,
)
from tests.weights.hubs import FaultHub

pytestmark = [
    pytest.mark.loopback,
    # The offscreen platform says this of every window that comes to the front.
    pytest.mark.qt_log_ignore("This plugin does not support (raise|grabbing the keyboard)"),
]


def test_opening_the_models_asks_nobody(
    window: MainWindow, models: ModelsWindow, hub: FaultHub
) -> None:
    assert list(models.rows) == ["starter", "tiny"]
    assert row(models, "starter").entry.in_use
    assert row(models).title.whole == TITLE
    assert "on disk" in row(models).facts.accessibleName()
    assert window.windowTitle() == "Easel"
    assert hub.log() == []


def test_nothing_is_asked_before_the_licence_is_accepted(
    models: ModelsWindow, easel: Drawn, hub: FaultHub, qtbot: QtBot
) -> None:
    press(qtbot, models)
    sheet = sheet_of(models)
    # 1. The restrictions apart, the whole text, an empty tick
    text = easel.shelf.licence(easel.shelf.card("tiny"))
    assert sheet.restrictions.text() == text.restrictions
    assert sheet.restrictions.text().startswith("Attachment A")
    shown = sheet.text.text()
    assert hashlib.sha256(shown.encode()).hexdigest() == text.sha256
    assert not sheet.box.isChecked()
    # 2. No way past it
    assert not sheet.accept_button.isEnabled()
    qtbot.mouseClick(sheet.accept_button, Qt.MouseButton.LeftButton)
    qtbot.keyClick(sheet.accept_button, Qt.Key.Key_Return)
    sheet.box.setChecked(True)
    sheet.box.setChecked(False)
    assert not sheet.accept_button.isEnabled()
    assert not easel.shelf.is_accepted(easel.shelf.card("tiny"))
    assert easel.deliveries.all() == ()
    # 3. Closing it is no acceptance
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert models.sheet is None
    assert not easel.shelf.is_accepted(easel.shelf.card("tiny"))
    assert hub.log() == []


def test_the_licence_can_be_read_without_being_asked_for_anything(
    models: ModelsWindow, hub: FaultHub
) -> None:
    row(models).asked.emit(Action.LICENCE, "tiny")
    sheet = sheet_of(models)
    assert not sheet.box.isVisible()
    assert not sheet.accept_button.isVisible()
    sheet.close_button.click()
    assert models.sheet is None
    assert hub.log() == []


def test_a_model_is_got_used_and_draws(
    window: MainWindow, models: ModelsWindow, hub: FaultHub, easel: Drawn, qtbot: QtBot
) -> None:
    # 1. Get, accept, and it comes
    get(qtbot, models)
    qtbot.waitUntil(arrived(models), timeout=WAIT_MS)
    assert len(hub.log()) > 0
    assert window.windowTitle() == "Easel"
    # 2. It is in the model choice at once; Use selects it
    assert TITLE in [model.title for model in window.toolbar.models]
    assert row(models).button.text() == "Use"
    press(qtbot, models)
    chosen = window.model()
    assert chosen is not None
    assert chosen.id == "tiny"
    assert row(models).used.isVisible()
    assert not row(models, "starter").entry.in_use
    assert easel.settings.model == "tiny"
    # 3. And it draws, with the hub gone
    hub.process.kill()
    window.prompt.set_text("a red apple")
    window.inspector.fill(steps=2)
    window.generate()
    qtbot.waitUntil(lambda: window.canvas.shown() is not None, timeout=WAIT_MS)
    shown = window.canvas.shown()
    assert shown is not None
    assert shown.recipe.model == "tiny"


def test_a_licence_accepted_before_is_not_shown_again(
    models: ModelsWindow, easel: Drawn, qtbot: QtBot
) -> None:
    easel.shelf.accept(easel.shelf.card("tiny"))
    press(qtbot, models)
    assert models.sheet is None
    qtbot.waitUntil(arrived(models), timeout=WAIT_MS)


def test_a_licence_whose_text_has_changed_is_shown_again(
    models: ModelsWindow, easel: Drawn, hub: FaultHub, qtbot: QtBot
) -> None:
    easel.shelf.accept(easel.shelf.card("tiny"))
    # Before it was accepted, the text was another one.
    accepted = easel.folders.accepted
    sha256 = easel.shelf.licence(easel.shelf.card("tiny")).sha256
    accepted.write_text(accepted.read_text("utf-8").replace(sha256, "0" * 64), "utf-8")
    press(qtbot, models)
    assert sheet_of(models).box.isVisible()
    assert hub.log() == []


def test_progress_is_told_and_a_download_pauses_and_goes_on(
    easel_home: Path, serve: Serve, files: dict[str, bytes], open_window: Open, qtbot: QtBot
) -> None:
    largest = max(files, key=lambda path: len(files[path]))
    hub = serve({"do": "serve", "path": largest, "rate": len(files[largest]) / 6, "times": 1})
    easel = drawn_easel(easel_home, hub, files)
    window = open_window(easel)
    models = window.getting.open_models()
    get(qtbot, models)
    # 1. Under way: bytes, and the title of the window
    qtbot.waitUntil(lambda: " of " in row(models).progress.text(), timeout=WAIT_MS)
    assert row(models).bar.isVisible()
    assert row(models).button.text() == "Pause"
    qtbot.waitUntil(lambda: window.windowTitle().startswith("Easel — "), timeout=WAIT_MS)
    # 2. Paused
    press(qtbot, models)
    qtbot.waitUntil(lambda: row(models).progress.text().startswith("Paused"), timeout=WAIT_MS)
    assert row(models).button.text() == "Resume"
    assert window.windowTitle() == "Easel"
    # 3. And on, to the end
    press(qtbot, models)
    qtbot.waitUntil(arrived(models), timeout=WAIT_MS)


def test_a_failure_is_told_with_the_next_step(
    window: MainWindow, models: ModelsWindow, hub: FaultHub, qtbot: QtBot
) -> None:
    hub.process.kill()
    hub.process.wait()
    get(qtbot, models)
    qtbot.waitUntil(lambda: row(models).trouble.isVisible(), timeout=WAIT_MS)
    assert row(models).trouble.text() == "The model cannot be downloaded now"
    assert "press Resume" in row(models).advice.text()
    assert row(models).button.text() == "Resume"
    assert not window.getting.busy


def test_a_model_is_removed_after_a_question(
    window: MainWindow, models: ModelsWindow, easel: Drawn, qtbot: QtBot
) -> None:
    get(qtbot, models)
    qtbot.waitUntil(arrived(models), timeout=WAIT_MS)
    press(qtbot, models)
    for answer, left in (("Keep", 1), ("Remove", 0)):
        choose(row(models), "Remove…")
        box = models.findChild(QMessageBox, "removing")
        assert isinstance(box, QMessageBox)
        assert TITLE in box.text()
        next(one for one in box.buttons() if one.text() == answer).click()
        assert len(easel.shelf.installed()) == left
        qtbot.wait(10)
    assert row(models).entry.installed is None
    chosen = window.model()
    assert chosen is not None
    assert chosen.built_in
    assert [model.id for model in window.toolbar.models] == ["starter"]


def test_closing_while_it_comes_asks_and_keeps_what_came(
    easel_home: Path, serve: Serve, files: dict[str, bytes], open_window: Open, qtbot: QtBot
) -> None:
    import time

    largest = max(files, key=lambda path: len(files[path]))
    hub = serve({"do": "serve", "path": largest, "rate": len(files[largest]) / 6, "times": 1})
    window = open_window(drawn_easel(easel_home, hub, files))
    get(qtbot, models := window.getting.open_models())
    qtbot.waitUntil(lambda: " of " in row(models).progress.text(), timeout=WAIT_MS)
    window.close()
    box = window.findChild(QMessageBox, "closing")
    assert isinstance(box, QMessageBox)
    assert window.isVisible()
    assert "goes on from there" in box.informativeText()
    go = next(one for one in box.buttons() if one.text() == "Stop and close")
    begun = time.monotonic()
    go.click()
    assert time.monotonic() - begun < 4
    assert not window.isVisible()
    assert [file for file in window.easel.folders.installed.rglob("*") if file.is_file()]


def test_accepting_twice_gets_it_once(models: ModelsWindow, easel: Drawn, qtbot: QtBot) -> None:
    press(qtbot, models)
    press(qtbot, models)
    accept(qtbot, models)
    assert len(easel.deliveries.all()) == 1
    qtbot.waitUntil(arrived(models), timeout=WAIT_MS)
