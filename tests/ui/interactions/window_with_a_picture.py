"""The real window with one picture drawn in it, as a program of its own, for another to take from.

Says on stdout where things are on the screen, one JSON line; ends when stdin does.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PySide6.QtCore import QPoint, QSocketNotifier, QTimer
from PySide6.QtWidgets import QWidget

from app.compose import Easel
from app.core.settings import Settings
from app.places import find_folders
from app.ui.desk import Desk
from app.ui.item import Item
from app.ui.main_window import MainWindow
from app.ui.theme import Theme
from app.ui.window_app import make_app
from tests.engine.numpy_engine import make_numpy_engine, numpy_model


def main() -> int:
    app = make_app()
    easel = Easel(find_folders(), Settings(), make_engine=make_numpy_engine)
    window = MainWindow(easel, Theme(app, "light"))

    window.setGeometry(0, 0, 900, 700)
    window.show()
    window.begun.connect(lambda: _draw(window))
    ended = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read)
    ended.activated.connect(window.leave)
    return app.exec()


def _draw(window: MainWindow) -> None:
    window.models.choose(numpy_model(Path.cwd()))
    # Once the pill has its place under the finished picture
    window.desk.finished.connect(
        lambda item: QTimer.singleShot(0, lambda: _say_where(window, item))
    )
    window.prompt.set_text("a red apple")
    window.generate()


def _say_where(window: MainWindow, item: Item) -> None:
    canvas, strip, desk = window.canvas, window.filmstrip, window.desk
    handle, copy = (_button(canvas.pill, name) for name in ("Drag me out", "Copy"))
    tile = strip.visualRect(desk.index(Desk.row_of(desk, item)))
    assert item.picture is not None
    places = {
        "file": str(item.picture.file),
        "canvas": _on_screen(canvas, canvas.picture_rect().center()),
        "filmstrip": _on_screen(strip.viewport(), tile.center()),
        "handle": _on_screen(handle, handle.rect().center()),
        "copy": _on_screen(copy, copy.rect().center()),
    }
    sys.stdout.write(f"{json.dumps(places)}\n")
    sys.stdout.flush()


def _button(pill: QWidget, name: str) -> QWidget:
    return next(one for one in pill.findChildren(QWidget) if one.accessibleName() == name)


def _on_screen(widget: QWidget, point: QPoint) -> list[int]:
    there = widget.mapToGlobal(point)
    return [there.x(), there.y()]


if __name__ == "__main__":
    sys.exit(main())
