"""Copy, save as, show, use the recipe, vary, start from it, the Trash and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.core.errors import FolderNotWritable, PictureUnreadable
from app.library.library import Picture, read_picture
from app.ui.background import Background
from app.ui.picture_actions import PictureActions


class Desk:
    """A window with the actions, and what was asked of the system."""

    def __init__(self, qtbot: QtBot, background: Background) -> None:
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.target: Path | None = None
        self.offered: list[Path] = []
        self.shown: list[Path] = []
        self.actions = PictureActions(background, self.window, self._ask, self.shown.append)

    def _ask(self, _parent: QWidget | None, offered: Path) -> Path | None:
        self.offered.append(offered)
        return self.target


@pytest.fixture
def desk(qtbot: QtBot, background: Background, picture: Picture) -> Desk:
    made = Desk(qtbot, background)
    made.actions.set_picture(picture)
    return made


@pytest.fixture(autouse=True)
def _clipboard_is_cleared(qapp: object) -> Iterator[None]:  # noqa: ARG001
    yield
    QGuiApplication.clipboard().clear()


def test_without_a_picture_nothing_can_be_done(qtbot: QtBot, background: Background) -> None:
    desk = Desk(qtbot, background)
    assert not [action.text() for action in desk.window.actions() if action.isEnabled()]


def test_with_a_picture_everything_but_undo_can_be_done(desk: Desk) -> None:
    off = [action.text() for action in desk.window.actions() if not action.isEnabled()]
    assert off == ["Undo Move to Trash"]


def test_what_the_model_cannot_do_is_off(desk: Desk) -> None:
    desk.actions.set_features(can_start=False, can_redraw=False)
    assert not desk.actions.start.isEnabled()
    assert not desk.actions.redraw.isEnabled()
    assert desk.actions.copy.isEnabled()


def test_copy_puts_the_picture_and_its_file_on_the_clipboard(
    qtbot: QtBot, desk: Desk, picture: Picture
) -> None:
    with qtbot.waitSignal(desk.actions.said) as said:
        desk.actions.copy.trigger()
    mime = QGuiApplication.clipboard().mimeData()
    assert said.args == ["Copied"]
    assert mime.urls() == [QUrl.fromLocalFile(str(picture.file))]
    assert mime.data("image/png").data() == picture.file.read_bytes()
    image = mime.imageData()
    assert isinstance(image, QImage)
    assert image.pixelColor(2, 2).name() == "#c81e14"


def test_copying_a_picture_that_has_gone_is_told(
    qtbot: QtBot, desk: Desk, picture: Picture
) -> None:
    picture.file.unlink()
    with qtbot.waitSignal(desk.actions.problem) as problem:
        desk.actions.copy.trigger()
    assert problem.args == [PictureUnreadable(str(picture.file), "missing")]


def test_save_as_png_keeps_every_byte(
    qtbot: QtBot, desk: Desk, picture: Picture, tmp_path: Path
) -> None:
    desk.target = tmp_path / "copy.png"
    with qtbot.waitSignal(desk.actions.said) as said:
        desk.actions.save_as.trigger()
    assert said.args == ["Saved as copy.png"]
    assert desk.offered == [picture.file]
    assert desk.target.read_bytes() == picture.file.read_bytes()


@pytest.mark.parametrize(("suffix", "form"), [(".jpg", "jpeg"), (".webp", "webp")])
def test_the_suffix_says_the_form_and_the_recipe_goes_along(
    qtbot: QtBot, desk: Desk, picture: Picture, tmp_path: Path, suffix: str, form: str
) -> None:
    desk.target = tmp_path / f"copy{suffix}"
    with qtbot.waitSignal(desk.actions.said):
        desk.actions.save_as.trigger()
    saved = QImage(str(desk.target), form)
    assert (saved.width(), saved.height()) == (32, 24)
    assert abs(saved.pixelColor(4, 12).red() - 200) < 12
    assert read_picture(desk.target).recipe == picture.recipe


def test_a_name_without_a_suffix_becomes_a_png(
    qtbot: QtBot, desk: Desk, picture: Picture, tmp_path: Path
) -> None:
    desk.target = tmp_path / "my apple v1.2"
    with qtbot.waitSignal(desk.actions.said) as said:
        desk.actions.save_as.trigger()
    assert said.args == ["Saved as my apple v1.2.png"]
    assert (tmp_path / "my apple v1.2.png").read_bytes() == picture.file.read_bytes()


def test_giving_up_the_dialog_saves_nothing(desk: Desk, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    desk.actions.save_as.trigger()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_target_that_cannot_be_written_is_told_and_nothing_is_left(
    qtbot: QtBot, desk: Desk, picture: Picture, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    desk.target = tmp_path / "file" / "copy.png"
    with qtbot.waitSignal(desk.actions.problem) as problem:
        desk.actions.save_as.trigger()
    assert isinstance(problem.args[0], FolderNotWritable)
    assert (tmp_path / "file").read_text() == "in the way"
    assert picture.file.exists()


def test_show_selects_the_file_and_a_missing_one_is_told(
    qtbot: QtBot, desk: Desk, picture: Picture
) -> None:
    desk.actions.show.trigger()
    assert desk.shown == [picture.file]
    picture.file.unlink()
    with qtbot.waitSignal(desk.actions.problem):
        desk.actions.show.trigger()
    assert desk.shown == [picture.file]


def test_the_window_is_asked_for_what_only_it_can_do(
    qtbot: QtBot, desk: Desk, picture: Picture
) -> None:
    actions = desk.actions
    for action, signal, expected in (
        (actions.recipe, actions.use_recipe, picture.recipe),
        (actions.another, actions.vary, picture),
        (actions.start, actions.start_from, picture.file),
        (actions.redraw, actions.redraw_part, picture.file),
    ):
        with qtbot.waitSignal(signal) as asked:
            action.trigger()
        assert asked.args == [expected]


def test_the_trash_takes_a_picture_and_gives_it_back(
    qtbot: QtBot, desk: Desk, picture: Picture
) -> None:
    whole = picture.file.read_bytes()
    with qtbot.waitSignal(desk.actions.removed) as removed:
        desk.actions.delete.trigger()
    assert removed.args == [picture]
    assert not picture.file.exists()
    assert desk.actions.picture is None
    assert not desk.actions.copy.isEnabled()
    with qtbot.waitSignal(desk.actions.restored) as restored:
        desk.actions.put_back.trigger()
    assert restored.args == [picture]
    assert picture.file.read_bytes() == whole
    assert not desk.actions.put_back.isEnabled()


def test_putting_back_never_overwrites_another_picture(
    qtbot: QtBot, desk: Desk, picture: Picture
) -> None:
    with qtbot.waitSignal(desk.actions.removed):
        desk.actions.delete.trigger()
    picture.file.write_text("another")
    with qtbot.waitSignal(desk.actions.problem) as problem:
        desk.actions.put_back.trigger()
    assert isinstance(problem.args[0], FolderNotWritable)
    assert picture.file.read_text() == "another"


def test_the_menu_holds_all_of_it_and_no_two_shortcuts_are_the_same(desk: Desk) -> None:
    menu = desk.actions.menu(desk.window)
    named = [action.text() for action in menu.actions() if not action.isSeparator()]
    assert named == [
        "Copy",
        "Save As…",
        f"Show in {named[2].removeprefix('Show in ')}",
        "Use Recipe",
        "Vary",
        "Start from This Picture",
        "Redraw a Part…",
        "Move to Trash",
    ]
    keys = [keys.toString() for action in desk.window.actions() for keys in action.shortcuts()]
    assert len(keys) == len(set(keys))
