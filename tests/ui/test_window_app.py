"""The program with a window: one at a time, it outlives a fault, logs no prompt, looks right."""

from __future__ import annotations

import logging
import sys
from itertools import pairwise

import pytest
from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from app.core.errors import Bug
from app.core.recipe import Size
from app.ui import icons
from app.ui.canvas import LARGEST, enlarged, picture_rect
from app.ui.error_card import ErrorCard
from app.ui.main_window import MainWindow
from app.ui.theme import Theme
from app.ui.tokens import DARK, LIGHT
from app.ui.window_app import Watch, run
from tests.ui.numpy_easel import NumpyEasel


def test_a_second_window_says_that_there_is_one(
    easel: NumpyEasel,
    qapp: QApplication,  # noqa: ARG001
    capsys: pytest.CaptureFixture[str],
) -> None:
    lock = easel.lock_window()
    said: list[str] = []

    def answer() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        said.append(box.text())
        box.accept()

    QTimer.singleShot(50, answer)
    try:
        assert run(easel) == 1
    finally:
        lock.release()
    assert said == ["Easel is already open"] or said[0] in capsys.readouterr().err


def test_a_fault_in_a_slot_is_shown_and_the_window_lives_on(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.prompt.set_text("a cat")
    watch = Watch(window)
    try:
        watch.begin()
        try:
            raise ZeroDivisionError("a slot")
        except ZeroDivisionError as error:
            watch.caught(type(error), error, error.__traceback__)
        card = window.canvas.cover
        assert isinstance(card, ErrorCard)
        assert isinstance(card.error, Bug)
        qtbot.mouseClick(card.copy_button, Qt.MouseButton.LeftButton)
        assert "ZeroDivisionError: a slot" in QGuiApplication.clipboard().text()
    finally:
        watch.end()
    assert sys.excepthook is not watch.caught
    window.generate()
    qtbot.waitUntil(lambda: window.canvas.shown() is not None)


def test_the_log_has_no_prompt(window: MainWindow, qtbot: QtBot) -> None:
    watch = Watch(window)
    watch.begin()
    try:
        window.prompt.set_text("a very private walrus")
        window.generate()
        qtbot.waitUntil(lambda: window.canvas.shown() is not None)
        logging.getLogger("app").info("the end")
    finally:
        watch.end()
    text = (window.easel.folders.logs / "easel.log").read_text(encoding="utf-8")
    assert "the end" in text
    assert "walrus" not in text


def test_the_look_follows_what_is_chosen(window: MainWindow) -> None:
    for choice, tokens in (("dark", DARK), ("light", LIGHT)):
        window.set_look(choice)
        assert window.theme.tokens is tokens
        at = window.grab().toImage().pixelColor(window.width() // 2, window.height() - 5)
        assert at == QColor(tokens.window)


def test_the_look_follows_the_system_unless_chosen(qapp: QApplication) -> None:
    theme = Theme(qapp, "light")
    theme.choose("system")
    hints = QGuiApplication.styleHints()
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert theme.tokens is DARK
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Light)
    assert theme.tokens is LIGHT
    theme.choose("light")
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert theme.tokens is LIGHT


@pytest.mark.parametrize("name", sorted(icons.ICONS))
def test_every_icon_paints_something_within_its_box(qapp: QApplication, name: str) -> None:  # noqa: ARG001
    image = icons.icon(name, QColor("#000000"), 32).pixmap(QSize(32, 32)).toImage()
    inked = [
        (x, y)
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y).alpha() > 0
    ]
    assert inked
    assert min(min(x, y) for x, y in inked) >= 0


@pytest.mark.parametrize("canvas", [QSize(320, 160), QSize(992, 514), QSize(2250, 1100)])
@pytest.mark.parametrize("size", [Size(128, 128), Size(512, 768), Size(1344, 768), Size(64, 8192)])
def test_the_picture_keeps_its_shape_and_lies_inside(canvas: QSize, size: Size) -> None:
    rect = picture_rect(canvas, size)
    assert rect.left() >= 0
    assert rect.right() < canvas.width()
    assert rect.top() >= 0
    assert rect.bottom() < canvas.height()
    assert rect.width() <= size.width * LARGEST + 1
    if min(rect.width(), rect.height()) > 20:
        assert rect.width() / rect.height() == pytest.approx(size.width / size.height, rel=0.05)


def test_a_small_picture_is_enlarged_smoothly(qapp: QApplication) -> None:  # noqa: ARG001
    image = QImage(2, 1, QImage.Format.Format_RGB32)
    image.setPixelColor(0, 0, QColor(0, 0, 0))
    image.setPixelColor(1, 0, QColor(255, 255, 255))
    wide = enlarged(image, QSize(64, 32))
    shades = [wide.pixelColor(x, 16).red() for x in range(64)]
    assert shades == sorted(shades)
    assert max(b - a for a, b in pairwise(shades)) <= 24


def test_the_drawn_picture_fills_its_place_at_any_scale(window: MainWindow, qtbot: QtBot) -> None:
    window.prompt.set_text("a cat")
    window.generate()
    qtbot.waitUntil(lambda: window.canvas.shown() is not None)
    shown = window.canvas.shown()
    assert shown is not None
    for ratio in (1.0, 2.0):
        grabbed = QImage(window.canvas.size() * ratio, QImage.Format.Format_RGB32)
        grabbed.setDevicePixelRatio(ratio)
        window.canvas.render(grabbed)
        at = window.canvas.picture_rect()
        left, right = shown.image.pixelColor(2, 32), shown.image.pixelColor(61, 32)
        for x, expected in ((at.left() + at.width() // 24, left), (at.right() - 4, right)):
            seen = grabbed.pixelColor(round(x * ratio), round(at.center().y() * ratio))
            assert abs(seen.lightness() - expected.lightness()) < 48
