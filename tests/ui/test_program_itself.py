"""About, updates, and the app's way into Applications, as the person meets them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QProcess
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from app import __version__
from app.places import find_folders
from app.ui import settling
from app.ui.about import PACKAGES, About, credit
from app.ui.error_card import ErrorCard
from app.ui.main_window import MainWindow
from app.weights.channel import Channel, Unknown, Update, Why
from tests.ui.numpy_easel import NumpyEasel

ROOT = Path(__file__).resolve().parents[2]
Open = Callable[[NumpyEasel], MainWindow]
SOURCE = Channel("https://example.org/newest.json", b"k" * 32)
NEWER = Update("9.1.0", "https://example.org/Easel.dmg", "ab" * 32)


def words_of(window: MainWindow) -> list[str]:
    return [action.text() for action in window.menus.help.actions()]


def press(window: MainWindow, words: str) -> None:
    next(action for action in window.menus.help.actions() if action.text() == words).trigger()


def box(window: MainWindow, name: str) -> QMessageBox | None:
    found = window.findChild(QMessageBox, name)
    return found if isinstance(found, QMessageBox) else None


def press_button(box: QMessageBox, words: str) -> None:
    next(button for button in box.buttons() if button.text() == words).click()


# --- About ----------------------------------------------------------------------------------


def test_about_says_the_versions_that_are_here(window: MainWindow, qtbot: QtBot) -> None:
    press(window, "About Easel")
    about = window.findChild(About)

    assert isinstance(about, About)
    assert about.isVisible()
    assert "Qt 6." in about.versions.text()
    assert f"Python {sys.version.split()[0]}" in about.versions.text()
    about.close()
    qtbot.waitUntil(lambda: window.findChild(About) is None)


def test_about_credits_what_easel_is_made_with() -> None:
    text = credit(find_folders())

    assert "Licensed under the Apache License, Version 2.0" in text
    assert re.search(r"^torch 2\.\d+\.\d+\S*: .*BSD-3-Clause", text, re.MULTILINE)
    assert re.search(r"^PySide6_Essentials \S+: LGPL", text, re.MULTILINE)
    assert "diffusers 0." in text
    assert "starter" in text.lower()


def test_a_package_of_another_system_is_no_line_of_the_credits() -> None:
    assert "no-such-package" not in credit(find_folders(), ["no-such-package", "numpy"])


def test_every_package_that_easel_depends_on_is_credited() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    assert [pin.partition("==")[0] for pin in project["dependencies"]] == sorted(
        PACKAGES, key=[pin.partition("==")[0] for pin in project["dependencies"]].index
    )


# --- updates --------------------------------------------------------------------------------


class Asked(NumpyEasel):
    """Knows whom to ask, and is answered at once; the asking itself is tests/weights's."""

    answer: Update | Unknown | None = None
    asked = 0

    @property
    def update_channel(self) -> Channel | None:
        return SOURCE

    def find_update(
        self, source: Channel, cancelled: Callable[[], bool]
    ) -> Update | Unknown | None:
        assert source == SOURCE
        assert not cancelled()
        self.asked += 1
        return self.answer


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    return Asked(tmp_path / "home")


def test_a_build_that_knows_nobody_to_ask_has_no_such_menu(window: MainWindow) -> None:
    assert "Check for Updates…" not in words_of(window)


def test_nobody_is_asked_before_it_is_pressed(open_window: Open, asked: Asked) -> None:
    window = open_window(asked)

    assert "Check for Updates…" in words_of(window)
    assert asked.asked == 0


def test_the_newest_is_told_to_be_the_newest(open_window: Open, asked: Asked, qtbot: QtBot) -> None:
    window = open_window(asked)
    press(window, "Check for Updates…")

    newest = f"Easel {__version__} is the newest"
    qtbot.waitUntil(lambda: window.notices.toast.accessibleName() == newest)
    assert asked.asked == 1


