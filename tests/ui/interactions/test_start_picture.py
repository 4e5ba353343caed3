"""Starting from a picture: how one comes in, what it does to what is drawn, and how it goes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QImage,
    QKeySequence,
)
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.core.errors import PictureUnreadable
from app.core.model import Feature
from app.core.recipe import Draft, Size, Start
from app.jobs.events import Saved, SessionEvent
from app.jobs.session import Session
from app.jobs.thread_host import ThreadHost
from app.library.library import Library, Picture
from app.library.starts import Kept, keep
from app.ui.background import Background
from app.ui.prompt_bar import PromptBar
from app.ui.start_intake import Taken
from app.ui.start_picture import AMOUNTS, StartPanel, fit_note
from app.ui.starting import Starting
from app.ui.theme import Theme
from tests.engine.numpy_engine import make_numpy_engine, numpy_model


class Room:
    """A window with a prompt bar and a canvas, and what it was told."""

    def __init__(self, qtbot: QtBot, theme: Theme, background: Background, folder: Path) -> None:
        self.window = QWidget()
        self.prompt = PromptBar(theme)
        self.prompt.complete()
        self.canvas = QWidget()
        column = QVBoxLayout(self.window)
        column.addWidget(self.prompt)
        column.addWidget(self.canvas, 1)
        self.window.resize(800, 700)
        qtbot.addWidget(self.window)
        self.background = background
        self.starting = Starting(
            theme,
            self.window,
            self.prompt,
            self.canvas,
            lambda source: keep(source, folder / "starts"),
            background,
        )
        self.problems: list[object] = []
        self.said: list[str] = []
        self.starting.problem.connect(self.problems.append)
        self.starting.said.connect(self.said.append)
        with qtbot.waitExposed(self.window):
            self.window.show()
        self.window.activateWindow()

    @property
    def panel(self) -> StartPanel:
        return self.starting.panel


@pytest.fixture
def room(qtbot: QtBot, theme: Theme, background: Background, tmp_path: Path) -> Room:
    return Room(qtbot, theme, background, tmp_path)


@pytest.fixture(autouse=True)
def _clipboard_is_cleared(qapp: QApplication) -> Iterator[None]:  # noqa: ARG001
    yield
    QGuiApplication.clipboard().clear()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A JPEG of 96 by 64 pixels."""
    image = QImage(96, 64, QImage.Format.Format_RGB32)
    image.fill(QColor("#3060C0"))
    file = tmp_path / "holiday.jpg"
    assert image.save(str(file))
    return file


def test_a_chosen_file_is_kept_and_becomes_the_start(qtbot: QtBot, room: Room, photo: Path) -> None:
    with qtbot.waitSignal(room.prompt.start_changed):
        room.starting.start_from(photo)
    start = room.prompt.start()
    assert start is not None
    kept = Path(start.file)
    assert kept.suffix == ".png"
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == start.sha256
    assert (start.strength, start.mask) == (0.6, None)
    assert room.panel.isVisible()


def test_the_draft_draws_another_picture_with_a_start_end_to_end(
    qtbot: QtBot, room: Room, photo: Path, tmp_path: Path
) -> None:
    heard: list[SessionEvent] = []
    library = Library(tmp_path / "pictures", tmp_path / "fallback")
    model = numpy_model(tmp_path)
    session = Session(ThreadHost(make_numpy_engine), library, lambda: (model,), None, heard.append)
    try:
        with qtbot.waitSignal(room.prompt.start_changed):
            room.starting.start_from(photo)
        draft = Draft(prompt="a cat", seed=5, start=room.prompt.start())
        session.submit(draft, model)
        qtbot.waitUntil(lambda: any(isinstance(event, Saved) for event in heard))
    finally:
        session.close()
    saved = next(event for event in heard if isinstance(event, Saved))
    assert saved.picture.recipe.start == room.prompt.start()


def test_a_file_that_is_no_picture_is_told_and_changes_nothing(
    qtbot: QtBot, room: Room, tmp_path: Path
) -> None:
    text = tmp_path / "notes.png"
    text.write_text("not a picture")
    room.starting.start_from(text)
    qtbot.waitUntil(lambda: bool(room.problems))
    assert room.problems == [PictureUnreadable(str(text), "not a picture")]
    assert room.prompt.start() is None


def test_of_two_pictures_the_newer_wins(
    qtbot: QtBot, room: Room, photo: Path, picture: Picture
) -> None:
    room.starting.start_from(photo)
    room.starting.start_from(picture.file)
    room.background.wait()
    qtbot.waitUntil(lambda: room.panel.kept is not None)
    assert room.panel.kept is not None
    assert room.panel.kept.size == Size(32, 24)


