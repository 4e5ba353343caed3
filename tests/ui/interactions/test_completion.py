"""Completion while typing: what each key does."""

from __future__ import annotations

import random

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QTextEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.ui.completion import ROW, Completion, OfferList
from app.ui.theme import Theme
from app.ui.unknown_words import UnknownWords
from app.ui.words import KnownWords
from app.ui.words_panel import WordsPanel, insert_words


@pytest.fixture
def editor(qtbot: QtBot) -> QTextEdit:
    window = QWidget()
    column = QVBoxLayout(window)
    box, other = QTextEdit(), QTextEdit()
    box.setTabChangesFocus(True)
    column.addWidget(box)
    column.addWidget(other)
    window.resize(600, 300)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    box.setFocus()
    qtbot.waitUntil(box.hasFocus)
    box.keep = window  # type: ignore[attr-defined]
    return box


@pytest.fixture
def completion(editor: QTextEdit, theme: Theme, words: KnownWords) -> Completion:
    return Completion(editor, theme, words)


def offered(completion: Completion) -> list[str]:
    return [offer.text for offer in completion.offered]


def test_typing_offers_what_the_model_knows(
    qtbot: QtBot, editor: QTextEdit, completion: Completion
) -> None:
    qtbot.keyClicks(editor, "a ba")
    assert offered(completion) == ["banana"]
    qtbot.keyClicks(editor, "x")
    assert not completion.open


