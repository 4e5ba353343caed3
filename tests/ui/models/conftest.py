"""A window whose shelf has one tiny model of a hub on loopback, drawn by the numpy engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.jobs.events import Listener
from app.jobs.session import Session
from app.jobs.shelf import Shelf
from app.jobs.thread_host import ThreadHost
from app.ui.licence_sheet import LicenceSheet
from app.ui.main_window import MainWindow
from app.ui.model_row import ModelRow
from app.ui.models_window import ModelsWindow
from app.ui.theme import Theme
from app.weights.patience import Options
from tests.jobs.shelves import ShelfEasel, easel_with_shelf, served_files
from tests.ui.numpy_easel import ScriptedEngine
from tests.weights.hubs import QUICK, FaultHub, fault_hub

WAIT_MS = 30_000
Serve = Callable[..., FaultHub]
Open = Callable[[ShelfEasel], MainWindow]


class Drawn(ShelfEasel):
    """Real folders, shelf and library; only what draws is numpy's, on a thread."""

    def make_session(self, listener: Listener | None = None) -> Session:
        host = ThreadHost(ScriptedEngine)
        return Session(host, self.library, self.models, self.folders.journal, listener)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return served_files(tmp_path_factory.mktemp("served") / "tiny")


@pytest.fixture
def serve(tmp_path: Path, files: dict[str, bytes]) -> Iterator[Serve]:
    """Starts a hub that has the model, with the faults of ``rules``."""
    from contextlib import ExitStack

    with ExitStack() as running:
        yield lambda *rules: running.enter_context(fault_hub(tmp_path, files, *rules))


@pytest.fixture
def hub(serve: Serve) -> FaultHub:
    return serve()


def drawn_easel(home: Path, hub: FaultHub, files: dict[str, bytes]) -> Drawn:
    made = easel_with_shelf(home, hub, files)
    easel = Drawn(made.folders, hub.endpoint)
    easel._shelf = Shelf(made.folders, Options(hub.endpoint, "", QUICK))
    return easel


def again(easel: Drawn, hub: FaultHub) -> Drawn:
    """The same folders and settings, as the next start finds them."""
    later = Drawn(easel.folders, hub.endpoint)
    later._shelf = Shelf(easel.folders, Options(hub.endpoint, "", QUICK))
    return later


@pytest.fixture
def easel(easel_home: Path, hub: FaultHub, files: dict[str, bytes]) -> Drawn:
    return drawn_easel(easel_home, hub, files)


@pytest.fixture
def open_window(qtbot: QtBot, qapp: object) -> Iterator[Open]:
    opened: list[MainWindow] = []

    def open_one(easel: ShelfEasel) -> MainWindow:
        window = MainWindow(easel, Theme(qapp, "light"))  # type: ignore[arg-type]
        opened.append(window)
        with qtbot.waitSignal(window.begun):
            window.show()
        return window

    yield open_one
    for window in opened:
        window.leave()
        window.deleteLater()


@pytest.fixture
def window(open_window: Open, easel: Drawn) -> MainWindow:
    return open_window(easel)


@pytest.fixture
def models(window: MainWindow) -> ModelsWindow:
    return window.getting.open_models()


def row(models: ModelsWindow, id: str = "tiny") -> ModelRow:
    return models.rows[id]


def press(qtbot: QtBot, models: ModelsWindow, id: str = "tiny") -> None:
    qtbot.mouseClick(row(models, id).button, Qt.MouseButton.LeftButton)


def choose(row: ModelRow, words: str) -> None:
    """An action of the row's menu."""
    menu = row.menu()
    assert menu is not None
    action = next(one for one in menu.actions() if one.text() == words)
    assert action.isEnabled()
    action.trigger()
    menu.deleteLater()


def sheet_of(models: ModelsWindow) -> LicenceSheet:
    assert models.sheet is not None
    return models.sheet


def accept(qtbot: QtBot, models: ModelsWindow) -> None:
    """Tick and press, as a person who has read."""
    sheet = sheet_of(models)
    sheet.box.setChecked(True)
    qtbot.mouseClick(sheet.accept_button, Qt.MouseButton.LeftButton)


def get(qtbot: QtBot, models: ModelsWindow) -> None:
    press(qtbot, models)
    accept(qtbot, models)


def arrived(models: ModelsWindow, id: str = "tiny") -> Callable[[], bool]:
    return lambda: id in models.rows and models.rows[id].entry.installed is not None