def test_the_clipboards_picture_can_be_pasted_into_the_prompt(qtbot: QtBot, room: Room) -> None:
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(QColor("green"))
    QGuiApplication.clipboard().setImage(image)
    room.prompt.editor.setFocus()
    qtbot.waitUntil(room.prompt.editor.hasFocus)
    with qtbot.waitSignal(room.prompt.start_changed):
        qtbot.keySequence(room.prompt.editor, QKeySequence(QKeySequence.StandardKey.Paste))
    assert room.panel.kept is not None
    assert room.panel.kept.size == Size(40, 30)
    assert room.prompt.text() == ""


def test_text_on_the_clipboard_is_pasted_as_text(qtbot: QtBot, room: Room) -> None:
    QGuiApplication.clipboard().setText("a red apple")
    room.prompt.editor.setFocus()
    qtbot.waitUntil(room.prompt.editor.hasFocus)
    qtbot.keySequence(room.prompt.editor, QKeySequence(QKeySequence.StandardKey.Paste))
    assert room.prompt.text() == "a red apple"
    assert room.prompt.start() is None


def test_an_empty_clipboard_is_told(room: Room) -> None:
    room.starting.paste()
    assert room.said == ["There is no picture on the clipboard"]


def _mime(file: Path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(file))])
    return mime


