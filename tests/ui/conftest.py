"""A window over the real session, library and settings, with the numpy engine on a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.ui.main_window import MainWindow
from app.ui.theme import Theme
from tests.ui.numpy_easel import NumpyEasel

Open = Callable[[NumpyEasel], MainWindow]


@pytest.fixture
def easel(tmp_path: Path) -> NumpyEasel:
    return NumpyEasel(tmp_path / "home")


@pytest.fixture
def open_window(qtbot: QtBot, qapp: object) -> Iterator[Open]:
    """Opens windows as the program does; each is closed, without asking, when the test ends."""
    opened: list[MainWindow] = []

    def open_one(easel: NumpyEasel, look: str = "light") -> MainWindow:
        window = MainWindow(easel, Theme(qapp, look))  # type: ignore[arg-type]
        opened.append(window)
        with qtbot.waitSignal(window.begun):
            window.show()
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        return window

    yield open_one
    for window in opened:
        if isinstance(window.easel, NumpyEasel):
            window.easel.engine.release()
        window.leave()
        window.deleteLater()


@pytest.fixture
def window(open_window: Open, easel: NumpyEasel) -> MainWindow:
    return open_window(easel)
