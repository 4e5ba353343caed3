"""The path of a prompt through the window: typed, drawn, saved, seen; and what may go wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from app.core.errors import EngineDied, FolderNotWritable, NotFinite
from app.core.recipe import Size
from app.library.library import read_picture
from app.ui.error_card import ErrorCard
from app.ui.item import Stage
from app.ui.main_window import MainWindow
from tests.ui.numpy_easel import LIMIT, NumpyEasel, again

Open = Callable[[NumpyEasel], MainWindow]


def done(window: MainWindow, count: int) -> Callable[[], bool]:
    """Whether ``count`` pictures lie on the desk and nothing is drawn any more."""
    return lambda: window.desk.rowCount() == count and not window.desk.busy


def error_card(window: MainWindow) -> ErrorCard:
    cover = window.canvas.cover
    assert isinstance(cover, ErrorCard)
    return cover


def test_a_typed_prompt_becomes_a_saved_picture_that_is_shown(
    window: MainWindow, qtbot: QtBot
) -> None:
    qtbot.keyClicks(window.prompt.editor, "a red apple")
    qtbot.mouseClick(window.prompt.generate_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.canvas.shown() is not None)

    shown = window.canvas.shown()
    assert shown is not None
    assert shown.picture is not None
    assert shown.recipe.prompt == "a red apple"
    assert read_picture(shown.picture.file).recipe == shown.recipe
    assert (shown.image.width(), shown.image.height()) == (64, 64)
    assert window.canvas.pill.isVisible()
    assert not window.canvas.progress.isVisible()


def test_the_keyboard_alone_draws_and_stops(window: MainWindow, qtbot: QtBot) -> None:
    easel = window.easel
    assert isinstance(easel, NumpyEasel)
    easel.engine.hold()
    qtbot.keyClicks(window.prompt.editor, "a cat")
    qtbot.keyClick(window.prompt.editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.desk.live is not None and window.desk.live.step == 2)
    qtbot.keyClick(window.prompt.editor, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(done(window, 0))

    assert not window.desk
    assert not list(easel.folders.pictures.rglob("*.png"))
    assert window.prompt.text() == "a cat"


def test_while_drawing_the_picture_sharpens_and_progress_is_told(
    window: MainWindow, qtbot: QtBot
) -> None:
    easel = window.easel
    assert isinstance(easel, NumpyEasel)
    easel.engine.hold()
    window.prompt.set_text("a cat")
    window.inspector.fill(count=2)
    window.generate()
    qtbot.waitUntil(lambda: window.desk.live is not None and window.desk.live.step == 2)

    live = window.desk.live
    assert live is not None
    assert live.preview is not None
    assert window.canvas.progress.isVisible()
    assert window.canvas.progress.accessibleName().startswith("Picture 1 of 2. Step 2 of 6")
    assert window.prompt.stop_button.isVisible()
    before = window.canvas.picture_rect()
    easel.engine.release()
    qtbot.waitUntil(done(window, 2))
    assert window.canvas.picture_rect() == before, "the finished picture jumped"


def test_four_pictures_have_seeds_in_a_row_and_keep_their_places(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.prompt.set_text("a cat")
    window.inspector.fill(count=4)
    window.inspector.seed.set_seed(100)
    window.generate()
    qtbot.waitUntil(done(window, 4))

    assert [item.recipe.seed for item in window.desk.items()] == [103, 102, 101, 100]
    assert all(item.stage is Stage.DONE for item in window.desk.items())
    assert window.filmstrip.isVisible()


def test_a_waiting_picture_can_be_stopped_alone(window: MainWindow, qtbot: QtBot) -> None:
    easel = window.easel
    assert isinstance(easel, NumpyEasel)
    easel.engine.hold()
    window.prompt.set_text("a cat")
    window.inspector.fill(count=3)
    window.inspector.seed.set_seed(10)
    window.generate()
    qtbot.waitUntil(lambda: window.desk.live is not None)
    window.filmstrip.stop_wanted.emit(window.desk.items()[1])
    qtbot.waitUntil(lambda: window.desk.rowCount() == 2)
    easel.engine.release()
    qtbot.waitUntil(done(window, 2))

    assert [item.recipe.seed for item in window.desk.items()] == [12, 10]


def test_generate_while_drawing_queues_behind(window: MainWindow, qtbot: QtBot) -> None:
    easel = window.easel
    assert isinstance(easel, NumpyEasel)
    easel.engine.hold()
    for prompt in ("a cat", "a dog"):
        window.prompt.set_text(prompt)
        window.generate()
    qtbot.waitUntil(lambda: window.desk.rowCount() == 2 and window.desk.live is not None)
    assert window.prompt.generate_button.text() == "Queue"
    easel.engine.release()
    qtbot.waitUntil(done(window, 2))

    assert [item.recipe.prompt for item in window.desk.items()] == ["a dog", "a cat"]
    assert window.prompt.generate_button.text() == "Generate"


def test_an_engine_that_dies_keeps_the_prompt_and_draws_again(
    window: MainWindow, qtbot: QtBot
) -> None:
    easel = window.easel
    assert isinstance(easel, NumpyEasel)
    easel.engine.errors = [EngineDied(-9)]
    window.prompt.set_text("a cat")
    window.inspector.seed.set_seed(5)
    window.generate()
    qtbot.waitUntil(lambda: isinstance(window.canvas.cover, ErrorCard))

    card = error_card(window)
    assert card.error == EngineDied(-9)
    assert "EngineDied" in card.details()
    assert window.prompt.text() == "a cat"
    qtbot.mouseClick(card.again_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.canvas.shown() is not None)
    assert [item.recipe.seed for item in window.desk.items()] == [5]
    assert window.canvas.cover is None


def test_a_failed_picture_can_be_put_away(window: MainWindow, qtbot: QtBot) -> None:
    easel = window.easel
    assert isinstance(easel, NumpyEasel)
    easel.engine.errors = [NotFinite("denoising")]
    window.prompt.set_text("a cat")
    window.generate()
    qtbot.waitUntil(lambda: isinstance(window.canvas.cover, ErrorCard))
    qtbot.mouseClick(error_card(window).close_button, Qt.MouseButton.LeftButton)

    assert not window.desk
    assert window.canvas.cover is window.notices.first_run


def test_an_empty_prompt_is_refused_in_a_sentence(window: MainWindow) -> None:
    window.prompt.set_text("  ")
    window.generate()

    assert not window.desk
    assert window.notices.toast.isVisible()
    assert "nothing to draw" in window.notices.toast.text


def test_a_picture_in_the_other_folder_is_told(
    open_window: Open, easel: NumpyEasel, qtbot: QtBot
) -> None:
    easel.folders.pictures.write_text("a file where the folder should be")
    window = open_window(easel)
    window.prompt.set_text("a cat")
    window.generate()
    qtbot.waitUntil(lambda: window.canvas.shown() is not None)

    shown = window.canvas.shown()
    assert shown is not None
    assert shown.picture is not None
    assert isinstance(shown.picture.fell_back, FolderNotWritable)
    assert shown.picture.file.is_file()
    assert window.notices.toast.isVisible()


def test_a_prompt_past_the_limit_is_marked_where_it_is_cut(
    window: MainWindow, qtbot: QtBot
) -> None:
    words = [f"word{i}" for i in range(LIMIT)]
    window.prompt.set_text("🍎 " + " ".join(words))
    qtbot.waitUntil(lambda: window.prompt.editor.cut_from is not None)

    text = "🍎 " + " ".join(words[:-1])
    assert window.prompt.editor.cut_from == len(text.encode("utf-16-le")) // 2
    assert window.prompt.tokens.text() == f"{LIMIT + 1} of {LIMIT}"
    window.prompt.set_text("short")
    qtbot.waitUntil(lambda: window.prompt.tokens.text() == f"1 of {LIMIT}")
    assert window.prompt.editor.cut_from is None


def test_strange_prompts_are_drawn_or_refused_but_never_lost(
    window: MainWindow, qtbot: QtBot
) -> None:
    prompts = ("تفاحة حمراء", "🍎🍏", "a\u0000b", "word " * 10_000)
    for number, prompt in enumerate(prompts, 1):
        window.prompt.set_text(prompt)
        kept = window.prompt.text()
        window.generate()
        qtbot.waitUntil(done(window, number))
        assert window.prompt.text() == kept


def test_closing_while_drawing_asks_and_keeps_drawing(window: MainWindow, qtbot: QtBot) -> None:
    easel = window.easel
    assert isinstance(easel, NumpyEasel)
    easel.engine.hold()
    window.prompt.set_text("a cat")
    window.generate()
    qtbot.waitUntil(lambda: window.desk.live is not None)
    assert not window.close()

    box = window.findChild(QMessageBox, "closing")
    assert isinstance(box, QMessageBox)
    keep = next(button for button in box.buttons() if button.text() == "Keep drawing")
    qtbot.mouseClick(keep, Qt.MouseButton.LeftButton)
    assert window.isVisible()
    easel.engine.release()
    qtbot.waitUntil(lambda: window.canvas.shown() is not None)


def test_what_was_not_finished_is_offered_at_the_next_start(
    open_window: Open, easel: NumpyEasel, qtbot: QtBot
) -> None:
    first = open_window(easel)
    easel.engine.hold()
    first.prompt.set_text("a cat")
    first.inspector.fill(count=2)
    first.generate()
    qtbot.waitUntil(lambda: first.desk.live is not None)
    first.close()
    box = first.findChild(QMessageBox, "closing")
    assert isinstance(box, QMessageBox)
    go = next(button for button in box.buttons() if button.text() == "Stop and close")
    qtbot.mouseClick(go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not first.isVisible())

    second = open_window(again(easel))
    assert second.prompt.text() == "a cat"
    toast = second.notices.toast
    assert toast.text == "2 pictures were not finished last time."
    qtbot.mouseClick(toast.action_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: second.desk.rowCount() == 2 and not second.desk.busy)


def test_the_form_and_the_window_are_as_they_were(open_window: Open, easel: NumpyEasel) -> None:
    first = open_window(easel)
    first.prompt.set_text("an owl, 🦉")
    first.inspector.fill(size=Size(48, 64), steps=12, guidance=3.5, count=3)
    first.inspector.seed.set_seed(77)
    first.inspector.seed.set_locked(True)
    first.toolbar.inspector_button.click()
    first.set_look("dark")
    first.resize(900, 640)
    first.close()

    second = open_window(again(easel))
    draft = second.form.draft()
    assert (draft.prompt, draft.size, draft.steps) == ("an owl, 🦉", Size(48, 64), 12)
    assert (draft.guidance, draft.count, draft.seed) == (3.5, 3, 77)
    assert second.inspector.seed.locked
    assert not second.inspector.isVisible()
    assert second.easel.settings.theme == "dark"
    assert (second.width(), second.height()) == (900, 640)


def test_a_folder_that_is_no_model_says_so_and_changes_nothing(
    window: MainWindow, tmp_path: Path
) -> None:
    before = window.model()
    assert not window.models.open_folder(tmp_path)

    assert error_card(window).again_button.text() == "Another folder…"
    assert window.model() == before


def test_without_any_model_the_window_says_why(open_window: Open, tmp_path: Path) -> None:
    class Bare(NumpyEasel):
        def _models(self):  # type: ignore[no-untyped-def]
            return iter(())

    window = open_window(Bare(tmp_path / "bare"))
    assert error_card(window).again_button.text() == "Open a folder…"
    assert error_card(window).get_button.text() == "Get a model…"
    window.prompt.set_text("a cat")
    window.generate()
    assert not window.desk
