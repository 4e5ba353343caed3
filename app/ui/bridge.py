"""From the session's threads to the window's: events in order, steps at most ten a second."""

from __future__ import annotations

import threading
from collections import deque
from time import monotonic

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.core.events import Stepped
from app.jobs.events import SessionEvent

GAP = 0.1
"""Least seconds between two steps shown: ten a second."""


class Bridge(QObject):
    """Hands session events to the window's thread in order; of steps in a row, the newest.

    ``listen`` may be called from any thread; ``happened`` is emitted on the thread this object
    lives in. A step that comes too soon after another waits for a newer one to take its place,
    or for something else to happen, before which it is told.
    """

    happened = Signal(object)
    _arrived = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._waiting: deque[SessionEvent] = deque()
        self._shown_at = 0.0
        self._closed = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tell)
        self._arrived.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    def listen(self, event: SessionEvent) -> None:
        """Take ``event`` from whatever thread."""
        with self._lock:
            last = self._waiting[-1] if self._waiting else None
            if isinstance(event, Stepped) and isinstance(last, Stepped) and last.job == event.job:
                self._waiting[-1] = _newer(last, event)
                return
            self._waiting.append(event)
        self._arrived.emit()

    def close(self) -> None:
        """Deliver nothing more."""
        self._closed = True
        self._timer.stop()

    def _tell(self) -> None:
        while not self._closed:
            with self._lock:
                if not self._waiting:
                    return
                too_soon = self._shown_at + GAP - monotonic()
                alone = len(self._waiting) == 1 and isinstance(self._waiting[0], Stepped)
                if alone and too_soon > 0:
                    break
                event = self._waiting.popleft()
            if isinstance(event, Stepped):
                self._shown_at = monotonic()
            self.happened.emit(event)
        if not self._closed and not self._timer.isActive():
            self._timer.start(max(1, round(too_soon * 1000)))


def _newer(old: Stepped, new: Stepped) -> Stepped:
    """``new``, with the preview of ``old`` where it has none itself."""
    if new.preview is not None:
        return new
    return Stepped(new.job, new.step, new.steps, old.preview)