def _enter(widget: QWidget, mime: QMimeData) -> bool:
    event = QDragEnterEvent(
        QPoint(20, 20),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    event.ignore()
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def _drop(widget: QWidget, mime: QMimeData) -> None:
    event = QDropEvent(
        QPointF(20, 20),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(widget, event)


@pytest.mark.parametrize("where", ["window", "prompt"])
def test_a_dropped_picture_becomes_the_start(
    qtbot: QtBot, room: Room, photo: Path, where: str
) -> None:
    target = room.window if where == "window" else room.prompt.editor.viewport()
    mime = _mime(photo)
    assert _enter(target, mime)
    assert room.starting.drop.inviting
    with qtbot.waitSignal(room.prompt.start_changed):
        _drop(target, mime)
    assert not room.starting.drop.inviting
    assert room.prompt.text() == ""


def test_text_that_is_dropped_is_left_to_the_prompt(room: Room) -> None:
    mime = QMimeData()
    mime.setText("a red apple")
    assert not _enter(room.window, mime)
    assert not room.starting.drop.inviting


def test_the_amount_has_words_and_a_number(qtbot: QtBot, room: Room, photo: Path) -> None:
    panel = room.panel
    with qtbot.waitSignal(room.prompt.start_changed):
        room.starting.start_from(photo)
    assert (panel.amount.index(), panel.exact.text()) == (1, "60 %")
    panel.amount.chosen.emit(0)
    assert room.prompt.start() is not None
    assert (_strength(room), panel.exact.text()) == (0.35, "35 %")
    panel.exact.entered.emit("50")
    assert (_strength(room), panel.amount.index()) == (0.5, -1)
    panel.exact.entered.emit("rubbish")
    assert _strength(room) == 0.5
    for typed, taken in (("0", 0.01), ("400", 1.0), ("72,5 %", 0.725)):
        panel.exact.entered.emit(typed)
        assert _strength(room) == taken


def _strength(room: Room) -> float:
    start = room.prompt.start()
    assert start is not None
    return start.strength


def test_removing_it_draws_from_nothing_again(qtbot: QtBot, room: Room, photo: Path) -> None:
    with qtbot.waitSignal(room.prompt.start_changed):
        room.starting.start_from(photo)
    room.panel.remove_button.click()
    assert room.prompt.start() is None


def test_a_folded_panel_is_still_used_and_its_link_says_so(
    qtbot: QtBot, room: Room, photo: Path
) -> None:
    with qtbot.waitSignal(room.prompt.start_changed):
        room.starting.start_from(photo)
    start = room.prompt.start()
    room.starting.fold.close_panel()
    assert room.prompt.start() == start
    assert "holiday.jpg" in room.starting.fold.link.text()
    room.panel.clear()
    assert room.starting.fold.link.text() == "+ Start from a picture"


def test_only_one_panel_is_open_at_a_time(qtbot: QtBot, room: Room, photo: Path) -> None:
    with qtbot.waitSignal(room.prompt.start_changed):
        room.starting.start_from(photo)
    room.prompt.avoid.open_panel()
    assert not room.starting.fold.is_open
    room.starting.fold.open_panel()
    assert not room.prompt.avoid.is_open


def test_in_a_low_window_the_panel_folds_while_one_paints(
    qtbot: QtBot, room: Room, photo: Path
) -> None:
    room.window.resize(800, 400)
    with qtbot.waitSignal(room.starting.editing_changed):
        room.starting.start_from(photo, redraw=True)
    editor = room.starting.editor
    assert editor is not None
    assert not room.starting.fold.is_open
    assert editor.geometry() == room.canvas.geometry()
    editor.cancel.click()
    assert room.starting.fold.is_open


def test_a_recipe_brings_its_start_back(qtbot: QtBot, room: Room, photo: Path) -> None:
    with qtbot.waitSignal(room.prompt.start_changed):
        room.starting.start_from(photo)
    begun = room.prompt.start()
    assert begun is not None
    wanted = replace(begun, strength=0.35)
    room.panel.clear()
    room.prompt.set_start(wanted)
    qtbot.waitUntil(lambda: room.panel.kept is not None)
    assert room.prompt.start() == wanted


def test_a_recipe_whose_start_has_gone_is_told_and_the_form_does_not_claim_it(
    qtbot: QtBot, room: Room, tmp_path: Path
) -> None:
    gone = tmp_path / "gone.png"
    room.prompt.set_start(Start(str(gone), "0" * 64))
    qtbot.waitUntil(lambda: bool(room.problems))
    assert room.problems == [PictureUnreadable(str(gone), "missing")]
    assert room.prompt.start() is None


def test_a_model_that_cannot_start_from_a_picture_hides_it_all(
    qtbot: QtBot, room: Room, photo: Path, tmp_path: Path
) -> None:
    with qtbot.waitSignal(room.prompt.start_changed):
        room.starting.start_from(photo)
    model = numpy_model(tmp_path)
    plain = replace(model, limits=replace(model.limits, features=frozenset()))
    room.starting.set_model(plain)
    assert room.prompt.start() is None
    assert not room.panel.isVisible()
    no_part = frozenset({Feature.IMAGE_TO_IMAGE})
    room.starting.set_model(replace(model, limits=replace(model.limits, features=no_part)))
    assert not room.panel.part_button.isEnabled()


def test_a_painted_part_becomes_the_mask_of_the_start(
    qtbot: QtBot, room: Room, photo: Path
) -> None:
    # 1. A picture, and the brush
    with qtbot.waitSignal(room.starting.editing_changed):
        room.starting.start_from(photo, redraw=True)
    editor = room.starting.editor
    assert editor is not None
    assert editor.geometry().topLeft() == room.canvas.geometry().topLeft()
    # 2. Paint the left quarter
    editor.surface.set_brush(32)
    editor.surface.changed(editor.surface.layer.begin(QPointF(12, 32), 32, erase=False))
    editor.surface.layer.end()
    with qtbot.waitSignal(room.prompt.start_changed):
        editor.finish()
    # 3. The mask is kept beside the picture, as large as it
    start = room.prompt.start()
    assert start is not None
    assert start.mask is not None
    assert hashlib.sha256(Path(start.mask).read_bytes()).hexdigest() == start.mask_sha256
    mask = QImage(start.mask)
    assert mask.size() == QImage(start.file).size()
    assert [mask.pixelColor(x, 32).value() for x in (12, 80)] == [255, 0]
    assert start.strength == AMOUNTS[-1][1]
    assert room.starting.editor is None


def test_giving_up_the_brush_changes_nothing(qtbot: QtBot, room: Room, photo: Path) -> None:
    with qtbot.waitSignal(room.starting.editing_changed):
        room.starting.start_from(photo, redraw=True)
    before = room.prompt.start()
    editor = room.starting.editor
    assert editor is not None
    editor.cancel.click()
    assert room.starting.editor is None
    assert room.prompt.start() == before


def test_another_picture_takes_the_mask_of_the_last_one_away(
    qtbot: QtBot, room: Room, photo: Path, picture: Picture
) -> None:
    with qtbot.waitSignal(room.prompt.start_changed):
        room.starting.start_from(photo)
    kept = room.panel.kept
    assert kept is not None
    room.panel.set_part(kept)
    with qtbot.waitSignal(room.prompt.start_changed):
        room.starting.start_from(picture.file)
    start = room.prompt.start()
    assert start is not None
    assert start.mask is None


@pytest.mark.parametrize(
    ("picture", "shape", "note"),
    [
        (Size(512, 512), Size(512, 512), ""),
        (Size(1024, 1024), Size(512, 512), "Scaled to 512 × 512"),
        (Size(1200, 800), Size(512, 512), "Cropped left and right to 512 × 512"),
        (Size(800, 1200), Size(512, 512), "Cropped above and below to 512 × 512"),
        (Size(1365, 1024), Size(512, 384), "Scaled to 512 × 384"),
    ],
)
def test_what_becomes_of_another_shape_is_said(picture: Size, shape: Size, note: str) -> None:
    assert fit_note(picture, shape) == note


def test_all_of_it_has_names_and_can_be_reached_by_the_keyboard(
    qtbot: QtBot, theme: Theme, photo: Path
) -> None:
    panel = StartPanel(theme)
    qtbot.addWidget(panel)
    panel.set_taken(Taken(Kept(photo, "0", Size(96, 64)), "holiday.jpg", QImage(str(photo))))
    controls = (panel.amount, panel.exact, panel.part_button, panel.remove_button)
    assert [control.accessibleName() for control in controls] == [
        "Redraw",
        "Redraw, in percent",
        "Redraw only a part…",
        "Do not start from a picture",
    ]
    for control in (panel.choose_button, panel.paste_button, *controls[1:]):
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus
