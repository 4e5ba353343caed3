"""The menu bar as people of a Mac expect it, and the sheet that lists its keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QMenu
from pytestqt.qtbot import QtBot

from app.ui.main_window import MainWindow
from app.ui.shortcuts_window import ShortcutsWindow, shortcuts

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


def menus(window: MainWindow) -> dict[str, QMenu]:
    found = {}
    for action in window.menuBar().actions():
        menu = action.menu()
        assert isinstance(menu, QMenu)
        found[action.text()] = menu
    return found


def test_the_menus_are_there_in_their_order_and_none_is_empty(window: MainWindow) -> None:
    found = menus(window)
    assert list(found) == ["File", "Edit", "View", "Picture", "Window", "Help"]
    assert all(menu.actions() for menu in found.values())


@pytest.mark.parametrize(
    ("menu", "words", "keys"),
    [
        ("File", "Generate", "Ctrl+Return"),
        ("File", "Stop", "Ctrl+."),
        ("Edit", "Undo", "Ctrl+Z"),
        ("Edit", "Settings…", "Ctrl+,"),
        ("View", "Controls", "Ctrl+I"),
        ("Picture", "Move to Trash", "Ctrl+Backspace"),
        ("Window", "Minimise", "Ctrl+M"),
        ("Help", "Keyboard Shortcuts", "Ctrl+/"),
    ],
)
def test_the_keys_are_the_usual_ones(window: MainWindow, menu: str, words: str, keys: str) -> None:
    action = next(a for a in menus(window)[menu].actions() if a.text() == words)
    assert action.shortcut().toString() == keys


def test_what_a_mac_puts_into_its_own_menu_has_its_role(window: MainWindow) -> None:
    roles = {
        action.menuRole(): action.text()
        for menu in menus(window).values()
        for action in menu.actions()
        if action.menuRole() is not QAction.MenuRole.NoRole
        and action.menuRole() is not QAction.MenuRole.TextHeuristicRole
    }
    assert roles == {
        QAction.MenuRole.AboutRole: "About Easel",
        QAction.MenuRole.PreferencesRole: "Settings…",
        QAction.MenuRole.QuitRole: "Quit Easel",
    }


def test_the_inspector_goes_and_comes_by_its_keys(window: MainWindow, qtbot: QtBot) -> None:
    assert window.inspector.isVisible()
    for shown in (False, True):
        qtbot.keyClick(window.prompt.editor, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
        assert window.inspector.isVisible() is shown


def test_the_sheet_lists_every_action_that_has_keys(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_Slash, Qt.KeyboardModifier.ControlModifier)
    sheet = window.findChild(ShortcutsWindow)
    assert isinstance(sheet, ShortcutsWindow)
    told = {label.text() for label in sheet.findChildren(QLabel)}
    for menu in menus(window).values():
        for action in menu.actions():
            if action.shortcuts():
                assert action.text().rstrip("…") in told
    assert "Ctrl+," in {keys for lines in shortcuts(window).values() for _, keys in lines}
    sheet.close()


def test_the_look_in_the_menu_follows_what_was_set_elsewhere(window: MainWindow) -> None:
    looks = next(a.menu() for a in menus(window)["View"].actions() if a.text() == "Appearance")
    assert isinstance(looks, QMenu)
    window.set_look("dark")
    looks.aboutToShow.emit()
    assert [a.text() for a in looks.actions() if a.isChecked()] == ["Dark"]
