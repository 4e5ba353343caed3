"""Keeps the gallery true to the folders: watches them, and looks again when they change."""

from __future__ import annotations

import contextlib
import threading
from time import monotonic

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

from app.core.errors import EaselError
from app.library.gallery import Gallery, Refreshed
from app.ui.background import Background

SETTLE_MS = 400
"""A program that writes many files is let finish a few first."""
SHOW_EVERY_S = 0.5
AT_ONCE = 50
"""Files; where more are new, it is said how far it is."""


class Keeper(QObject):
    """``changed``: other pictures may be listed now. All signals are on the window's thread.

    ``reading`` carries (done, of) while many are new, and (0, 0) when that is over.
    """

    changed = Signal()
    reading = Signal(int, int)
    problem = Signal(object)
    settled = Signal()
    """All of the folders was looked at, and nothing more is to be done."""

    def __init__(self, gallery: Gallery, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._gallery = gallery
        self._background = Background(self)
        self._stop = threading.Event()
        self._busy = self._again = False
        self._shown_at = 0.0
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SETTLE_MS)
        self._soon.timeout.connect(self.look)
        self._watcher = QFileSystemWatcher(self)
        self._watcher.directoryChanged.connect(lambda _folder: self._soon.start())

    def look(self) -> None:
        """Look at the folders now, or once more after that where it is being done."""
        if self._busy:
            self._again = True
            return
        if self._stop.is_set():
            return
        self._busy, self._again = True, False
        self._tell()
        self._background.run(self._refresh, self._refreshed, self._failed)

    def close(self) -> None:
        """Stop, and wait for it; what was listed so far stays."""
        self._stop.set()
        self._soon.stop()
        self._background.wait()

    # On the thread.

    def _refresh(self) -> tuple[Refreshed, tuple[str, ...]]:
        while True:
            done = self._gallery.refresh(self._stop.is_set, self._report)
            if done.whole or self._stop.is_set():
                return done, tuple(str(folder) for folder in self._gallery.folders())

    def _report(self, done: int, of: int) -> None:
        now = monotonic()
        if of > AT_ONCE and now - self._shown_at >= SHOW_EVERY_S:
            self._shown_at = now
            with contextlib.suppress(RuntimeError):  # the window has been closed meanwhile
                self.reading.emit(done, of)
                self.changed.emit()

    # On the window's.

    def _refreshed(self, done: tuple[Refreshed, tuple[str, ...]]) -> None:
        refreshed, folders = done
        self._watch(folders)
        self._end()
        if refreshed.changed:
            self.changed.emit()
        if self._again:
            self.look()
        else:
            self.settled.emit()

    def _failed(self, error: EaselError) -> None:
        self._end()
        self.problem.emit(error)

    def _end(self) -> None:
        self._busy = False
        self.reading.emit(0, 0)
        self._tell()

    def _tell(self) -> None:
        for error in self._gallery.problems():
            self.problem.emit(error)

    def _watch(self, folders: tuple[str, ...]) -> None:
        watched = set(self._watcher.directories())
        gone, new = watched - set(folders), [f for f in folders if f not in watched]
        if gone:
            self._watcher.removePaths(list(gone))
        if new:
            self._watcher.addPaths(new)
