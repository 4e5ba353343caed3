"""An app that was started out of its disk image, or out of a download, is offered a place to stay.

Only in a bundle on a Mac, after the window is there.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QProcess, Qt, QThreadPool, Signal
from PySide6.QtWidgets import QMessageBox

from app.core.app_place import AppPlace, app_of, place_of
from app.core.errors import EaselError

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow

APPLICATIONS = (Path("/Applications"), Path("~/Applications"))
_WHY = {
    AppPlace.DISK_IMAGE: "Easel is running from its disk image, which is gone when it is ejected.",
    AppPlace.TRANSLOCATED: (
        "Easel was opened where it was downloaded, and macOS runs it from a hidden copy."
    ),
}
# Waits for the process $1 to end, then opens $2: there is one Easel window at a time.
_OPEN_AFTER = 'while kill -0 "$1" 2>/dev/null; do sleep 0.1; done; exec /usr/bin/open "$2"'


def offer(window: MainWindow, executable: Path) -> QMessageBox | None:
    """Ask whether to move, where there is a reason to; None where there is none."""
    app, place = app_of(executable), place_of(executable, _is_read_only(executable))
    if app is None or place is AppPlace.SETTLED:
        return None
    box = QMessageBox(window)
    box.setObjectName("settling")
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle("Easel")
    box.setText("Move Easel to Applications?")
    box.setInformativeText(
        f"{_WHY[place]} In Applications it stays, and is found again. Your pictures and models are "
        "elsewhere and are not touched."
    )
    move = box.addButton("Move to Applications", QMessageBox.ButtonRole.AcceptRole)
    later = box.addButton("Not now", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(move)
    box.setEscapeButton(later)
    mover = Mover(window, Path(app), APPLICATIONS)
    box.buttonClicked.connect(lambda button: mover.start() if button is move else None)
    box.open()
    return box


class Mover(QObject):
    """Copies the app on a thread of its own, then starts the copy in this one's place."""

    moved = Signal(object)
    """The path of the copy, or what went wrong."""

    def __init__(self, window: MainWindow, app: Path, folders: Sequence[Path]) -> None:
        super().__init__(window)
        self._window, self._app = window, app
        self._folders = [folder.expanduser() for folder in folders]
        self._pool = QThreadPool(self)
        self.moved.connect(self._end, Qt.ConnectionType.QueuedConnection)
        window.closing.connect(self._pool.waitForDone)

    def start(self) -> None:
        """Begin to copy; the window goes on meanwhile."""
        self._window.toast("Moving Easel to Applications…")
        self._pool.start(self._copy)

    def _copy(self) -> None:
        from app.files.app_move import copy_app

        try:
            self.moved.emit(copy_app(self._app, self._folders))
        except EaselError as error:
            self.moved.emit(error)

    def _end(self, result: Path | EaselError) -> None:
        if isinstance(result, EaselError):
            self._window.show_error(result)
            return
        self._window.closing.connect(lambda: self._open(result))
        self._window.close()  # which asks first while something is being drawn

    def _open(self, app: Path) -> None:
        QProcess.startDetached("/bin/sh", ["-c", _OPEN_AFTER, "sh", str(os.getpid()), str(app)])


def _is_read_only(file: Path) -> bool:
    try:
        return bool(os.statvfs(file).f_flag & os.ST_RDONLY)
    except OSError:
        return False
