"""The windows of the models by keyboard and by ear; long names; the texts; the connections."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QComboBox, QDialog, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from app.ui.computer_fit import GIB, Grade, fit
from app.ui.connections_window import NEVER, ConnectionsWindow
from app.ui.licences_window import LicencesWindow
from app.ui.main_window import MainWindow
from app.ui.models_window import ModelsWindow
from app.weights.ledger import Connection
from tests.ui.models.conftest import Drawn, press, row, sheet_of
from tests.weights.hubs import FaultHub

pytestmark = [
    pytest.mark.loopback,
    # The offscreen platform says this of every window that comes to the front.
    pytest.mark.qt_log_ignore("This plugin does not support (raise|grabbing the keyboard)"),
]


def controls(window: QDialog) -> list[QWidget]:
    kinds = (QAbstractButton, QComboBox, QPlainTextEdit)
    return [
        widget
        for widget in window.findChildren(QWidget)
        if isinstance(widget, kinds) and widget.isVisible() and widget.window() is window
    ]


def name(widget: QWidget) -> str:
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name).strip()


def reached(window: QDialog, qtbot: QtBot) -> list[QWidget]:
    seen: list[QWidget] = []
    first = controls(window)[0]
    first.setFocus()
    for _ in range(40):
        focused = window.focusWidget()
        assert focused is not None
        if focused in seen[:-1]:  # words with a link take two Tabs
            break
        seen.append(focused)
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    return seen


def test_every_control_of_the_models_has_a_name_and_is_reached(
    models: ModelsWindow, qtbot: QtBot
) -> None:
    assert [name(one) for one in controls(models) if not name(one)] == []
    tabbed = reached(models, qtbot)
    assert [name(one) for one in controls(models) if one not in tabbed] == []
    assert name(row(models).button) == "Get Tiny Diffusion"
    assert name(row(models)).startswith("Tiny Diffusion. Runs well here")


def test_every_control_of_the_licence_has_a_name_and_the_keyboard_accepts(
    models: ModelsWindow, easel: Drawn, qtbot: QtBot
) -> None:
    press(qtbot, models)
    sheet = sheet_of(models)
    assert [one for one in controls(sheet) if not name(one)] == []
    tabbed = reached(sheet, qtbot)
    assert [name(one) for one in controls(sheet) if one not in tabbed and one.isEnabled()] == []
    qtbot.keyClick(sheet.box, Qt.Key.Key_Space)
    assert sheet.box.isChecked()
    qtbot.keyClick(sheet.accept_button, Qt.Key.Key_Return)
    assert easel.shelf.is_accepted(easel.shelf.card("tiny"))
    easel.deliveries.cancel("tiny")


def test_a_long_title_ends_in_dots_and_is_whole_for_the_ear(models: ModelsWindow) -> None:
    long = "A model with a name as long as some people like to make them, and more" * 3
    shown = row(models)
    shown.show_entry(replace(shown.entry, title=long))
    models.resize(models.minimumSize())
    shown.title.resize(200, shown.title.height())
    assert shown.title.text().endswith("…")
    assert shown.title.toolTip() == long
    assert name(shown.title) == long
    assert shown.button.width() >= shown.button.sizeHint().width()


def test_markup_in_a_card_is_shown_as_it_is(models: ModelsWindow) -> None:
    shown = row(models)
    shown.show_entry(replace(shown.entry, licence="<b>bold</b>", facts=("<img src=x>",)))
    assert "<b>" not in shown.facts.text()
    assert "&lt;img" in shown.facts.text()
    assert shown.summary.textFormat() is Qt.TextFormat.PlainText


@pytest.mark.parametrize(
    ("needed", "here", "grade", "words"),
    [
        (4_000_000_000, 8 * GIB, Grade.WELL, "Runs well here"),
        (6_000_000_000, 8 * GIB, Grade.SLOW, "Slow here"),
        (10_000_000_000, 8 * GIB, Grade.NOT, "Needs 16 GB of memory"),
    ],
)
def test_what_fits_is_told_from_the_memory(
    needed: int, here: int, grade: Grade, words: str
) -> None:
    assert fit(needed, here) == (grade, words)
    assert fit(needed, 0) is None


def test_the_licences_are_read_offline(window: MainWindow, hub: FaultHub) -> None:
    window.getting.show_licences()
    shown = window.findChild(LicencesWindow)
    assert isinstance(shown, LicencesWindow)
    titles = [shown.choice.itemText(index) for index in range(shown.choice.count())]
    assert "CreativeML Open RAIL-M" in titles
    for index in range(shown.choice.count()):
        shown.choice.setCurrentIndex(index)
        assert len(shown.text.text()) > 500
    assert [one for one in controls(shown) if not name(one)] == []
    assert hub.log() == []


def test_the_connections_are_listed_newest_first(window: MainWindow, easel: Drawn) -> None:
    window.getting.show_connections()
    empty = window.findChild(ConnectionsWindow)
    assert isinstance(empty, ConnectionsWindow)
    assert empty.empty.isVisible()
    assert empty.empty.text() == NEVER == "Easel has never made a connection."
    assert not empty.list.isVisible()
    easel.shelf.ledger.note("huggingface.co", "A model: a", 12)
    easel.shelf.ledger.note("huggingface.co", "A model: b", 3_400_000)
    listed = ConnectionsWindow(window.theme, easel.shelf.ledger.connections(), window)
    first = listed.list.topLevelItem(0)
    assert first is not None
    assert [first.text(column) for column in (1, 2, 3)] == [
        "huggingface.co",
        "3.4 MB",
        "A model: b",
    ]
    odd = ConnectionsWindow(window.theme, (Connection("never", "h", "w", 1),), window)
    assert odd.list.topLevelItemCount() == 1


def test_the_ways_to_the_models(window: MainWindow) -> None:
    first_run = window.notices.first_run
    assert first_run.get_button.isVisible()
    for way in (
        first_run.get_button.click,
        window.inspector.models_wanted.emit,
        window.toolbar.models_wanted.emit,
        next(a for a in window.menus.file.actions() if a.text() == "Models…").trigger,
    ):
        way()
        models = window.getting.models
        assert models is not None
        assert models.isVisible()
        models.close()
    keys = [a.shortcut().toString() for a in window.menus.file.actions() if a.text() == "Models…"]
    assert keys == ["Ctrl+Shift+M"]
