"""When everything is drawn: a word to whoever is elsewhere, and what is asked of the system."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.ui.awake import Awake, awake_command, sleep_command
from app.ui.finishing import Finishing
from app.ui.main_window import MainWindow
from tests.ui.numpy_easel import NumpyEasel

SLEEP = shutil.which("sleep") or "/bin/sleep"


class Told:
    """A Finishing of ``window`` that tells this instead of the system."""

    def __init__(self, window: MainWindow) -> None:
        self.said: list[tuple[str, str]] = []
        self.slept = 0
        self.in_front = False
        self.awake = Awake([SLEEP, "600"], window)
        window.finishing.close()
        window.finishing.deleteLater()
        window.finishing = Finishing(
            window,
            tell=lambda title, text: self.said.append((title, text)),
            in_front=lambda: self.in_front,
            awake=self.awake,
            sleep=self.sleep,
        )

    def sleep(self) -> None:
        self.slept += 1


@pytest.fixture
def told(window: MainWindow) -> Iterator[Told]:
    made = Told(window)
    yield made
    made.awake.let_go()


def draw(window: MainWindow, qtbot: QtBot, count: int = 1) -> None:
    window.prompt.set_text("a cat")
    window.inspector.fill(count=count)
    wanted = window.desk.rowCount() + count
    window.generate()
    qtbot.waitUntil(lambda: window.desk.rowCount() == wanted and not window.desk.busy)


def test_who_is_elsewhere_is_told_once_for_all_pictures(
    window: MainWindow, qtbot: QtBot, told: Told
) -> None:
    draw(window, qtbot, 3)
    assert told.said == [("Everything is drawn", "3 pictures are ready")]
    draw(window, qtbot)
    assert told.said[1:] == [("Everything is drawn", "Your picture is ready")]


def test_who_looks_on_or_does_not_want_it_is_not_told(
    window: MainWindow, qtbot: QtBot, told: Told
) -> None:
    told.in_front = True
    draw(window, qtbot)
    told.in_front = False
    window.remember(finish_notice=False)
    draw(window, qtbot)
    assert told.said == []


def test_what_was_stopped_is_nothing_to_tell(window: MainWindow, qtbot: QtBot, told: Told) -> None:
    assert isinstance(window.easel, NumpyEasel)
    window.easel.engine.hold()
    window.prompt.set_text("a cat")
    window.generate()
    qtbot.waitUntil(lambda: window.desk.live is not None)
    window.studio.stop_all()
    qtbot.waitUntil(lambda: not window.desk.busy)
    assert told.said == []


@pytest.mark.parametrize("wanted", [True, False])
def test_the_computer_is_kept_awake_while_something_is_drawn_and_no_longer(
    window: MainWindow, qtbot: QtBot, told: Told, wanted: bool
) -> None:
    assert isinstance(window.easel, NumpyEasel)
    window.remember(stay_awake=wanted)
    window.easel.engine.hold()
    window.prompt.set_text("a cat")
    window.generate()
    qtbot.waitUntil(lambda: window.desk.live is not None)
    assert told.awake.held is wanted
    window.easel.engine.release()
    qtbot.waitUntil(lambda: not window.desk.busy)
    assert not told.awake.held


def test_the_computer_sleeps_once_when_that_was_wished(
    window: MainWindow, qtbot: QtBot, told: Told
) -> None:
    window.menus.then_sleep.trigger()
    draw(window, qtbot)
    toast = window.notices.toast
    assert toast.text.startswith("Everything is drawn. The computer goes to sleep")
    assert (told.slept, told.said) == (0, [])
    qtbot.mouseClick(toast.action_button, Qt.MouseButton.LeftButton)
    assert told.slept == 1
    assert not window.menus.then_sleep.isChecked()
    draw(window, qtbot)
    assert told.slept == 1


def test_one_can_stay_awake_after_all(window: MainWindow, qtbot: QtBot, told: Told) -> None:
    window.menus.then_sleep.trigger()
    draw(window, qtbot)
    qtbot.mouseClick(window.notices.toast.other_button, Qt.MouseButton.LeftButton)
    assert told.slept == 0
    assert not window.finishing.then_sleep


def test_nobody_there_and_the_computer_goes_to_sleep(
    window: MainWindow, qtbot: QtBot, told: Told
) -> None:
    window.finishing._falling_asleep.setInterval(50)
    window.menus.then_sleep.trigger()
    draw(window, qtbot)
    qtbot.waitUntil(lambda: told.slept == 1)
    assert not window.notices.toast.isVisible()


def test_a_program_that_is_not_there_is_no_trouble(qtbot: QtBot) -> None:
    awake = Awake(["/no/such/program"])
    awake.hold(True)
    qtbot.waitUntil(lambda: not awake.held)
    awake.hold(False)
    none = Awake([])
    none.hold(True)
    assert not none.held


def test_on_a_mac_the_systems_own_programs_are_asked() -> None:
    command = awake_command("darwin")
    assert command[:3] == ["/usr/bin/caffeinate", "-i", "-w"]
    assert command[3].isdigit()
    assert sleep_command("darwin") == ["/usr/bin/pmset", "sleepnow"]


@pytest.mark.skipif(sys.platform == "darwin", reason="of Linux")
def test_on_linux_only_what_is_there_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert awake_command("linux")[0] == "/usr/bin/systemd-inhibit"
    assert sleep_command("linux") == ["/usr/bin/systemctl", "suspend"]
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert awake_command("linux") == []
    assert sleep_command("linux") == []
