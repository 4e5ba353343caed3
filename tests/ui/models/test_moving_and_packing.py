"""Models to another folder, a model as one file, a disk that is gone, a download left half-way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from app.core.errors import ModelMissing
from app.ui.error_card import ErrorCard
from app.ui.main_window import MainWindow
from app.ui.model_errands import OWN
from app.ui.models_window import ModelsWindow
from app.weights.packs import read_pack
from tests.jobs.other_easel import start_other
from tests.ui.models.conftest import (
    WAIT_MS,
    Drawn,
    Open,
    Serve,
    again,
    arrived,
    choose,
    drawn_easel,
    get,
    press,
    row,
)
from tests.weights.hubs import FaultHub

pytestmark = [
    pytest.mark.loopback,
    # The offscreen platform says this of every window that comes to the front.
    pytest.mark.qt_log_ignore("This plugin does not support (raise|grabbing the keyboard)"),
]


@pytest.fixture
def got(models: ModelsWindow, qtbot: QtBot) -> ModelsWindow:
    """The tiny model is here and in use."""
    get(qtbot, models)
    qtbot.waitUntil(arrived(models), timeout=WAIT_MS)
    press(qtbot, models)
    return models


def over(models: ModelsWindow) -> bool:
    return models.strip.isVisible() and not models.strip.running


def slow_rule(files: dict[str, bytes], seconds: float) -> dict[str, object]:
    largest = max(files, key=lambda path: len(files[path]))
    return {"do": "serve", "path": largest, "rate": len(files[largest]) / seconds, "times": 1}


def test_models_move_and_draw_from_there(
    window: MainWindow, got: ModelsWindow, easel: Drawn, tmp_path: Path, qtbot: QtBot
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "holiday.jpg").write_bytes(b"sun")
    # 1. Chosen in the system's dialog, moved into a folder of its own
    got.place.linkActivated.emit("move")
    dialog = got.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    dialog.fileSelected.emit(str(disk))
    dialog.close()
    qtbot.waitUntil(lambda: over(got), timeout=WAIT_MS)
    place = disk / OWN
    assert easel.settings.models_folder == str(place)
    assert str(place) in got.place.accessibleName()
    (model,) = easel.shelf.installed()
    assert model.folder.is_relative_to(place)
    assert list((easel.folders.support / "models").glob("*/*/receipt.json")) == []
    # 2. The model that draws is the same, from there
    chosen = window.model()
    assert chosen is not None
    assert chosen.id == "tiny"
    assert Path(chosen.folder).is_relative_to(place)
    window.prompt.set_text("a red apple")
    window.inspector.fill(steps=2)
    window.generate()
    qtbot.waitUntil(lambda: window.canvas.shown() is not None, timeout=WAIT_MS)
    # 3. What comes next comes there too
    choose(row(got), "Remove…")
    box = got.findChild(QMessageBox, "removing")
    assert isinstance(box, QMessageBox)
    next(one for one in box.buttons() if one.text() == "Remove").click()
    press(qtbot, got)
    qtbot.waitUntil(arrived(got), timeout=WAIT_MS)
    assert easel.shelf.find("tiny").folder.is_relative_to(place)
    # 4. And back to Easel's own folder
    got.errands.move_to(easel.folders.support / "models")
    qtbot.waitUntil(lambda: easel.settings.models_folder is None, timeout=WAIT_MS)
    assert "Easel's own folder" in got.place.accessibleName()
    # 5. Where they are already, nothing happens to them
    here = easel.shelf.find("tiny").folder
    qtbot.waitUntil(lambda: over(got), timeout=WAIT_MS)
    got.errands.move_to(easel.folders.support / "models")
    qtbot.waitUntil(lambda: over(got), timeout=WAIT_MS)
    assert easel.shelf.find("tiny").folder == here


def test_whenever_the_move_is_stopped_the_models_are_whole(
    got: ModelsWindow, easel: Drawn, tmp_path: Path, qtbot: QtBot
) -> None:
    got.errands.move_to(tmp_path / "disk")
    got.strip.stop_button.click()
    qtbot.waitUntil(lambda: over(got), timeout=WAIT_MS)
    (model,) = easel.shelf.installed()
    assert easel.shelf.pack_problem(model) is None
    if easel.settings.models_folder is None:
        assert "where they were" in got.strip.words.text()
        assert list((tmp_path / "disk").glob("*")) == []


def test_a_folder_that_cannot_be_written_is_told(
    got: ModelsWindow, easel: Drawn, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "file").write_text("in the way")
    got.errands.move_to(tmp_path / "file")
    qtbot.waitUntil(lambda: over(got), timeout=WAIT_MS)
    assert got.strip.far.text()
    assert easel.settings.models_folder is None
    got.strip.stop_button.click()
    assert not got.strip.isVisible()


@pytest.mark.slow
def test_nothing_moves_while_a_model_comes_in(
    easel_home: Path,
    serve: Serve,
    files: dict[str, bytes],
    open_window: Open,
    tmp_path: Path,
    qtbot: QtBot,
) -> None:
    easel = drawn_easel(easel_home, serve(slow_rule(files, 4)), files)
    models = open_window(easel).getting.open_models()
    get(qtbot, models)
    qtbot.waitUntil(lambda: " of " in row(models).progress.text(), timeout=WAIT_MS)
    models.errands.move_to(tmp_path / "disk")
    assert models.strip.words.text() == "The model is busy"
    assert not (tmp_path / "disk").exists()
    # Paused, what has come goes along
    press(qtbot, models)
    qtbot.waitUntil(lambda: easel.shelf.unfinished() != (), timeout=WAIT_MS)
    models.errands.move_to(tmp_path / "disk")
    qtbot.waitUntil(lambda: easel.settings.models_folder is not None, timeout=WAIT_MS)
    (left,) = easel.shelf.unfinished()
    assert left.folder.is_relative_to(tmp_path / "disk")
    press(qtbot, models)
    qtbot.waitUntil(arrived(models), timeout=WAIT_MS)
    assert easel.shelf.find("tiny").folder.is_relative_to(tmp_path / "disk")


def test_a_disk_that_is_gone_is_told_and_welcomed_back(
    easel: Drawn, got: ModelsWindow, hub: FaultHub, tmp_path: Path, open_window: Open, qtbot: QtBot
) -> None:
    disk, drawer = tmp_path / "disk", tmp_path / "drawer"
    got.errands.move_to(disk)
    qtbot.waitUntil(lambda: easel.settings.models_folder is not None, timeout=WAIT_MS)
    disk.rename(drawer)
    # 1. The next start says so, and nothing is made where the disk was
    window = open_window(again(easel, hub))
    assert "folder with your models is not there" in window.notices.toast.text
    models = window.getting.open_models()
    assert models.trouble.isVisible()
    assert str(disk) in models.trouble.text()
    press(qtbot, models)
    qtbot.waitUntil(lambda: row(models).trouble.isVisible(), timeout=WAIT_MS)
    assert not disk.exists()
    # 2. It is back
    drawer.rename(disk)
    models.refresh()
    assert not models.trouble.isVisible()
    assert row(models).entry.installed is not None
    assert "tiny" in [model.id for model in window.toolbar.models]


def test_a_model_is_exported_as_one_file(
    got: ModelsWindow, easel: Drawn, tmp_path: Path, qtbot: QtBot
) -> None:
    choose(row(got), "Export as One File…")
    dialog = got.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "mine.easelpack"))
    dialog.close()
    qtbot.waitUntil(lambda: over(got), timeout=WAIT_MS)
    assert got.strip.words.text() == "Exported as mine.easelpack"
    assert read_pack(tmp_path / "mine.easelpack").receipt == easel.shelf.find("tiny").receipt


def test_what_cannot_be_exported_says_why(got: ModelsWindow, easel: Drawn) -> None:
    (easel.shelf.find("tiny").folder / "model_index.json").unlink()
    got.refresh()
    for id, why in (("starter", "it comes with every Easel"), ("tiny", "a part of it is missing")):
        menu = row(got, id).menu()
        assert menu is not None
        export = next(one for one in menu.actions() if one.text().startswith("Export"))
        assert not export.isEnabled()
        assert why in export.text()
        menu.deleteLater()


@pytest.mark.parametrize("then", ["Resume", "Discard"])
def test_a_download_left_half_way_is_paused_at_the_next_start(
    easel_home: Path,
    serve: Serve,
    files: dict[str, bytes],
    open_window: Open,
    qtbot: QtBot,
    then: str,
) -> None:
    hub = serve(slow_rule(files, 4))
    easel = drawn_easel(easel_home, hub, files)
    first = open_window(easel)
    get(qtbot, models := first.getting.open_models())
    largest = max(files, key=lambda path: len(files[path]))
    part = easel.folders.installed / "tiny" / ("c" * 40) / f"{largest}.part"
    qtbot.waitUntil(lambda: part.exists() and part.stat().st_size > 50_000, timeout=WAIT_MS)
    first.leave()
    asked = len(hub.log())
    # 1. How much is there, and nobody is asked
    models = open_window(again(easel, hub)).getting.open_models()
    assert row(models).progress.text().startswith("Paused at ")
    assert row(models).bar.value() > 0
    assert row(models).button.text() == "Resume"
    assert len(hub.log()) == asked
    # 2. On, or away
    if then == "Resume":
        press(qtbot, models)
        qtbot.waitUntil(arrived(models), timeout=WAIT_MS)
        assert any(entry["headers"].get("range") for entry in hub.log()[asked:])
        return
    row(models).further.click()
    box = models.findChild(QMessageBox, "discarding")
    assert isinstance(box, QMessageBox)
    next(one for one in box.buttons() if one.text() == "Discard").click()
    installed = easel.folders.installed
    qtbot.waitUntil(lambda: not list(installed.glob("*")), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: row(models).button.text() == "Get…", timeout=WAIT_MS)
    assert len(hub.log()) == asked


@pytest.mark.slow
def test_what_another_easel_downloads_is_waited_for_and_used(
    easel_home: Path, serve: Serve, files: dict[str, bytes], open_window: Open, qtbot: QtBot
) -> None:
    hub = serve(slow_rule(files, 10))
    easel = drawn_easel(easel_home, hub, files)
    easel.shelf.accept(easel.shelf.card("tiny"))
    models = open_window(easel).getting.open_models()
    with start_other(easel_home, hub) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "Transferring\n"
        press(qtbot, models)
        said = row(models).progress
        qtbot.waitUntil(lambda: said.text().startswith("Another Easel"), timeout=WAIT_MS)
        qtbot.waitUntil(arrived(models), timeout=WAIT_MS)
        other.stdout.read()
    assert len(hub.log()) == len(files)


def test_without_a_model_the_card_leads_to_the_models(
    easel: Drawn, open_window: Open, tmp_path: Path
) -> None:
    shipped = tmp_path / "without"
    (shipped / "models").mkdir(parents=True)
    catalogue = shipped / "models" / "catalog"
    catalogue.symlink_to(easel.folders.catalogue)
    (shipped / "resources").symlink_to(easel.folders.resources)
    bare = Drawn(replace(easel.folders, shipped=shipped), "")
    window = open_window(bare)
    card = window.findChild(ErrorCard)
    assert isinstance(card, ErrorCard)
    assert isinstance(card.error, ModelMissing)
    assert card.get_button.isVisible()
    card.get_button.click()
    assert window.getting.models is not None
    assert window.getting.models.isVisible()
    # Another fault has nothing to do with models
    window.show_error(_no_space())
    assert not card.get_button.isVisible()
    assert card.again_button.kind == "action"


def _no_space():  # type: ignore[no-untyped-def]
    from app.core.errors import NoSpace

    return NoSpace("/", 2, 1)
