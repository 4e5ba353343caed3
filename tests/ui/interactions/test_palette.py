"""The palette of words: what "/" finds, and what a click puts where."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTextEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.places import find_shipped
from app.ui.completion import Completion
from app.ui.palette import MOST_FOUND, Palette, read_palette
from app.ui.theme import Theme
from app.ui.words import Group, KnownWords
from app.ui.words_panel import WordsPanel, insert_words
from tests.ui.interactions.conftest import VOCABULARY


@pytest.fixture(scope="module")
def palette() -> Palette:
    return read_palette(find_shipped() / "resources")


@pytest.fixture
def editor(qtbot: QtBot) -> Iterator[QTextEdit]:
    window = QWidget()
    column = QVBoxLayout(window)
    box = QTextEdit()
    column.addWidget(box)
    window.resize(600, 300)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    box.setFocus()
    qtbot.waitUntil(box.hasFocus)
    yield box
    window.close()


def test_the_palette_has_the_groups_that_people_look_for(palette: Palette) -> None:
    titles = [title for title, _ in palette.groups]
    assert titles == ["Subject", "Medium", "Style", "Lighting", "Camera", "Colour", "Detail"]
    for _, group in palette.groups:
        words = palette.of(group)
        assert len(words) >= 12
        assert len(set(words)) == len(words)
        assert all(word == word.strip() and "," not in word.split(", ")[0] for word in words)
    assert len(palette.recipes) >= 5


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("a cat, /golden", "golden hour"),
        ("/light", "golden hour"),  # the group that begins so comes first
        ("a cat /win", "soft window light"),
        ("(/oil", "oil painting"),
        ("/long exp", "long exposure"),
    ],
)
def test_a_slash_finds_words_and_groups(palette: Palette, text: str, first: str) -> None:
    found = palette.completions(text, len(text))
    assert text[found.start :].startswith("/")
    assert first in [offer.text for offer in found.offers]
    assert 0 < len(found.offers) <= MOST_FOUND


@pytest.mark.parametrize(
    "text", ["a cat", "and/or", "1/2", "http://light", "/zzz", "/ light", "a/"]
)
def test_no_other_slash_offers_anything(palette: Palette, text: str) -> None:
    assert palette.completions(text, len(text)).offers == ()


def test_a_bare_slash_leads_to_a_group_and_on_to_its_words(
    qtbot: QtBot, theme: Theme, editor: QTextEdit, palette: Palette
) -> None:
    completion = Completion(editor, theme, palette)
    qtbot.keyClicks(editor, "a cat, /")
    assert [offer.text for offer in completion.offered][:4] == [
        "/subject",
        "/medium",
        "/style",
        "/lighting",
    ]
    for _ in range(3):
        qtbot.keyClick(editor, Qt.Key.Key_Down)
    qtbot.keyClick(editor, Qt.Key.Key_Tab)
    assert editor.toPlainText() == "a cat, /lighting"
    assert completion.offered[0].text == "golden hour"
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert editor.toPlainText() == "a cat, golden hour"
    assert not completion.open


def test_for_a_small_model_the_slash_keeps_to_what_it_knows() -> None:
    words = KnownWords(VOCABULARY)
    groups = [offer.text for offer in words.completions("/", 1).offers]
    assert groups == ["/thing", "/colour", "/background", "/style"]
    assert [offer.text for offer in words.completions("/colour", 7).offers] == [
        "red",
        "orange",
        "blue",
        "black",
    ]
    on_blue = [offer.text for offer in words.completions("a cat /blu", 10).offers]
    assert on_blue == ["blue", "on a blue background"]
    assert words.completions("/golden", 7).offers == ()


@pytest.mark.parametrize(
    ("text", "at", "result"),
    [
        ("", 0, "golden hour"),
        ("a cat", 5, "a cat, golden hour"),
        ("a cat  ", 7, "a cat, golden hour"),
        ("a cat,", 6, "a cat, golden hour"),
        ("🐈, a cat", 2, "🐈, golden hour, a cat"),
        ("(", 1, "(golden hour"),
    ],
)
def test_a_picked_word_joins_the_list(editor: QTextEdit, text: str, at: int, result: str) -> None:
    editor.setPlainText(text)
    cursor = editor.textCursor()
    cursor.setPosition(at)
    editor.setTextCursor(cursor)
    insert_words(editor, "golden hour", listed=True)
    assert editor.toPlainText() == result


def test_the_panel_takes_other_words(qtbot: QtBot, theme: Theme, palette: Palette) -> None:
    panel = WordsPanel(theme, KnownWords(VOCABULARY), random.Random(1))
    qtbot.addWidget(panel)
    panel.show()
    panel.show_words(palette)
    assert panel.chips.words == palette.of(Group.SUBJECT)
    panel.group.chosen.emit(3)
    assert panel.chips.words == palette.of(Group.LIGHTING)
    with qtbot.waitSignal(panel.surprised) as surprised:
        panel.surprise.click()
    subject, *others = surprised.args[0].split(", ")
    assert subject in palette.of(Group.SUBJECT)
    assert others
