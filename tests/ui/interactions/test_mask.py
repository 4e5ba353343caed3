"""Painting a mask: the pixels that come out, and the keys and tools that get there."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QKeySequence
from pytestqt.qtbot import QtBot

from app.ui.mask_editor import MaskEditor
from app.ui.mask_layer import MaskLayer
from app.ui.theme import Theme


def at(mask: QImage, x: int, y: int) -> int:
    return mask.pixelColor(x, y).value()


def white(mask: QImage) -> int:
    return sum(at(mask, x, y) == 255 for x in range(mask.width()) for y in range(mask.height()))


@pytest.fixture
def layer(qapp: object) -> MaskLayer:  # noqa: ARG001
    return MaskLayer(QSize(100, 60), QColor("#BE4923"))


def test_a_fresh_mask_keeps_everything(layer: MaskLayer) -> None:
    assert layer.is_empty()
    assert white(layer.mask()) == 0


def test_a_stroke_is_as_wide_as_the_brush_from_end_to_end(layer: MaskLayer) -> None:
    layer.begin(QPointF(20, 30), 10, erase=False)
    layer.move(QPointF(80, 30))
    layer.end()
    mask = layer.mask()
    assert mask.size() == QSize(100, 60)
    assert [at(mask, 50, y) for y in (23, 26, 30, 33, 37)] == [0, 255, 255, 255, 0]
    assert [at(mask, x, 30) for x in (13, 17, 50, 83, 87)] == [0, 255, 255, 255, 0]


def test_a_mask_is_black_and_white_only(layer: MaskLayer) -> None:
    layer.begin(QPointF(20.3, 30.7), 13, erase=False)
    layer.move(QPointF(70.1, 11.9))
    layer.end()
    mask = layer.mask()
    values = {at(mask, x, y) for x in range(100) for y in range(60)}
    assert mask.format() == QImage.Format.Format_Grayscale8
    assert values == {0, 255}


def test_a_click_paints_a_dot(layer: MaskLayer) -> None:
    layer.begin(QPointF(50, 30), 20, erase=False)
    layer.end()
    assert white(layer.mask()) == pytest.approx(3.14159 * 100, rel=0.06)


def test_what_changed_lies_inside_the_rectangle_that_is_told(layer: MaskLayer) -> None:
    before = layer.mask()
    told = layer.begin(QPointF(90, 50), 16, erase=False)
    told = told.united(layer.move(QPointF(99, 58)))
    after = layer.mask()
    changed = [
        QPoint(x, y) for x in range(100) for y in range(60) if at(before, x, y) != at(after, x, y)
    ]
    assert changed
    assert all(told.contains(point) for point in changed)
    assert layer.image.rect().contains(told)


def test_erasing_keeps_again(layer: MaskLayer) -> None:
    layer.begin(QPointF(50, 30), 30, erase=False)
    layer.begin(QPointF(50, 30), 10, erase=True)
    layer.end()
    mask = layer.mask()
    assert (at(mask, 50, 30), at(mask, 60, 30)) == (0, 255)


def test_each_stroke_can_be_taken_back_and_done_again(layer: MaskLayer) -> None:
    states = [layer.png()]
    for x in (20, 50, 80):
        layer.begin(QPointF(x, 30), 12, erase=False)
        layer.move(QPointF(x, 40))
        layer.end()
        states.append(layer.png())
    for state in reversed(states[:-1]):
        layer.undo()
        assert layer.png() == state
    assert not layer.can_undo
    assert layer.is_empty()
    for state in states[1:]:
        layer.redo()
        assert layer.png() == state
    assert not layer.can_redo


def test_a_new_stroke_forgets_what_was_taken_back(layer: MaskLayer) -> None:
    layer.begin(QPointF(20, 30), 12, erase=False)
    layer.undo()
    layer.begin(QPointF(60, 30), 12, erase=False)
    layer.end()
    assert not layer.can_redo


def test_a_stroke_outside_the_picture_is_no_step(layer: MaskLayer) -> None:
    layer.begin(QPointF(-50, -50), 12, erase=False)
    layer.end()
    assert layer.is_empty()
    assert not layer.can_undo


def test_invert_and_clear_can_be_undone(layer: MaskLayer) -> None:
    layer.begin(QPointF(20, 30), 12, erase=False)
    layer.end()
    painted = layer.png()
    layer.invert()
    assert (at(layer.mask(), 20, 30), at(layer.mask(), 90, 50)) == (0, 255)
    layer.clear()
    assert layer.is_empty()
    layer.undo()
    layer.undo()
    assert layer.png() == painted


def test_a_mask_survives_being_kept_and_opened_again(layer: MaskLayer) -> None:
    layer.begin(QPointF(20, 30), 12, erase=False)
    layer.end()
    again = MaskLayer(QSize(100, 60), QColor("blue"))
    again.load(QImage.fromData(layer.png()))
    assert again.mask() == layer.mask()


def test_another_theme_changes_the_colour_and_not_the_mask(layer: MaskLayer) -> None:
    layer.begin(QPointF(20, 30), 12, erase=False)
    layer.end()
    before = layer.mask()
    layer.recolour(QColor("#EE7B4F"))
    assert layer.mask() == before
    assert layer.image.pixelColor(20, 30).name() == "#ee7b4f"


@pytest.fixture
def editor(qtbot: QtBot, theme: Theme) -> MaskEditor:
    picture = QImage(128, 128, QImage.Format.Format_RGB32)
    picture.fill(QColor("#E0C090"))
    made = MaskEditor(theme, picture)
    made.resize(640, 520)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    made.activateWindow()
    made.setFocus()
    qtbot.waitUntil(made.surface.hasFocus)
    return made


def test_the_pointer_paints_where_it_is_on_the_picture(qtbot: QtBot, editor: MaskEditor) -> None:
    surface = editor.surface
    surface.set_brush(10)
    room = surface.picture_rect()
    spot = room.topLeft() + QPointF(room.width() / 4, room.height() / 2)
    qtbot.mouseClick(surface, Qt.MouseButton.LeftButton, pos=spot.toPoint())
    mask = surface.layer.mask()
    assert (at(mask, 32, 64), at(mask, 39, 64), at(mask, 64, 64)) == (255, 0, 0)


def test_only_the_left_button_paints(qtbot: QtBot, editor: MaskEditor) -> None:
    qtbot.mouseClick(editor.surface, Qt.MouseButton.RightButton)
    assert editor.surface.layer.is_empty()


def test_one_can_paint_with_the_keyboard_alone(qtbot: QtBot, editor: MaskEditor) -> None:
    surface = editor.surface
    qtbot.keyClick(surface, Qt.Key.Key_Space)
    assert at(surface.layer.mask(), 64, 64) == 255
    for _ in range(12):
        qtbot.keyClick(surface, Qt.Key.Key_Right)
    qtbot.keyClick(surface, Qt.Key.Key_Space)
    assert at(surface.layer.mask(), 64 + 12 * surface.brush // 4, 64) == 255
    for _ in range(200):
        qtbot.keyClick(surface, Qt.Key.Key_Left)
    qtbot.keyClick(surface, Qt.Key.Key_Space)
    assert at(surface.layer.mask(), 0, 64) == 255


def test_brackets_change_the_brush_and_e_erases(qtbot: QtBot, editor: MaskEditor) -> None:
    surface = editor.surface
    surface.set_brush(40)
    qtbot.keyClick(surface, "]")
    assert surface.brush == 50
    qtbot.keyClick(surface, "[")
    qtbot.keyClick(surface, "[")
    assert surface.brush == 32
    qtbot.keyClick(surface, "E")
    assert surface.erasing
    assert editor.tool.index() == 1
    qtbot.keyClick(surface, "E")
    assert not surface.erasing


def test_undo_redo_and_invert_have_keys(qtbot: QtBot, editor: MaskEditor) -> None:
    surface, keys = editor.surface, QKeySequence.StandardKey
    qtbot.keyClick(surface, Qt.Key.Key_Space)
    painted = surface.layer.png()
    qtbot.keySequence(surface, QKeySequence(keys.Undo))
    assert surface.layer.is_empty()
    qtbot.keySequence(surface, QKeySequence(keys.Redo))
    assert surface.layer.png() == painted
    qtbot.keyClick(surface, "I")
    assert at(surface.layer.mask(), 0, 0) == 255


def test_the_tools_are_on_only_when_they_do_something(qtbot: QtBot, editor: MaskEditor) -> None:
    tools = (editor.undo, editor.redo, editor.clear, editor.done)
    assert [tool.isEnabled() for tool in tools] == [False] * 4
    qtbot.keyClick(editor.surface, Qt.Key.Key_Space)
    assert [tool.isEnabled() for tool in tools] == [True, False, True, True]
    editor.undo.click()
    assert [tool.isEnabled() for tool in tools] == [False, True, False, False]


def test_done_hands_over_a_mask_as_large_as_the_picture(qtbot: QtBot, editor: MaskEditor) -> None:
    editor.finish()  # nothing painted: nothing told
    qtbot.keyClick(editor.surface, Qt.Key.Key_Space)
    with qtbot.waitSignal(editor.finished) as finished:
        qtbot.keySequence(editor.surface, QKeySequence("Ctrl+Return"))
    mask = QImage.fromData(finished.args[0])
    assert mask.size() == QSize(128, 128)
    assert at(mask, 64, 64) == 255


def test_escape_gives_up(qtbot: QtBot, editor: MaskEditor) -> None:
    with qtbot.waitSignal(editor.given_up):
        qtbot.keyClick(editor.surface, Qt.Key.Key_Escape)


def test_the_mask_is_seen_over_the_picture(qtbot: QtBot, editor: MaskEditor) -> None:
    surface = editor.surface
    surface.set_brush(128)
    qtbot.keyClick(surface, Qt.Key.Key_Space)
    surface.clearFocus()
    shown = surface.grab().toImage()
    ratio = shown.devicePixelRatio()
    spot = (surface.picture_rect().center() * ratio).toPoint()
    seen = {
        shown.pixelColor(spot + QPoint(dx, dy)).name() for dx in range(-9, 9) for dy in range(-9, 9)
    }
    assert "#e0c090" not in seen
    assert any(QColor(name).red() > QColor(name).green() + 40 for name in seen)


def test_every_tool_can_be_reached_and_has_a_name(editor: MaskEditor) -> None:
    tools = [editor.cancel, editor.done, editor.undo, editor.redo, editor.invert, editor.clear]
    assert [tool.accessibleName() for tool in tools] == [
        "Cancel",
        "Use this part",
        "Undo",
        "Redo",
        "Invert",
        "Clear",
    ]
    assert editor.surface.accessibleName() == "Picture to paint over"
    assert all(tool.focusPolicy() == Qt.FocusPolicy.StrongFocus for tool in tools)
