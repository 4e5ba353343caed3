"""A picture made elsewhere, dropped on the window: its recipe fills the form, the rest is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.ui.interactions import Interactions
from app.ui.main_window import MainWindow
from app.ui.recipe_card import RecipeCard
from tests.library import foreign_pictures
from tests.ui.numpy_easel import NumpyEasel


def drop(window: MainWindow, file: Path, share: float) -> None:
    """Drag ``file`` over the window and let it go at that share of its width."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(file))])
    at = QPoint(round(window.width() * share), window.height() // 2)
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier
    enter = QDragEnterEvent(at, copy, mime, left, none.NoModifier)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    event = QDropEvent(QPointF(at), copy, mime, left, none.NoModifier)
    QApplication.sendEvent(window, event)


def card(window: MainWindow) -> RecipeCard:
    found = window.findChild(RecipeCard)
    assert isinstance(found, RecipeCard)
    return found


@pytest.fixture
def a1111(tmp_path: Path) -> Path:
    file = tmp_path / "theirs.png"
    file.write_bytes(foreign_pictures.png(parameters=foreign_pictures.AUTOMATIC1111))
    return file


def test_on_the_right_half_its_recipe_fills_the_form(
    window: MainWindow, a1111: Path, qtbot: QtBot
) -> None:
    drop(window, a1111, 0.8)
    qtbot.waitUntil(lambda: window.prompt.text().startswith("masterpiece"))
    assert window.inspector.seed.seed == 965400086
    assert window.inspector.steps == 28
    assert window.inspector.size_chosen == window.model().limits.native  # type: ignore[union-attr]
    said = card(window).accessibleName()
    assert card(window).isVisible()
    assert "seed 965400086" in said
    assert "v1-5-pruned-emaonly" in said, "the model that is missing"
    assert "add_detail" in said, "the LoRA that is missing"
    assert "512" in said, "a size that this model cannot draw"
    assert "Clip skip 2" in said, "what Easel has not"
    qtbot.mouseClick(card(window).close_button, Qt.MouseButton.LeftButton)
    assert not card(window).isVisible()


def test_on_the_left_half_it_is_started_from(window: MainWindow, a1111: Path, qtbot: QtBot) -> None:
    drop(window, a1111, 0.2)
    qtbot.waitUntil(lambda: window.prompt.start() is not None)
    assert window.prompt.text() == ""


def test_a_comfyui_picture_fills_the_form(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    file = tmp_path / "comfy.png"
    file.write_bytes(foreign_pictures.comfy_png())
    drop(window, file, 0.9)
    qtbot.waitUntil(lambda: window.prompt.text() != "")
    assert "ComfyUI" in card(window).accessibleName()


def test_dropped_on_the_gallery_it_leads_to_drawing(
    window: MainWindow, a1111: Path, qtbot: QtBot
) -> None:
    window.views.show_gallery()
    drop(window, a1111, 0.8)
    qtbot.waitUntil(lambda: window.prompt.text().startswith("masterpiece"))
    assert window.canvas.isVisible()


def test_one_that_says_nothing_may_be_started_from(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    file = tmp_path / "plain.png"
    file.write_bytes(foreign_pictures.png())
    drop(window, file, 0.8)
    qtbot.waitUntil(lambda: "does not say" in window.notices.toast.text)
    qtbot.mouseClick(window.notices.toast.action_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.prompt.start() is not None)


def test_what_is_no_picture_is_told(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    file = tmp_path / "words.png"
    file.write_text("not a picture")
    drop(window, file, 0.8)
    qtbot.waitUntil(lambda: window.notices.toast.isVisible())
    assert window.prompt.text() == ""


def test_while_it_is_dragged_both_ways_are_offered(window: MainWindow, a1111: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(a1111))])
    at = QPoint(window.width() - 50, 300)
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    enter = QDragEnterEvent(at, copy, mime, left, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(window, enter)
    joined = window.findChild(Interactions)
    assert joined is not None
    assert joined.starting.drop.inviting
    assert joined.starting.drop._veil.accessibleName() == "Drop to use its recipe"


def test_an_own_picture_gives_its_recipe_again(
    window: MainWindow, easel: NumpyEasel, qtbot: QtBot
) -> None:
    window.prompt.set_text("a red apple")
    window.inspector.seed.set_seed(77)
    window.generate()
    qtbot.waitUntil(lambda: window.canvas.shown() is not None)
    (file,) = easel.folders.pictures.rglob("*.png")
    window.prompt.set_text("")
    window.inspector.seed.set_seed(1)
    drop(window, file, 0.8)
    qtbot.waitUntil(lambda: window.prompt.text() == "a red apple")
    assert window.inspector.seed.seed == 77
