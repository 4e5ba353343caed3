"""Core ML in the window: converting, what was converted, and a Mac's way to its first picture."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QMessageBox
from pytestqt.qtbot import QtBot

from app.core.coreml_manifest import Attention
from app.core.mac import Mac
from app.core.model import ModelFormat
from app.core.placement import Placement
from app.core.settings import Settings
from app.jobs import converting
from app.jobs.shelf import Shelf, usable
from app.library.library import read_picture
from app.ui.convert_sheet import ConvertSheet
from app.ui.coreml_words import clock
from app.ui.main_window import MainWindow
from app.ui.models_window import ModelsWindow
from app.ui.theme import Theme
from app.weights.patience import Options
from tests.engine.coreml.tiny_models import tiny_folder
from tests.engine.numpy_engine import make_numpy_engine
from tests.jobs.interpreted_mac import AIR, interpreted_mac
from tests.jobs.shelves import ShelfEasel, easel_with_shelf, install
from tests.jobs.tiny_published import published_zip
from tests.ui.models.conftest import WAIT_MS, Drawn, Open, accept, choose, press, row
from tests.weights.hubs import QUICK, FaultHub, fault_hub

pytestmark = [
    pytest.mark.loopback,
    # The offscreen platform says this of every window that comes to the front.
    pytest.mark.qt_log_ignore("This plugin does not support (raise|grabbing the keyboard)"),
]
MENU = "Convert to Core ML…"
MINUTES_MS = 180_000


def converted(easel: ShelfEasel, source: str = "starter", name: str = "coreml-sdpa-16") -> Path:
    return tiny_folder(easel.folders.installed / source / name)


def listed(models: ModelsWindow) -> list[str]:
    """The ids of the rows, from the top."""
    return [id for id, _ in models._listed]


def menu_of(models: ModelsWindow, id: str) -> list[str]:
    menu = models.rows[id].menu()
    assert menu is not None
    words = [one.text() for one in menu.actions() if one.text()]
    menu.deleteLater()
    return words


# What was converted.


def test_a_conversion_is_a_row_below_its_model(
    easel: Drawn, models: ModelsWindow, window: MainWindow, qtbot: QtBot
) -> None:
    folder = converted(easel)
    (folder / "coreml.json").rename(folder / "elsewhere")
    models.refresh()
    assert listed(models) == ["starter", "starter.coreml-sdpa-16", "tiny"]
    qtbot.waitUntil(row(models, "starter.coreml-sdpa-16").isVisible)
    assert "missing" in row(models, "starter.coreml-sdpa-16").summary.text()
    assert not row(models, "starter.coreml-sdpa-16").button.isVisible()
    (folder / "elsewhere").rename(folder / "coreml.json")
    models.refresh()
    here = row(models, "starter.coreml-sdpa-16")
    assert here.title.whole == "Core ML (GPU, 16-bit)"
    assert "on disk" in here.facts.accessibleName()
    assert menu_of(models, "starter.coreml-sdpa-16") == ["Show Its Folder", "Remove…"]
    press(qtbot, models, "starter.coreml-sdpa-16")
    chosen = window.model()
    assert chosen is not None
    assert chosen.format is ModelFormat.COREML
    qtbot.waitUntil(here.used.isVisible)
    assert not row(models, "starter").entry.in_use


def test_it_is_removed_alone_after_a_question(
    easel: Drawn, models: ModelsWindow, window: MainWindow
) -> None:
    folder = converted(easel)
    window.models.choose(easel.model("starter.coreml-sdpa-16"))
    models.refresh()
    choose(row(models, "starter.coreml-sdpa-16"), "Remove…")
    box = models.findChild(QMessageBox, "removing")
    assert isinstance(box, QMessageBox)
    assert "The original stays" in box.informativeText()
    next(one for one in box.buttons() if one.text() == "Remove").click()
    assert not folder.exists()
    assert listed(models) == ["starter", "tiny"]
    chosen = window.model()
    assert chosen is not None
    assert chosen.id == "starter"


def test_it_goes_with_its_model_and_the_question_says_so(
    easel: Drawn, models: ModelsWindow, files: dict[str, bytes]
) -> None:
    install(easel.folders, files)
    folder = converted(easel, "tiny")
    models.refresh()
    choose(row(models), "Remove…")
    box = models.findChild(QMessageBox, "removing")
    assert isinstance(box, QMessageBox)
    assert "converted" in box.informativeText()
    next(one for one in box.buttons() if one.text() == "Remove").click()
    assert not folder.exists()


# Converting.


def test_what_can_be_converted_offers_it(
    easel: Drawn, models: ModelsWindow, files: dict[str, bytes]
) -> None:
    assert MENU in menu_of(models, "starter")
    assert row(models).menu() is None
    install(easel.folders, files)
    models.refresh()
    assert MENU in menu_of(models, "tiny")


@pytest.fixture
def make_sheet(qapp: object, easel: Drawn, qtbot: QtBot) -> Callable[[Mac | None], ConvertSheet]:
    from PySide6.QtWidgets import QWidget

    parent = QWidget()
    qtbot.addWidget(parent)

    def make_sheet(mac: Mac | None) -> ConvertSheet:
        return ConvertSheet(Theme(qapp, "light"), easel.model("starter"), mac, parent)  # type: ignore[arg-type]

    return make_sheet


def press_segment(sheet: ConvertSheet, name: str) -> None:
    segment = sheet.findChild(QAbstractButton, name)
    assert isinstance(segment, QAbstractButton)
    segment.click()


@pytest.mark.parametrize(
    ("mac", "bits", "attention"),
    [
        (None, 6, Attention.SPLIT_EINSUM),
        (AIR, 6, Attention.SPLIT_EINSUM),
        (replace(AIR, gpu_cores=32, performance_cores=8), 16, Attention.SDPA),
    ],
)
def test_the_sheet_begins_with_what_this_computer_is_best_with(
    make_sheet: Callable[[Mac | None], ConvertSheet],
    mac: Mac | None,
    bits: int,
    attention: Attention,
) -> None:
    sheet = make_sheet(mac)
    assert (sheet.options().bits, sheet.options().attention) == (bits, attention)
    assert sheet.elsewhere.isVisibleTo(sheet) is (mac is None)
    press_segment(sheet, "Draws on: GPU")
    assert (sheet.options().bits, sheet.options().attention) == (16, Attention.SDPA)
    press_segment(sheet, "Weights: 6-bit, recommended")
    assert sheet.options().bits == 6


def test_seconds_as_a_clock() -> None:
    assert [clock(s) for s in (0, 59.4, 80, 3725)] == ["0:00", "0:59", "1:20", "1:02:05"]


def convert(models: ModelsWindow, qtbot: QtBot, bits: int = 16) -> None:
    choose(row(models, "starter"), MENU)
    sheet = models.conversions.sheet
    assert sheet is not None
    assert sheet.elsewhere.isVisible()
    sheet.bits.choose((6, 16).index(bits))
    qtbot.mouseClick(sheet.go_button, Qt.MouseButton.LeftButton)


@pytest.mark.slow
def test_a_refusal_is_said_and_leaves_nothing(
    easel: Drawn, models: ModelsWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(converting, "free_memory", lambda: 1000)
    convert(models, qtbot)
    qtbot.waitUntil(lambda: not models.strip.running, timeout=WAIT_MS)
    assert models.strip.words.text() == "The model was not converted"
    assert "more memory than there is" in models.strip.far.text()
    assert easel.conversions("starter") == ()
    assert not (easel.folders.installed / "starter").exists()


@pytest.mark.slow
def test_the_starter_is_converted_stopped_once_and_then_offered(
    easel: Drawn, models: ModelsWindow, window: MainWindow, qtbot: QtBot
) -> None:
    # 1. Stopped
    convert(models, qtbot)
    assert models.strip.words.text() == "Converting Starter to Core ML"
    qtbot.waitUntil(lambda: "left" in models.strip.far.text(), timeout=MINUTES_MS)
    assert models.conversions.busy
    window.close()
    asked = window.findChild(QMessageBox, "closing")
    assert isinstance(asked, QMessageBox)
    assert asked.text() == "A model is still being converted"
    models.strip.stop_button.click()
    qtbot.waitUntil(lambda: not models.strip.running, timeout=WAIT_MS)
    assert models.strip.words.text().startswith("Stopped")
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "closing") is None)
    assert window.isVisible()
    assert not (easel.folders.installed / "starter").exists()
    # 2. To its end
    convert(models, qtbot)
    qtbot.waitUntil(lambda: not models.strip.running, timeout=MINUTES_MS)
    assert models.strip.words.text() == "Starter is converted to Core ML"
    made = "starter.coreml-split_einsum-16"
    assert made in [model.id for model in window.toolbar.models]
    assert made in models.rows
    models.strip.then_button.click()
    chosen = window.model()
    assert chosen is not None
    assert chosen.id == made
    assert easel.settings.model == made


# On a Mac: from the first run to a picture.

ZIP = "coreml-some-model-1_split_einsum_packages.zip"


class MacEasel(ShelfEasel):
    """Core ML by the interpreter; the models of the other engine are numpy's, in a child."""

    def __init__(self, like: ShelfEasel, endpoint: str, build: str = AIR.build) -> None:
        super().__init__(like.folders, endpoint)
        self.settings = Settings(mirror=endpoint)
        self.core_ml = interpreted_mac(build)
        self._make_engine = make_numpy_engine
        self._shelf = Shelf(like.folders, Options(endpoint, "", QUICK), usable(True))


