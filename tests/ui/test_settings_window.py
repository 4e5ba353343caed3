"""What is set in the Settings window is saved at once, used at once, and can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QLabel, QScrollBar, QWidget
from pytestqt.qtbot import QtBot

from app.core.placement import Placement
from app.core.settings import Settings
from app.library import settings_file
from app.ui.controls.button import DrawnButton
from app.ui.main_window import MainWindow
from app.ui.settings_window import SettingsWindow
from tests.ui.numpy_easel import NumpyEasel, again
from tests.ui.test_reach import CONTROLS

Open = Callable[[NumpyEasel], MainWindow]

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def settings(window: MainWindow, qtbot: QtBot) -> SettingsWindow:
    made = window.others.settings()
    qtbot.waitUntil(made.isVisible)
    return made


def saved(window: MainWindow) -> Settings:
    """As the next start of Easel reads them."""
    return settings_file.load(window.easel.folders.settings)[0]


def draw(window: MainWindow, qtbot: QtBot) -> Path:
    window.prompt.set_text("a cat")
    with qtbot.waitSignal(window.desk.finished) as finished:
        window.generate()
    file: Path = finished.args[0].picture.file
    return file


def test_the_keys_open_it_once(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    first = window.findChildren(SettingsWindow)
    window.others.settings()
    assert len(first) == 1
    assert window.findChildren(SettingsWindow) == first


def test_another_folder_form_and_name_are_those_of_the_next_picture(
    window: MainWindow, settings: SettingsWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    pictures = settings.pictures
    assert pictures.use_folder(there)
    pictures.form.setCurrentIndex(pictures.form.findData(".jpg"))
    pictures.name.edit.setFocus()
    pictures.name.edit.clear()
    qtbot.keyClicks(pictures.name.edit, "{words} at {size}")
    assert pictures.name_row.about.text().startswith(
        "For example a-red-apple-on-a-table at 512x512"
    )

    file = draw(window, qtbot)
    assert file == there / "a-cat at 64x64.jpg"
    assert saved(window).pictures_folder == str(there)


def test_a_name_that_cannot_be_is_explained_and_not_kept(
    window: MainWindow, settings: SettingsWindow, qtbot: QtBot
) -> None:
    row, field = settings.pictures.name_row, settings.pictures.name.edit
    field.setFocus()
    field.clear()
    qtbot.keyClicks(field, "{nobody}")
    assert row.trouble.isVisible()
    assert "a word in braces that Easel does not know" in row.trouble.text()
    assert saved(window).name_template is None
    settings.done_button.setFocus()
    assert field.text() == "{date}/{words}-{seed}"
    assert not row.trouble.isVisible()


def test_a_folder_that_cannot_be_written_is_refused(
    window: MainWindow, settings: SettingsWindow, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    assert not settings.pictures.use_folder(tmp_path / "file")
    assert settings.pictures.folder.trouble.isVisible()
    assert window.easel.settings.pictures_folder is None


def test_a_folder_that_has_gone_says_so_until_it_is_reset(
    open_window: Open, easel: NumpyEasel, qtbot: QtBot
) -> None:
    settings_file.save(easel.folders.settings, Settings(pictures_folder="/no/such/disk"))
    window = open_window(again(easel))
    settings = window.others.settings()
    row = settings.pictures.folder
    assert "not there any more" in row.trouble.text()
    qtbot.mouseClick(row.reset, Qt.MouseButton.LeftButton)
    assert not row.trouble.isVisible()
    assert saved(window).pictures_folder is None
    assert window.easel.library.folder == window.easel.folders.pictures


def test_easel_begins_with_the_model_and_number_that_are_set(
    open_window: Open, easel: NumpyEasel
) -> None:
    window = open_window(easel)
    drawing = window.others.settings().drawing
    drawing.model.setCurrentIndex(drawing.model.findData(easel.the_model.id))
    drawing.count.setCurrentIndex(drawing.count.findData(4))
    assert saved(window).start_model == easel.the_model.id
    window.inspector.fill(count=2)
    window.close()

    second = open_window(again(easel))
    assert second.inspector.count == 4
    assert second.model() is not None


def test_previews_can_be_left_out(
    window: MainWindow, settings: SettingsWindow, qtbot: QtBot
) -> None:
    easel = window.easel
    assert isinstance(easel, NumpyEasel)
    qtbot.mouseClick(settings.drawing.previews, Qt.MouseButton.LeftButton)
    assert saved(window).previews is False
    easel.engine.hold()
    window.prompt.set_text("a cat")
    window.generate()
    qtbot.waitUntil(lambda: window.desk.live is not None and window.desk.live.step == 2)
    live = window.desk.live
    assert live is not None
    assert live.preview is None
    easel.engine.release()
    qtbot.waitUntil(lambda: not window.desk.busy)


def test_where_to_draw_is_asked_only_where_there_is_a_choice(
    open_window: Open, tmp_path: Path, settings: SettingsWindow
) -> None:
    assert not settings.drawing.place_row.isVisible()

    class OnAMac(NumpyEasel):
        placements = (Placement.COREML_NEURAL_ENGINE, Placement.COREML_GPU)  # type: ignore[assignment]

    window = open_window(OnAMac(tmp_path / "mac"))
    drawing = window.others.settings().drawing
    assert drawing.place_row.isVisible()
    assert [drawing.place.itemText(i) for i in range(drawing.place.count())] == [
        "Wherever it is fastest",
        "Neural Engine",
        "GPU",
    ]
    drawing.place.setCurrentIndex(1)
    assert saved(window).placement == "Core ML, Neural Engine"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://hub.example.org/", "https://hub.example.org"),
        ("https://huggingface.co", None),
        ("http://hub.example.org", None),
        ("hub.example.org", None),
        ("https://me:secret@hub.example.org", None),
        ("https://", None),
    ],
)
def test_a_mirror_is_an_address_with_https(
    window: MainWindow, settings: SettingsWindow, qtbot: QtBot, typed: str, kept: str | None
) -> None:
    field = settings.privacy.mirror.edit
    field.setFocus()
    qtbot.keyClicks(field, typed)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert saved(window).mirror == kept
    refused = kept is None and typed != "https://huggingface.co"
    assert settings.privacy.mirror_row.trouble.isVisible() is refused


def test_the_look_changes_at_once(
    window: MainWindow, settings: SettingsWindow, qtbot: QtBot
) -> None:
    dark = settings.look.findChild(DrawnButton, "Appearance: Dark")
    assert dark is not None
    qtbot.mouseClick(dark, Qt.MouseButton.LeftButton)
    assert window.theme.tokens.dark
    assert saved(window).theme == "dark"


def test_reset_all_makes_everything_usual_again(
    window: MainWindow, settings: SettingsWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    settings.pictures.use_folder(tmp_path / "there")
    settings.pictures.form.setCurrentIndex(2)
    settings.pictures.carried.setCurrentIndex(1)
    settings.drawing.count.setCurrentIndex(3)
    qtbot.mouseClick(settings.drawing.previews, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(settings.drawing.awake, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(settings.look.notice, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(settings.privacy.prompts, Qt.MouseButton.LeftButton)
    assert saved(window) != Settings(theme=saved(window).theme)
    settings.reset_all()
    usual = Settings(theme=saved(window).theme)
    assert saved(window) == usual
    for section in settings.sections:
        assert all(
            row.reset.isHidden() for row in section.rows.values() if row.title != "Appearance"
        )


def test_what_cannot_be_saved_is_said_and_still_counts(
    window: MainWindow, settings: SettingsWindow
) -> None:
    file = window.easel.folders.settings
    file.unlink(missing_ok=True)
    file.mkdir()
    settings.pictures.form.setCurrentIndex(1)
    assert settings.pictures.form_row.trouble.isVisible()
    assert window.easel.library.suffix == ".jpg"
    file.rmdir()


def test_all_of_it_has_a_name_and_can_be_reached(settings: SettingsWindow, qtbot: QtBot) -> None:
    controls = [
        widget
        for widget in settings.findChildren(QWidget)
        if isinstance(widget, CONTROLS)
        and widget.isVisibleTo(settings)
        and not isinstance(widget, QScrollBar)
        and not widget.objectName().startswith("qt_")
    ]
    assert len(controls) > 15
    nameless = [
        repr(control)
        for control in controls
        if not QAccessible.queryAccessibleInterface(control).text(QAccessible.Text.Name).strip()
    ]
    assert not nameless
    settings.done_button.setFocus()
    reached: list[QWidget] = []
    while (focused := settings.focusWidget()) not in reached and focused is not None:
        reached.append(focused)
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    left_out = [
        control.accessibleName()
        for control in controls
        if control not in reached
        and control.isEnabled()
        and control.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not getattr(control, "group", lambda: None)()
    ]
    assert not left_out


def test_nothing_is_cut_off_at_the_least_size(settings: SettingsWindow, qtbot: QtBot) -> None:
    settings.resize(settings.minimumSize())

    def cut() -> list[str]:
        return [
            label.text()
            for label in settings.findChildren(QLabel)
            if label.isVisible()
            and label.wordWrap()
            and label.height() < label.heightForWidth(label.width())
        ]

    qtbot.waitUntil(lambda: not cut())