@pytest.mark.parametrize("key", [Qt.Key.Key_Tab, Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_tab_and_enter_take_the_word(
    qtbot: QtBot, editor: QTextEdit, completion: Completion, key: Qt.Key
) -> None:
    qtbot.keyClicks(editor, "a red ba")
    qtbot.keyClick(editor, key)
    assert editor.toPlainText() == "a red banana"
    assert not completion.open
    assert editor.hasFocus()


def test_the_arrows_select_another_word(
    qtbot: QtBot, editor: QTextEdit, completion: Completion
) -> None:
    qtbot.keyClicks(editor, "bl")
    assert offered(completion)[:2] == ["blue", "black"]
    qtbot.keyClick(editor, Qt.Key.Key_Down)
    qtbot.keyClick(editor, Qt.Key.Key_Tab)
    assert editor.toPlainText() == "black"


def test_up_from_the_first_word_goes_to_the_last(
    qtbot: QtBot, editor: QTextEdit, completion: Completion
) -> None:
    qtbot.keyClicks(editor, "bl")
    assert offered(completion)[-1] == "black background"
    qtbot.keyClick(editor, Qt.Key.Key_Up)
    qtbot.keyClick(editor, Qt.Key.Key_Tab)
    assert editor.toPlainText() == "black background"


def test_escape_closes_and_the_next_letter_opens_again(
    qtbot: QtBot, editor: QTextEdit, completion: Completion
) -> None:
    qtbot.keyClicks(editor, "ba")
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    assert not completion.open
    assert editor.toPlainText() == "ba"
    qtbot.keyClicks(editor, "n")
    assert completion.open


def test_with_nothing_offered_enter_and_tab_are_the_editors_own(
    qtbot: QtBot, editor: QTextEdit, completion: Completion
) -> None:
    qtbot.keyClicks(editor, "zebra")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert editor.toPlainText() == "zebra\n"
    qtbot.keyClick(editor, Qt.Key.Key_Tab)
    assert not editor.hasFocus()
    assert not completion.open


def test_a_completion_after_an_emoji_lands_in_its_place(
    qtbot: QtBot, editor: QTextEdit, completion: Completion
) -> None:
    editor.setPlainText("\U0001f34e\U0001f34e ")
    editor.moveCursor(editor.textCursor().MoveOperation.End)
    qtbot.keyClicks(editor, "ba")
    qtbot.keyClick(editor, Qt.Key.Key_Tab)
    assert editor.toPlainText() == "\U0001f34e\U0001f34e banana"
    assert not completion.open


def test_a_completion_is_one_step_of_undo(
    qtbot: QtBot, editor: QTextEdit, completion: Completion
) -> None:
    qtbot.keyClicks(editor, "ba")
    qtbot.keyClick(editor, Qt.Key.Key_Tab)
    assert not completion.open
    editor.undo()
    assert "banana" not in editor.toPlainText()
    assert not completion.open


def test_a_click_takes_the_word_under_it(
    qtbot: QtBot, editor: QTextEdit, completion: Completion
) -> None:
    qtbot.keyClicks(editor, "bl")
    shown = editor.window().findChild(OfferList)
    qtbot.mouseClick(shown, Qt.MouseButton.LeftButton, pos=QPoint(30, 5 + ROW + 4))
    assert editor.toPlainText() == "black"
    assert not completion.open


def test_a_recipe_that_fills_the_form_opens_nothing(
    qtbot: QtBot, editor: QTextEdit, completion: Completion
) -> None:
    other = editor.window().findChildren(QTextEdit)[1]
    other.setFocus()
    qtbot.waitUntil(other.hasFocus)
    editor.setPlainText("a ba")
    assert not completion.open


def test_leaving_the_prompt_closes_the_list(
    qtbot: QtBot, editor: QTextEdit, completion: Completion
) -> None:
    qtbot.keyClicks(editor, "ba")
    editor.window().findChildren(QTextEdit)[1].setFocus()
    assert not completion.open


def test_the_list_stays_inside_the_window_and_says_what_is_selected(
    qtbot: QtBot, editor: QTextEdit, completion: Completion
) -> None:
    editor.setPlainText("word " * 15)
    editor.moveCursor(editor.textCursor().MoveOperation.End)
    qtbot.keyClicks(editor, "bl")
    shown = editor.window().findChild(OfferList)
    assert editor.window().rect().contains(shown.geometry())
    assert shown.accessibleName() == "Words to put in"
    assert shown.accessibleDescription() == "blue, colour, 1 of 4"
    assert completion.open


def test_a_model_that_knows_every_word_offers_none(
    qtbot: QtBot, editor: QTextEdit, completion: Completion
) -> None:
    completion.set_words(None)
    qtbot.keyClicks(editor, "a ba")
    assert not completion.open


def test_unknown_words_are_marked_once_the_keys_rest(
    qtbot: QtBot, editor: QTextEdit, theme: Theme, words: KnownWords
) -> None:
    unknown = UnknownWords(editor, theme, words)
    with qtbot.waitSignal(unknown.noted) as noted:
        qtbot.keyClicks(editor, "a shiny apple ")
    assert noted.args == ["The built-in model does not know “shiny”; it draws the rest."]
    assert [mark.cursor.selectedText() for mark in editor.extraSelections()] == ["shiny"]
    unknown.set_words(None)
    assert unknown.note == ""
    assert editor.extraSelections() == []


def test_surprise_me_hands_over_a_prompt_of_known_words(
    qtbot: QtBot, theme: Theme, words: KnownWords
) -> None:
    panel = WordsPanel(theme, words, random.Random(3))
    qtbot.addWidget(panel)
    with qtbot.waitSignal(panel.surprised) as surprised:
        panel.surprise.click()
    assert words.unknown(surprised.args[0]) == ()
    assert surprised.args == [words.surprise(random.Random(3))]


def test_the_panel_says_plainly_that_the_model_is_the_small_one() -> None:
    assert "small built-in model" in KnownWords.note
    assert "Stable Diffusion, a download away" in KnownWords.note


def test_words_are_put_in_by_group(qtbot: QtBot, theme: Theme, words: KnownWords) -> None:
    panel = WordsPanel(theme, words, random.Random(0))
    qtbot.addWidget(panel)
    assert [title for title, _ in panel.groups] == ["Things", "Colours", "Backgrounds", "Styles"]
    assert "kitty" not in panel.chips.words
    with qtbot.waitSignal(panel.picked) as picked:
        panel.chips.press("ice cream")
    assert picked.args == ["ice cream"]


def test_the_arrow_keys_walk_over_the_words(qtbot: QtBot, theme: Theme, words: KnownWords) -> None:
    panel = WordsPanel(theme, words, random.Random(0))
    qtbot.addWidget(panel)
    panel.resize(600, 160)
    with qtbot.waitExposed(panel):
        panel.show()
    panel.activateWindow()
    chips = panel.chips.children()
    chips[0].setFocus()
    qtbot.waitUntil(chips[0].hasFocus)
    qtbot.keyClick(chips[0], Qt.Key.Key_Right)
    assert chips[1].hasFocus()
    with qtbot.waitSignal(panel.picked) as picked:
        qtbot.keyClick(chips[1], Qt.Key.Key_Space)
    assert picked.args == ["apple"]


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("", 0, "cat"),
        ("a red", 5, "a red cat"),
        ("a red ", 6, "a red cat"),
        ("red on blue", 3, "red cat on blue"),
        ("red, blue", 3, "red cat, blue"),
    ],
)
def test_a_word_comes_with_the_spaces_it_needs(
    editor: QTextEdit, text: str, at: int, expected: str
) -> None:
    editor.setPlainText(text)
    cursor = editor.textCursor()
    cursor.setPosition(at)
    editor.setTextCursor(cursor)
    insert_words(editor, "cat")
    assert editor.toPlainText() == expected
