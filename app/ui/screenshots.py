"""Pictures of the real window in each state: ``python -m app.ui.screenshots FOLDER``.

The starter draws in a real child process, the error is that process killed, and all of it happens
in a folder of its own. Run it with ``QT_QPA_PLATFORM=offscreen`` where there is no screen.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QImage, QImageWriter, QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.compose import Easel
from app.core.errors import AccessNeeded
from app.core.settings import Settings
from app.jobs.deliveries import Delivery, DeliveryState
from app.places import find_folders, find_shipped
from app.ui.connections_window import ConnectionsWindow
from app.ui.interactions import Interactions
from app.ui.item import Stage
from app.ui.main_window import MainWindow
from app.ui.models_window import ModelsWindow
from app.ui.theme import Theme
from app.ui.window_app import make_app

LOOKS = ("light", "dark")
SIZE = (1120, 740)
PATIENCE_S = 180.0
SEED = 20
EARLIER = (
    "a castle on a pink background",
    "a penguin",
    "a yellow star on a blue background",
    "a green umbrella",
    "a rocket on a black background",
)
"""What lies in the filmstrip when the red apple is drawn."""


class Photographer:
    """Takes a window through its states and photographs each in light and dark."""

    def __init__(self, app: QApplication, theme: Theme, folder: Path, home: Path) -> None:
        self._app = app
        self._theme = theme
        self._folder = folder
        self._home = home
        self._later: list[tuple[QImage, Path]] = []

    def all(self) -> None:
        """Every state, in the order a person meets them."""
        with self._window(shipped=None) as window:
            self._first_run(window)
            self._models(window)
            self._adding(window)
            self._errands(window)
            self._connections(window)
            self._typing(window)
            self._words(window)
            self._finished(window)
            self._gallery(window)
            self._part(window)
            self._queue(window)
            self._error(window)
        with self._window(shipped=self._without_starter()) as window:
            self._shoot(window, "no-model")
        self._save()

    # The states

    def _first_run(self, window: MainWindow) -> None:
        window.prompt.editor.setFocus(Qt.FocusReason.OtherFocusReason)
        self._shoot(window, "first-run")

    def _models(self, window: MainWindow) -> None:
        models = self._open_models(window)
        # 1. One of them comes in. Nothing is fetched: this is what a row would hear.
        row = next(row for row in models.rows.values() if row.entry.recommended)
        card = row.entry.card
        assert card is not None
        running, total = DeliveryState.RUNNING, card.download_bytes
        coming = Delivery(card.id, card.title, running, 612_000_000, total, 9_000_000)
        before = row.entry
        row.show_entry(replace(before, delivery=coming))
        self._shoot(window, "models", models)
        # 2. The licence of that one
        row.show_entry(before)
        row.button.click()
        sheet = models.sheet
        assert sheet is not None
        self._shoot(window, "licence", sheet)
        sheet.reject()
        models.close()

    def _open_models(self, window: MainWindow) -> ModelsWindow:
        models = window.getting.open_models()
        self._rest(0.2)  # it lists everything anew when it comes to the front
        return models

    def _adding(self, window: MainWindow) -> None:
        models = self._open_models(window)
        # 1. A name, and what it turned out to be. Nobody is asked: the card is one of the shelf.
        adding = models.questions.ask_for_name()
        self._shoot(window, "add", adding)
        adding.name.edit.setText("stable-diffusion-v1-5/stable-diffusion-v1-5")
        adding.show_found(window.easel.shelf.card("sd-1.5"))
        self._shoot(window, "add-found", adding)
        adding.reject()
        # 2. A model that its makers let in only some to
        needed = AccessNeeded("stabilityai/some-model", "gated")
        models.questions.ask_for_access(needed, lambda: None)
        access = models.questions.access
        assert access is not None
        self._shoot(window, "access", access)
        access.reject()
        models.close()

    def _errands(self, window: MainWindow) -> None:
        models = self._open_models(window)
        # 1. One that was interrupted, one that another Easel gets, and models on their way
        paused, other = models.rows["sd-1.5"], models.rows["sd-1.4"]
        card = window.easel.shelf.card("sd-1.5")
        left = Delivery("sd-1.5", card.title, DeliveryState.PAUSED, 612_000_000, 2_100_000_000)
        waits = Delivery("sd-1.4", "", DeliveryState.RUNNING, stage="another Easel")
        paused.show_entry(replace(paused.entry, recommended=False, delivery=left))
        other.show_entry(replace(other.entry, delivery=waits))
        models.strip.begin("Copying the models to /Volumes/Big/Easel Models")
        models.strip.count(3_200_000_000, 8_400_000_000)
        self._shoot(window, "models-moving", models)
        # 2. A disk that is gone
        models.strip.hide()
        models.strip.running = False
        here = window.easel.folders
        window.easel.folders = replace(here, models=Path("/Volumes/Big/Easel Models"))
        models.refresh()
        self._shoot(window, "models-gone", models)
        window.easel.folders = here
        models.close()

    def _connections(self, window: MainWindow) -> None:
        ledger = window.easel.shelf.ledger
        for name, size in (("unet", 1_719_125_304), ("vae", 167_335_342), ("text_encoder", 0)):
            ledger.note("huggingface.co", f"Stable Diffusion 1.5: {name}/config.json", 1_201)
            ledger.note("cdn-lfs.huggingface.co", f"Stable Diffusion 1.5: {name}/model", size)
        window.getting.show_connections()
        shown = next(iter(window.findChildren(ConnectionsWindow)))
        self._shoot(window, "connections", shown)
        shown.close()

    def _typing(self, window: MainWindow) -> None:
        window.prompt.editor.setFocus()
        for letter in "a red pe":
            self._type(window, letter)
        self._shoot(window, "typing")
        window.prompt.set_text("")

    def _words(self, window: MainWindow) -> None:
        fold = _interactions(window).wording.fold
        window.prompt.set_text("a red dragonfly on a blue background ")
        if fold is not None:
            fold.open_panel()
        _interactions(window).wording.unknown.look()
        self._shoot(window, "words")
        if fold is not None:
            fold.close_panel()
        window.prompt.editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def _finished(self, window: MainWindow) -> None:
        for drawn, prompt in enumerate((*EARLIER, "a red apple"), 1):
            window.prompt.set_text(prompt)
            window.inspector.seed.set_seed(SEED)
            window.generate()
            if drawn > len(EARLIER):
                self._wait(lambda: _live_step(window) >= 7)
                self._shoot(window, "drawing")
            self._wait(lambda count=drawn: _done(window) == count)  # type: ignore[misc]
        self._shoot(window, "finished")

    def _gallery(self, window: MainWindow) -> None:
        # 1. All, two of them marked
        window.views.show_gallery()
        page = window.views.page
        assert page is not None
        self._wait(lambda: page.pictures.rowCount() == len(EARLIER) + 1)
        self._wait(lambda: all(page.thumbs.get(e) for e in page.pictures.entries(range(6))))
        page.actions_.set_favourite(page.pictures.entries((0, 3)), True)
        page.grid.choose(1)
        self._shoot(window, "gallery")
        # 2. One large, two compared, nothing found
        entries = page.pictures.entries(range(6))
        page.view(entries[0])
        viewer = page.viewer
        assert viewer is not None
        self._wait(lambda: viewer.photo.image is not None)
        self._shoot(window, "viewer")
        page.compare(entries[0], entries[2])
        comparer = page.comparer
        assert comparer is not None
        self._wait(lambda: comparer.found is not None)
        self._shoot(window, "compare")
        page.browse()
        page.bar.search.edit.setText("walrus")
        self._wait(page.empty.isVisible)
        self._shoot(window, "nothing-found")
        page.bar.clear()
        window.views.show_draw()

    def _part(self, window: MainWindow) -> None:
        joined = _interactions(window)
        joined.actions.redraw.trigger()
        self._wait(lambda: joined.starting.editor is not None)
        editor = joined.starting.editor
        assert editor is not None
        surface, side = editor.surface, editor.surface.layer.image.width()
        surface.layer.begin(QPointF(side * 0.3, side * 0.62), side / 6, erase=False)
        for x, y in ((0.45, 0.74), (0.6, 0.74), (0.72, 0.6)):
            surface.changed(surface.layer.move(QPointF(side * x, side * y)))
        surface.layer.end()
        surface.painted.emit()
        window.prompt.set_text("an orange")
        self._shoot(window, "part")
        joined.starting.stop_editing()
        joined.starting.panel.clear()
        joined.starting.fold.close_panel()

    def _queue(self, window: MainWindow) -> None:
        window.prompt.set_text("a blue car")
        window.inspector.fill(count=4)
        window.generate()
        self._wait(lambda: _done(window) >= len(EARLIER) + 2 and _live_step(window) >= 9)
        self._shoot(window, "queue")

    def _error(self, window: MainWindow) -> None:
        while window.desk.busy:
            for child in multiprocessing.active_children():
                child.kill()
            self._rest(0.3)
        self._wait(lambda: any(i.stage is Stage.FAILED for i in window.desk.items()))
        self._shoot(window, "error")

    # What they are made of

    @contextmanager
    def _window(self, shipped: Path | None) -> Iterator[MainWindow]:
        folders = find_folders({**os.environ, "EASEL_HOME": str(self._home)})
        if shipped is not None:
            folders = replace(folders, shipped=shipped)
        window = MainWindow(Easel(folders, Settings()), self._theme)
        begun: list[bool] = []
        window.begun.connect(lambda: begun.append(True))
        window.resize(*SIZE)
        window.show()
        self._wait(lambda: bool(begun))
        window.activateWindow()
        self._wait(window.isActiveWindow)
        yield window
        window.leave()
        window.deleteLater()
        self._rest(0.1)

    def _without_starter(self) -> Path:
        """What ships, but for the starter's own folder."""
        shipped = self._home / "Easel"
        shutil.copytree(find_shipped() / "models" / "catalog", shipped / "models" / "catalog")
        return shipped

    def _type(self, window: MainWindow, letter: str) -> None:
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            none = Qt.KeyboardModifier.NoModifier
            event = QKeyEvent(kind, ord(letter.upper()), none, letter)
            QApplication.sendEvent(window.prompt.editor, event)

    def _shoot(self, window: MainWindow, state: str, part: QWidget | None = None) -> None:
        self._rest(0.4 if not window.desk.busy else 0.0)
        taken = {}
        for look in LOOKS:
            self._theme.choose(look)
            taken[look] = (part or window).grab().toImage()
        self._theme.choose(LOOKS[0])
        for look, image in taken.items():
            self._later.append((image, self._folder / f"{state}-{look}.png"))

    def _save(self) -> None:
        # Packing takes a while: none of it happens while something is drawn.
        for image, file in self._later:
            writer = QImageWriter(str(file))
            writer.setCompression(100)
            if not writer.write(_coarser(image)):
                raise OSError(f"{file}: {writer.errorString()}")

    def _wait(self, until: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not until():
            if time.monotonic() > end:
                raise TimeoutError("the window did not get there")
            self._rest(0.01)

    def _rest(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while True:
            self._app.processEvents()
            if time.monotonic() >= end:
                return
            time.sleep(0.005)


def _coarser(image: QImage) -> QImage:
    """``image`` in steps of three a channel: nobody sees it, and the file is a quarter smaller."""
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    steps = bytes(255 if value == 255 else round(value / 3) * 3 for value in range(256))
    data = bytes(rgb.constBits()).translate(steps)
    made = QImage(data, rgb.width(), rgb.height(), rgb.bytesPerLine(), rgb.format())
    return made.copy()  # it owns its memory then


def _interactions(window: MainWindow) -> Interactions:
    found = window.findChild(Interactions)
    assert isinstance(found, Interactions)
    return found


def _live_step(window: MainWindow) -> int:
    live = window.desk.live
    return live.step if live is not None else 0


def _done(window: MainWindow) -> int:
    return sum(item.stage is Stage.DONE for item in window.desk.items())


def main(arguments: list[str]) -> int:
    """Write the pictures into the folder named; the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("python -m app.ui.screenshots FOLDER\n")
        return 2
    folder = Path(arguments[0]).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    app = make_app()
    with tempfile.TemporaryDirectory(prefix="easel-") as home:
        Photographer(app, Theme(app, LOOKS[0]), folder, Path(home)).all()
    return 0


if __name__ == "__main__":
    multiprocessing.freeze_support()
    sys.exit(main(sys.argv[1:]))