def test_a_newer_one_is_got_by_the_browser(
    open_window: Open, asked: Asked, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    asked.answer = NEWER
    window = open_window(asked)
    press(window, "Check for Updates…")
    qtbot.waitUntil(lambda: box(window, "update") is not None)
    found = box(window, "update")

    assert found is not None
    assert found.text() == "Easel 9.1.0 is there"
    assert NEWER.sha256 in found.informativeText()
    assert opened == []
    press_button(found, "Get it")
    assert opened == [NEWER.url]


def test_an_answer_that_is_not_believed_is_said(
    open_window: Open, asked: Asked, qtbot: QtBot
) -> None:
    asked.answer = Unknown("example.org", Why.NOT_SIGNED)
    window = open_window(asked)
    press(window, "Check for Updates…")

    qtbot.waitUntil(lambda: "is not signed" in window.notices.toast.accessibleName())
    assert box(window, "update") is None


# --- Applications ---------------------------------------------------------------------------

HIDDEN = Path("/private/var/folders/x/y/T/AppTranslocation/12-AB/d/Easel.app/Contents/MacOS/Easel")


@pytest.fixture
def executable(tmp_path: Path) -> Path:
    """In an app that runs from a hidden copy."""
    made = tmp_path / "AppTranslocation" / "12-AB" / "d" / "Easel.app" / "Contents/MacOS/Easel"
    made.parent.mkdir(parents=True)
    made.write_text("program", "utf-8")
    return made


@pytest.fixture
def applications(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "Applications"
    monkeypatch.setattr(settling, "APPLICATIONS", (folder,))
    return folder


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    calls: list[list[str]] = []
    monkeypatch.setattr(
        QProcess, "startDetached", lambda program, given: calls.append([program, *given])
    )
    return calls


def test_an_app_that_may_stay_is_asked_nothing(window: MainWindow) -> None:
    assert settling.offer(window, Path("/Applications/Easel.app/Contents/MacOS/Easel")) is None
    assert settling.offer(window, Path(sys.executable)) is None


def test_a_hidden_copy_is_offered_applications(window: MainWindow) -> None:
    question = settling.offer(window, HIDDEN)

    assert question is not None
    assert question.text() == "Move Easel to Applications?"
    assert "hidden copy" in question.informativeText()
    press_button(question, "Not now")


def test_an_app_on_its_disk_image_is_offered_applications(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "_is_read_only", lambda _file: True)

    question = settling.offer(window, Path("/Volumes/Easel/Easel.app/Contents/MacOS/Easel"))

    assert question is not None
    assert "disk image" in question.informativeText()
    question.close()


def test_the_app_is_copied_and_the_copy_opened_when_this_one_is_gone(
    window: MainWindow,
    executable: Path,
    applications: Path,
    started: list[list[str]],
    qtbot: QtBot,
) -> None:
    question = settling.offer(window, executable)
    assert question is not None
    with qtbot.waitSignal(window.closing):
        press_button(question, "Move to Applications")

    copy = applications / "Easel.app"
    assert (copy / "Contents/MacOS/Easel").read_text("utf-8") == "program"
    qtbot.waitUntil(lambda: bool(started))
    ((shell, _, script, _, process, opened),) = started
    assert (shell, process, opened) == ("/bin/sh", str(os.getpid()), str(copy))
    assert "/usr/bin/open" in script


def test_an_app_that_cannot_be_copied_says_why_and_stays(
    window: MainWindow,
    executable: Path,
    applications: Path,
    started: list[list[str]],
    qtbot: QtBot,
) -> None:
    applications.write_text("no folder", "utf-8")
    question = settling.offer(window, executable)
    assert question is not None
    press_button(question, "Move to Applications")

    qtbot.waitUntil(lambda: isinstance(window.canvas.cover, ErrorCard))
    assert window.isVisible()
    assert started == []


def test_the_copy_is_opened_only_after_this_program_has_ended(tmp_path: Path) -> None:
    """The real script, with another program in the place of macOS's `open`."""
    said = tmp_path / "said"
    opener = tmp_path / "open"
    opener.write_text(f'#!/bin/sh\necho "opened $1" >>"{said}"\n', "utf-8")
    opener.chmod(0o755)
    script = settling._OPEN_AFTER.replace("/usr/bin/open", str(opener))
    ending = subprocess.Popen(["sh", "-c", f'sleep 0.4; echo ended >>"{said}"'])
    waiting = subprocess.Popen(["sh", "-c", script, "sh", str(ending.pid), "Easel.app"])

    ending.wait()
    waiting.wait()

    assert said.read_text("utf-8") == "ended\nopened Easel.app\n"
