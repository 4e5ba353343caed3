"""What leaves the window: recipes on the clipboard, all pictures at once, and the dragged copy."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.core import recipe_json
from app.core.errors import FolderNotWritable, PictureUnreadable
from app.core.settings import Settings
from app.library.library import Picture, read_picture
from app.ui.background import Background
from app.ui.taking_away import KEPT_S, RECIPE, TakingAway, recipe_mime, saved_words


class Window:
    """A window with ``pictures`` in it, and what it was told."""

    def __init__(self, qtbot: QtBot, background: Background, pictures: list[Picture], folder: Path):
        self.widget = QWidget()
        qtbot.addWidget(self.widget)
        self.settings = Settings()
        self.folder = folder
        self.taking = TakingAway(
            self.widget, background, lambda: pictures, lambda: self.settings, folder
        )


@pytest.fixture
def window(qtbot: QtBot, background: Background, picture: Picture, tmp_path: Path) -> Window:
    return Window(qtbot, background, [picture, picture], tmp_path / "carried")


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> Callable[[Qt.KeyboardModifier], None]:
    def held(keys: Qt.KeyboardModifier) -> None:
        monkeypatch.setattr(QGuiApplication, "queryKeyboardModifiers", lambda: keys)

    held(Qt.KeyboardModifier.NoModifier)
    return held


Hold = Callable[[Qt.KeyboardModifier], None]


def test_a_copied_recipe_is_text_for_others_and_all_of_it_for_easel(
    qtbot: QtBot, window: Window, picture: Picture
) -> None:
    assert not window.taking.copy_recipe.isEnabled()
    window.taking.set_recipe(picture.recipe)
    with qtbot.waitSignal(window.taking.said):
        window.taking.copy_recipe.trigger()
    mime = QGuiApplication.clipboard().mimeData()
    assert mime.text().startswith("a red apple\nSteps: 8, Sampler: Euler, CFG scale: 4, Seed: 7")
    assert recipe_json.from_json(bytes(mime.data(RECIPE).data()).decode()) == picture.recipe


def test_the_text_of_any_prompt_is_whole(picture: Picture) -> None:
    prompt = 'a "cat"; Steps: 3,\nتفاحة 🍎'
    mime = recipe_mime(replace(picture.recipe, prompt=prompt))
    assert mime.text().startswith(prompt)


def test_all_pictures_are_saved_and_none_is_written_over(
    qtbot: QtBot, window: Window, picture: Picture, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    with qtbot.waitSignal(window.taking.saved) as saved:
        window.taking.save_all_to(there)
    assert saved.args == [there, 2]
    first, second = sorted(there.iterdir())
    assert first.read_bytes() == second.read_bytes() == picture.file.read_bytes()
    window.settings = Settings(carried_suffix=".webp")
    with qtbot.waitSignal(window.taking.saved):
        window.taking.save_all_to(there)
    webp = sorted(there.glob("*.webp"))
    assert len(webp) == 2
    assert read_picture(webp[0]).recipe == picture.recipe
    assert saved_words(there, 2) == "Saved 2 pictures in there"


def test_a_folder_that_takes_none_is_told(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with qtbot.waitSignal(window.taking.problem) as problem:
        window.taking.save_all_to(tmp_path / "file")
    assert isinstance(problem.args[0], FolderNotWritable)


def test_what_is_dragged_is_the_file_itself_unless_another_form_is_set(
    window: Window, picture: Picture, hold: Hold
) -> None:
    hold(Qt.KeyboardModifier.NoModifier)
    assert window.taking.leaving(picture) == picture.file
    window.settings = Settings(carried_suffix=".jpg")
    copy = window.taking.leaving(picture)
    assert copy.name == f"{picture.file.stem}.jpg"
    assert read_picture(copy).recipe == picture.recipe
    with Image.open(copy) as opened:
        assert (opened.format, opened.size) == ("JPEG", (32, 24))


@pytest.mark.parametrize("suffix", [None, ".webp"])
def test_option_leaves_the_recipe_at_home(
    window: Window, picture: Picture, hold: Hold, suffix: str | None
) -> None:
    hold(Qt.KeyboardModifier.AltModifier)
    window.settings = Settings(carried_suffix=suffix)
    copy = window.taking.leaving(picture)
    assert copy != picture.file
    data = copy.read_bytes()
    assert b"red apple" not in data
    assert b"trainedAlgorithmicMedia" in data
    with pytest.raises(PictureUnreadable):
        read_picture(copy)
    with Image.open(copy) as opened, Image.open(picture.file) as saved:
        if suffix is None:
            assert opened.convert("RGB").tobytes() == saved.convert("RGB").tobytes()


def test_copies_go_after_a_day(window: Window, picture: Picture, hold: Hold) -> None:
    hold(Qt.KeyboardModifier.AltModifier)
    copy = window.taking.leaving(picture)
    assert window.taking.leaving(picture) == copy
    old = time.time() - KEPT_S - 60
    os.utime(copy.parent, (old, old))
    hold(Qt.KeyboardModifier.NoModifier)
    window.taking.leaving(picture)
    assert not copy.exists()
    assert picture.file.exists()


def test_a_file_that_has_gone_is_an_error_and_no_drag(
    window: Window, picture: Picture, hold: Hold
) -> None:
    hold(Qt.KeyboardModifier.AltModifier)
    picture.file.unlink()
    with pytest.raises(PictureUnreadable):
        window.taking.leaving(picture)
