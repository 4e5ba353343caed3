"""What the tests of the interactions share: a theme, words, a saved picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.core.events import Finished, Pixels
from app.core.model import Vocabulary
from app.core.placement import Placement
from app.core.recipe import Recipe, Scheduler, Size
from app.library.library import Library, Picture
from app.ui.background import Background
from app.ui.theme import Theme
from app.ui.words import KnownWords

VOCABULARY = Vocabulary(
    nouns=("cat", "apple", "hot dog", "ice cream", "bus", "grapes", "banana", "castle"),
    colours=("red", "orange", "blue", "black"),
    backgrounds=("white", "blue", "black"),
    styles=("cartoon",),
    synonyms=(("kitty", "cat"), ("automobile", "car")),
)


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp, "light")


@pytest.fixture
def words() -> KnownWords:
    return KnownWords(VOCABULARY)


@pytest.fixture
def background(qapp: QApplication) -> Iterator[Background]:  # noqa: ARG001
    made = Background()
    yield made
    made.wait()


@pytest.fixture
def picture(tmp_path: Path) -> Picture:
    """A saved picture of 32 by 24 pixels, red on the left half, blue on the right."""
    row = bytes((200, 30, 20)) * 16 + bytes((20, 30, 200)) * 16
    recipe = Recipe("a red apple", "starter", Size(32, 24), 8, 4.0, 7, Scheduler.EULER)
    finished = Finished("job", Pixels(32, 24, row * 24), Placement.CPU, 1.5)
    return Library(tmp_path / "pictures", tmp_path / "fallback").save(recipe, finished)