@pytest.fixture
def zip_hub(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultHub]:
    content = published_zip(tmp_path_factory.getbasetemp())
    with fault_hub(tmp_path / "zip", {ZIP: content}) as running:
        yield running


@pytest.fixture
def mac_easel(
    easel_home: Path, zip_hub: FaultHub, tmp_path_factory: pytest.TempPathFactory
) -> MacEasel:
    content = published_zip(tmp_path_factory.getbasetemp())
    made = easel_with_shelf(easel_home, zip_hub, {ZIP: content})
    card = made.folders.catalogue / "tiny.toml"
    text = card.read_text("utf-8").replace('"diffusers"', '"coreml"\nunpack = true')
    card.write_text(text, "utf-8")
    assert hashlib.sha256(content).hexdigest() in text
    return MacEasel(made, zip_hub.endpoint)


def draw(window: MainWindow, qtbot: QtBot) -> tuple[str, Placement | None]:
    """Draw, and say with which model and where."""
    window.prompt.set_text("a red apple")
    window.inspector.fill(steps=3)
    count = len(window.desk.items())
    window.generate()
    qtbot.waitUntil(
        lambda: len(window.desk.items()) > count and not window.desk.busy, timeout=MINUTES_MS
    )
    pictures = window.easel.folders.pictures.rglob("*.png")
    picture = read_picture(max(pictures, key=lambda file: file.stat().st_mtime_ns))
    return picture.recipe.model, picture.placement


