"""Presets: the form saved under a name, used again, renamed, deleted; and prompts gone back to."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.core.recipe import Size
from app.ui.main_window import MainWindow
from app.ui.presets_sheet import PresetsWindow
from tests.ui.numpy_easel import NumpyEasel, again

Open = Callable[[NumpyEasel], MainWindow]
ALT = Qt.KeyboardModifier.AltModifier

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


def save_as(window: MainWindow, qtbot: QtBot, name: str) -> None:
    sheet = window.presets.ask_for_name()
    sheet.name.edit.clear()
    qtbot.keyClicks(sheet.name.edit, name)
    qtbot.mouseClick(sheet.save_button, Qt.MouseButton.LeftButton)


def names(window: MainWindow) -> list[str]:
    window.presets.fill()
    listed = [action.text() for action in window.presets.menu.actions()]
    return listed[: listed.index("")] if "" in listed else []


def test_the_form_comes_back_by_its_name_also_in_the_next_start(
    open_window: Open, easel: NumpyEasel, qtbot: QtBot
) -> None:
    first = open_window(easel)
    first.prompt.set_text("an owl; 🦉 & “night”")
    first.prompt.set_negative("fog")
    first.inspector.fill(size=Size(48, 64), steps=12, guidance=3.5, count=3)
    assert names(first) == []
    save_as(first, qtbot, "Night & owls")
    saved = first.form.values()
    first.close()

    second = open_window(again(easel))
    second.prompt.set_text("something else")
    second.prompt.set_negative("")
    second.inspector.fill(size=Size(64, 64), steps=6, guidance=7.0, count=1)
    before = second.form.values()
    assert names(second) == ["Night && owls"]
    second.presets.menu.actions()[0].trigger()
    now = second.form.values()
    assert {k: now[k] for k in ("prompt", "negative_prompt", "size", "steps", "count")} == {
        k: saved[k] for k in ("prompt", "negative_prompt", "size", "steps", "count")
    }
    assert second.menus.undo.text() == "Undo Use Preset"
    second.history.undo()
    assert second.form.values() == before


def test_the_prompt_is_offered_as_a_name_and_replacing_is_said(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.prompt.set_text("a red apple on a wooden table in the morning, soft light")
    sheet = window.presets.ask_for_name()
    assert sheet.name.text() == "a red apple on a wooden table in the"
    assert sheet.save_button.text() == "Save"
    qtbot.keyClick(sheet.name.edit, Qt.Key.Key_Return)
    sheet = window.presets.ask_for_name()
    assert sheet.save_button.text() == "Replace"
    sheet.name.edit.clear()
    assert not sheet.save_button.isEnabled()
    sheet.reject()


def test_presets_are_renamed_and_deleted(window: MainWindow, qtbot: QtBot) -> None:
    for name in ("One", "Two"):
        save_as(window, qtbot, name)
    manage = window.presets.manage()
    assert isinstance(manage, PresetsWindow)
    field = manage.lines[0].name.edit
    field.setFocus()
    field.clear()
    qtbot.keyClicks(field, "Two")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert manage.trouble.text() == "There is a preset “Two” already."
    assert names(window) == ["One", "Two"]
    field = manage.lines[0].name.edit
    field.clear()
    qtbot.keyClicks(field, "Zwei")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert names(window) == ["Two", "Zwei"]
    qtbot.mouseClick(manage.lines[0].delete, Qt.MouseButton.LeftButton)
    assert names(window) == ["Zwei"]
    qtbot.mouseClick(manage.lines[0].delete, Qt.MouseButton.LeftButton)
    assert names(window) == []
    manage.close()


def test_what_cannot_be_saved_is_said_in_the_sheet(window: MainWindow, qtbot: QtBot) -> None:
    window.presets.fill()
    window.easel.folders.presets.mkdir()
    sheet = window.presets.ask_for_name()
    qtbot.keyClicks(sheet.name.edit, "One")
    qtbot.mouseClick(sheet.save_button, Qt.MouseButton.LeftButton)
    assert sheet.isVisible()
    assert sheet.trouble.text() == "The folder cannot be written to"
    sheet.reject()


def test_presets_that_were_damaged_are_told_once(open_window: Open, easel: NumpyEasel) -> None:
    easel.folders.presets.write_text("{")
    window = open_window(easel)
    window.presets.fill()
    assert "presets.json is damaged" in window.notices.toast.text
    window.notices.toast.hide()
    window.presets.fill()
    assert not window.notices.toast.isVisible()


def draw(window: MainWindow, qtbot: QtBot, *prompts: str) -> None:
    for prompt in prompts:
        window.prompt.set_text(prompt)
        with qtbot.waitSignal(window.desk.finished):
            window.generate()


def test_alt_up_goes_back_and_alt_down_forth_again(window: MainWindow, qtbot: QtBot) -> None:
    draw(window, qtbot, "a cat", "a dog", "a cat", "an owl")
    editor = window.prompt.editor
    window.prompt.set_text("half typed")
    editor.setFocus()
    seen = []
    for _ in range(4):
        qtbot.keyClick(editor, Qt.Key.Key_Up, ALT)
        seen.append(window.prompt.text())
    assert seen == ["an owl", "a cat", "a dog", "a dog"]
    for _ in range(3):
        qtbot.keyClick(editor, Qt.Key.Key_Down, ALT)
    assert window.prompt.text() == "half typed"
    qtbot.keyClick(editor, Qt.Key.Key_Down, ALT)
    assert window.prompt.text() == "half typed"


def test_what_is_in_the_box_is_no_step_back(window: MainWindow, qtbot: QtBot) -> None:
    draw(window, qtbot, "a cat", "a dog")
    qtbot.keyClick(window.prompt.editor, Qt.Key.Key_Up, ALT)
    assert window.prompt.text() == "a cat"


def test_prompts_are_remembered_only_where_that_is_wished(
    open_window: Open, easel: NumpyEasel, qtbot: QtBot
) -> None:
    first = open_window(easel)
    draw(first, qtbot, "a cat")
    privacy = first.others.settings().privacy
    privacy.refresh()
    qtbot.mouseClick(privacy.prompts, Qt.MouseButton.LeftButton)
    draw(first, qtbot, "a secret")
    assert again(easel).prompts.all() == ("a cat",)
    qtbot.mouseClick(privacy.forget, Qt.MouseButton.LeftButton)
    assert again(easel).prompts.all() == ()
