"""Help says what is true: its prompts can be drawn, its troubles are the window's own words."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.messages import describe
from app.messages.troubles import EXAMPLES, troubles
from app.places import find_shipped
from app.ui.controls.button import Button
from app.ui.help_window import FIRST, PROMPTS, STEPS, TROUBLES, HelpWindow
from app.ui.main_window import MainWindow
from app.ui.palette import read_palette
from app.ui.theme import Theme
from tests.test_messages import leaves

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def help_window(qtbot: QtBot, qapp: object) -> HelpWindow:
    recipes = read_palette(find_shipped() / "resources").recipes
    made = HelpWindow(Theme(qapp, "light"), recipes, ("a red apple",), None)  # type: ignore[arg-type]
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    return made


def test_every_kind_of_error_is_in_it_once() -> None:
    told = [type(error) for _, listed in EXAMPLES for error in listed]
    assert set(told) == set(leaves())
    assert {kind for kind in told if told.count(kind) > 1} <= {type(EXAMPLES[0][1][0])}


def test_its_words_are_those_of_the_window() -> None:
    for (_, errors), group in zip(EXAMPLES, troubles(describe), strict=True):
        for error, message in zip(errors, group.messages, strict=True):
            said = describe(error)
            assert (message.title, message.next_step) == (said.title, said.next_step)
            assert message.body.casefold() == said.body.casefold()
            assert message.body[:1] == message.body[:1].upper()


def texts(window: HelpWindow) -> set[str]:
    return {label.text() for label in window.findChildren(QLabel) if label.isVisible()}


def test_three_steps_to_a_first_picture(help_window: HelpWindow) -> None:
    assert len(STEPS) == 3
    for title, text in STEPS:
        assert {title, text} <= texts(help_window)


def test_finding_leaves_what_has_the_words(help_window: HelpWindow, qtbot: QtBot) -> None:
    help_window.show_page(TROUBLES)
    every = help_window.troubles.shown
    assert every > 30
    qtbot.keyClicks(help_window.search.edit, "came out BLACK")
    assert help_window.troubles.shown == 1
    assert "The picture came out black" in texts(help_window)
    qtbot.keyClicks(help_window.search.edit, " zebra")
    assert help_window.troubles.shown == 0
    assert "Nothing here has these words." in texts(help_window)
    help_window.search.edit.clear()
    assert help_window.troubles.shown == every


def test_a_prompt_goes_into_the_box(window: MainWindow, qtbot: QtBot) -> None:
    made = window.others.help(PROMPTS)
    uses = [b for b in made.findChildren(Button) if b.text() == "Use" and b.isVisible()]
    assert [button.accessibleName() for button in uses] == [
        "Use the prompt: a red apple",
        "Use the prompt: a cat",
    ]
    qtbot.mouseClick(uses[1], Qt.MouseButton.LeftButton)
    assert window.prompt.text() == "a cat"
    assert window.history.to_undo == "Use Prompt"
    made.close()


def test_the_menu_opens_each_page_in_one_window(window: MainWindow, qtbot: QtBot) -> None:
    for page, words in enumerate(("Your First Picture", "Prompts That Work", "Troubleshooting")):
        next(a for a in window.menus.help.actions() if a.text() == words).trigger()
        (made,) = window.findChildren(HelpWindow)
        assert made.pages.index() == page
    made.close()
    qtbot.waitUntil(lambda: not window.findChildren(HelpWindow))
    window.others.help(FIRST).close()


@pytest.mark.parametrize("page", [FIRST, PROMPTS, TROUBLES])
def test_nothing_is_cut_off_at_the_least_size(
    help_window: HelpWindow, qtbot: QtBot, page: int
) -> None:
    help_window.show_page(page)
    help_window.resize(help_window.minimumSize())

    def cut() -> list[str]:
        return [
            label.text()
            for label in help_window.findChildren(QLabel)
            if label.isVisible()
            and label.wordWrap()
            and label.height() < label.heightForWidth(label.width())
        ]

    qtbot.waitUntil(lambda: not cut())
