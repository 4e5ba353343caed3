"""Every control says what it is and can be reached by the keyboard; nothing is cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollBar,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.core.errors import EngineDied, NoSpace
from app.ui.controls.button import DrawnButton
from app.ui.main_window import LEAST, MainWindow
from tests.ui.numpy_easel import NumpyEasel

CONTROLS = (
    QAbstractButton,
    QAbstractSlider,
    QComboBox,
    QLineEdit,
    QTextEdit,
    QAbstractItemView,
)


def controls(window: MainWindow) -> Iterator[QWidget]:
    """What the person can use now, without the insides of Qt's own widgets."""
    for widget in window.findChildren(QWidget):
        inside = isinstance(widget, QScrollBar) or widget.objectName().startswith("qt_")
        if isinstance(widget, CONTROLS) and widget.isVisibleTo(window) and not inside:
            yield widget


def unfold(window: MainWindow) -> None:
    window.prompt.avoid.open_panel()


def test_every_control_has_an_accessible_name(window: MainWindow) -> None:
    unfold(window)
    nameless = [
        repr(control)
        for control in controls(window)
        if not QAccessible.queryAccessibleInterface(control).text(QAccessible.Text.Name).strip()
    ]
    assert not nameless


def test_every_control_can_be_reached_by_tab(window: MainWindow, qtbot: QtBot) -> None:
    unfold(window)
    window.prompt.editor.setFocus()
    reached: list[QWidget] = []
    for _ in range(80):
        focused = window.focusWidget()
        assert focused is not None
        if reached and focused is reached[0]:
            break
        reached.append(focused)
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    # Of a group that excludes, Tab reaches the chosen one; the arrows reach the others.
    left_out = [
        control.accessibleName()
        for control in controls(window)
        if control not in reached and control.isEnabled() and not _in_a_group(control)
    ]
    assert not left_out


def _in_a_group(control: QWidget) -> bool:
    return isinstance(control, QAbstractButton) and control.group() is not None


def test_tab_goes_from_the_prompt_down_to_the_inspector(window: MainWindow) -> None:
    chain: list[QWidget] = [window.prompt.editor]
    while (following := chain[-1].nextInFocusChain()) is not chain[0]:
        chain.append(following)
    order = [
        window.prompt.editor,
        window.prompt.generate_button,
        window.canvas,
        window.filmstrip,
        window.inspector.sampler,
    ]
    assert sorted(order, key=chain.index) == order


def test_the_arrows_choose_within_a_group(window: MainWindow, qtbot: QtBot) -> None:
    inspector = window.inspector
    balanced = inspector.findChild(DrawnButton, "Quality: Balanced")
    assert balanced is not None
    balanced.setFocus()
    qtbot.keyClick(balanced, Qt.Key.Key_Right)
    focused = window.focusWidget()
    assert focused is not None
    qtbot.keyClick(focused, Qt.Key.Key_Space)
    assert inspector.steps == 12


@pytest.mark.parametrize("scene", ["first run", "drawing", "done", "error", "no space"])
@pytest.mark.parametrize("unfolded", [False, True], ids=["folded", "unfolded"])
def test_at_the_least_size_no_words_are_cut_off(
    window: MainWindow, qtbot: QtBot, scene: str, unfolded: bool
) -> None:
    window.resize(*LEAST)
    if unfolded:
        unfold(window)
    SCENES[scene](window, qtbot)
    qtbot.waitUntil(lambda: not cut_off(window))


def cut_off(window: MainWindow) -> list[str]:
    """The words in ``window`` that have less room than they need."""
    cut = [
        f"{label.text()!r} needs {label.sizeHint().toTuple()}, has {label.size().toTuple()}"
        for label in window.findChildren(QLabel)
        if label.isVisible() and label.text() and _is_cut(label)
    ]
    return cut + [
        f"{button.text()!r}"
        for button in window.findChildren(DrawnButton)
        if button.isVisible()
        and button.text()
        and (
            button.width() < button.minimumSizeHint().width()
            or button.height() < button.minimumSizeHint().height()
        )
    ]


def _is_cut(label: QLabel) -> bool:
    if label.wordWrap():
        return label.height() < label.heightForWidth(label.width())
    return label.width() < label.sizeHint().width() or label.height() < label.sizeHint().height()


def _draw(window: MainWindow, qtbot: QtBot) -> None:
    easel = window.easel
    assert isinstance(easel, NumpyEasel)
    easel.engine.hold()
    window.prompt.set_text("a red apple on a wooden table, soft light, film grain and more")
    window.inspector.fill(count=4)
    window.generate()
    qtbot.waitUntil(lambda: window.desk.live is not None and window.desk.live.step == 2)


def _finish(window: MainWindow, qtbot: QtBot) -> None:
    _draw(window, qtbot)
    assert isinstance(window.easel, NumpyEasel)
    window.easel.engine.release()
    qtbot.waitUntil(lambda: not window.desk.busy)


def _fail(window: MainWindow, qtbot: QtBot) -> None:
    assert isinstance(window.easel, NumpyEasel)
    window.easel.engine.errors = [EngineDied(-9)]
    window.prompt.set_text("a walrus of wood, quite unknown")
    window.generate()
    qtbot.waitUntil(lambda: window.canvas.cover is not None and bool(window.desk))


SCENES: dict[str, Callable[[MainWindow, QtBot], None]] = {
    "first run": lambda _window, _qtbot: None,
    "drawing": _draw,
    "done": _finish,
    "error": _fail,
    "no space": lambda window, _qtbot: window.show_error(
        NoSpace("/a/rather/long/folder/of/somebody/with/many/pictures", 2_000_000, 10_000)
    ),
}


# The offscreen platform says this of every pop-up.
@pytest.mark.qt_log_ignore("This plugin does not support (raise|grabbing the keyboard)")
@pytest.mark.parametrize(
    ("where", "title"), [("slider", "Follow the prompt"), ("prompt", "Prompt")]
)
def test_f1_says_what_the_control_with_the_focus_does(
    window: MainWindow, qtbot: QtBot, where: str, title: str
) -> None:
    slider = next(
        s for s in window.findChildren(QAbstractSlider) if s.accessibleName() == "Follow the prompt"
    )
    focused = slider if where == "slider" else window.prompt.editor
    focused.setFocus()
    qtbot.keyClick(focused, Qt.Key.Key_F1)
    popover = window.popover
    assert popover is not None
    assert popover.isVisible()
    assert popover.accessibleName().startswith(f"{title}. ")
    popover.close()


def test_every_row_of_the_inspector_explains_itself(window: MainWindow) -> None:
    for row in window.inspector.rows():
        assert len(row.explanation.split()) >= 8
        assert row.control.accessibleDescription() == row.explanation
