"""What a picture carries when it is dragged out, and when a drag begins."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QColor, QImage, QPixmap
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.library.library import Picture
from app.ui.drag import THUMBNAIL, Carried, DragSource, PictureMime, drag_thumbnail


def test_a_file_url_and_the_bytes_of_the_png_are_carried(
    qapp: QApplication,  # noqa: ARG001
    picture: Picture,
) -> None:
    mime = PictureMime(picture.file)
    assert mime.hasUrls()
    assert mime.urls() == [QUrl.fromLocalFile(str(picture.file))]
    assert mime.data("image/png").data() == picture.file.read_bytes()
    assert mime.hasImage()
    image = mime.imageData()
    assert isinstance(image, QImage)
    assert (image.width(), image.height()) == (32, 24)
    assert not mime.hasText() or mime.text() == picture.file.as_uri()


def test_a_name_with_spaces_and_accents_is_carried_whole(
    qapp: QApplication,  # noqa: ARG001
    tmp_path: Path,
) -> None:
    file = tmp_path / "äpfel & birnen 100 %#1.png"
    assert PictureMime(file).urls()[0].toLocalFile() == str(file)


def test_a_file_that_has_gone_is_an_empty_answer(
    qapp: QApplication,  # noqa: ARG001
    tmp_path: Path,
) -> None:
    mime = PictureMime(tmp_path / "gone.png")
    assert mime.data("image/png").isEmpty()


def test_what_follows_the_pointer_is_small_and_sharp(qapp: QApplication) -> None:  # noqa: ARG001
    shown = QPixmap(800, 400)
    shown.fill(QColor("red"))
    small = drag_thumbnail(shown, 2.0)
    assert (small.width(), small.height()) == (2 * THUMBNAIL, THUMBNAIL)
    assert small.deviceIndependentSize().width() == THUMBNAIL
    assert not drag_thumbnail(QPixmap(), 1.0).isNull()


class Source:
    """A widget with a picture on its left half, and the drags it began."""

    def __init__(self, qtbot: QtBot, widget: QWidget) -> None:
        self.widget = widget
        self.begun: list[Carried] = []
        self.carried = Carried(Path("/a.png"), QPixmap())
        qtbot.addWidget(widget)
        widget.resize(200, 100)
        widget.show()
        DragSource(widget, self._at, lambda _widget, carried: self.begun.append(carried))

    def _at(self, point: QPoint) -> Carried | None:
        return self.carried if point.x() < 100 else None

    def pull(self, qtbot: QtBot, begin: QPoint, *way: QPoint) -> None:
        qtbot.mousePress(self.widget, Qt.MouseButton.LeftButton, pos=begin)
        for point in way:
            qtbot.mouseMove(self.widget, point)
            QApplication.processEvents()


@pytest.fixture
def source(qtbot: QtBot) -> Source:
    return Source(qtbot, QWidget())


def test_a_drag_begins_once_the_pointer_has_gone_the_systems_distance(
    qtbot: QtBot, source: Source
) -> None:
    far = QApplication.startDragDistance()
    source.pull(qtbot, QPoint(50, 50), QPoint(50 + far - 1, 50))
    assert source.begun == []
    source.pull(qtbot, QPoint(50, 50), QPoint(50 + far, 50), QPoint(50 + 2 * far, 50))
    assert source.begun == [source.carried]


def test_where_no_picture_is_no_drag_begins(qtbot: QtBot, source: Source) -> None:
    source.pull(qtbot, QPoint(150, 50), QPoint(50, 50))
    assert source.begun == []


def test_moving_without_a_button_is_no_drag(qtbot: QtBot, source: Source) -> None:
    qtbot.mousePress(source.widget, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
    qtbot.mouseRelease(source.widget, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
    qtbot.mouseMove(source.widget, QPoint(90, 50))
    assert source.begun == []


def test_a_button_that_was_dragged_from_is_not_left_pressed(qtbot: QtBot) -> None:
    button = QPushButton("Drag me out")
    source = Source(qtbot, button)
    source.pull(qtbot, QPoint(50, 50), QPoint(90, 50))
    assert source.begun == [source.carried]
    assert not button.isDown()