@pytest.mark.slow
def test_a_mac_gets_prepares_and_draws_with_core_ml_from_the_first_run(
    mac_easel: MacEasel, zip_hub: FaultHub, open_window: Open, qtbot: QtBot
) -> None:
    window = open_window(mac_easel)
    # 1. The first run's button asks for the model that is made for Macs; its licence first
    qtbot.mouseClick(window.notices.first_run.get_button, Qt.MouseButton.LeftButton)
    models = window.getting.models
    assert models is not None
    assert row(models).entry.recommended
    accept(qtbot, models)
    # 2. It comes, and is prepared; meanwhile the starter draws
    readying = window.getting.readying
    assert readying is not None
    qtbot.waitUntil(lambda: readying.busy, timeout=MINUTES_MS)
    assert row(models).entry.installed is not None
    assert "Preparing for the GPU, 0:" in row(models).progress.text()
    assert "up to 5 minutes the first time" in row(models).progress.text()
    assert row(models).further.text() == "Stop"
    assert draw(window, qtbot)[0] == "starter"
    # 3. Ready, it is chosen; what it takes here is in its row
    qtbot.waitUntil(lambda: not readying.busy, timeout=MINUTES_MS)
    chosen = window.model()
    assert chosen is not None
    assert chosen.id == "tiny"
    assert mac_easel.settings.model == "tiny"
    assert "of 8 GB" in row(models).facts.accessibleName()
    # 4. It draws, on that unit
    assert draw(window, qtbot) == ("tiny", Placement.COREML_GPU)
    window.leave()
    # 5. After an update of macOS it is prepared again, with a word, and then chosen again
    later = MacEasel(mac_easel, zip_hub.endpoint, "25A1")
    later.settings = mac_easel.settings
    window = open_window(later)
    assert "macOS has changed: Tiny Diffusion is prepared again" in window.notices.toast.text
    stand_in = window.model()
    assert stand_in is not None
    assert stand_in.id == "starter"
    again = window.getting.readying
    assert again is not None
    qtbot.waitUntil(lambda: not again.busy, timeout=MINUTES_MS)
    chosen = window.model()
    assert chosen is not None
    assert chosen.id == "tiny"


@pytest.mark.slow
def test_a_stop_keeps_the_model_and_asks_again_when_it_is_chosen(
    mac_easel: MacEasel, open_window: Open, qtbot: QtBot
) -> None:
    window = open_window(mac_easel)
    window.getting.get_first()
    models = window.getting.models
    assert models is not None
    accept(qtbot, models)
    readying = window.getting.readying
    assert readying is not None
    qtbot.waitUntil(lambda: readying.busy, timeout=MINUTES_MS)
    qtbot.mouseClick(row(models).further, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not readying.busy, timeout=WAIT_MS)
    chosen = window.model()
    assert chosen is not None
    assert chosen.id == "starter"
    assert not row(models).progress.isVisible()
    assert row(models).button.text() == "Use"
    press(qtbot, models)
    assert readying.busy
