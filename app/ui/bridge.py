"""From the session's threads to the window's: events become one queued Qt signal."""

from __future__ import annotations

import threading
from time import monotonic

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.core.events import Stepped
from app.jobs.events import SessionEvent

GAP = 0.1
"""Least seconds between two steps shown: ten a second."""


class Bridge(QObject):
    """Hands session events to the window's thread, in order; of steps only the newest.

    ``listen`` may be called from any thread; ``happened`` is emitted on the thread this object
    lives in. A step that comes too soon after another waits, and is replaced by a newer one; any
    other event takes the waiting step with it, so that nothing overtakes.
    """

    happened = Signal(object)
    _arrived = Signal(object)
    _stepped = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._step: Stepped | None = None
        self._shown_at = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._show_step)
        self._arrived.connect(self._take, Qt.ConnectionType.QueuedConnection)
        self._stepped.connect(self._soon, Qt.ConnectionType.QueuedConnection)

    def listen(self, event: SessionEvent) -> None:
        """Take ``event`` from whatever thread."""
        if isinstance(event, Stepped):
            with self._lock:
                waiting, self._step = self._step, _newer(self._step, event)
            if waiting is None:
                self._stepped.emit()
            return
        self._arrived.emit(event)

    def close(self) -> None:
        """Deliver nothing more."""
        self._timer.stop()
        self._arrived.disconnect()
        self._stepped.disconnect()

    def _take(self, event: SessionEvent) -> None:
        self._show_step()
        self.happened.emit(event)

    def _soon(self) -> None:
        wait = self._shown_at + GAP - monotonic()
        if wait <= 0:
            self._show_step()
        elif not self._timer.isActive():
            self._timer.start(max(1, round(wait * 1000)))

    def _show_step(self) -> None:
        self._timer.stop()
        with self._lock:
            step, self._step = self._step, None
        if step is not None:
            self._shown_at = monotonic()
            self.happened.emit(step)


def _newer(old: Stepped | None, new: Stepped) -> Stepped:
    """``new``, with the preview of ``old`` where it has none itself and both are of one job."""
    if old is None or new.preview is not None or old.job != new.job:
        return new
    return Stepped(new.job, new.step, new.steps, old.preview)
