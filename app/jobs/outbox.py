"""Tells events to whoever listens, in order, on a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from app.jobs.events import Listener, SessionEvent

log = logging.getLogger(__name__)


class Outbox:
    """A slow or failing listener holds up other listeners, never whoever puts events in."""

    def __init__(self) -> None:
        self._events: SimpleQueue[SessionEvent | None] = SimpleQueue()
        self._listeners: tuple[Listener, ...] = ()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._deliver, name="easel-events", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, event: SessionEvent) -> None:
        self._events.put(event)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell ``listener`` every event from now on; call what is returned to end that."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def end() -> None:
            with self._lock:
                self._listeners = tuple(x for x in self._listeners if x is not listener)

        return end

    def close(self, seconds: float) -> None:
        """Deliver what is in, and end; waits for at most ``seconds``."""
        self._events.put(None)
        if self._thread is not threading.current_thread():
            self._thread.join(seconds)

    def _deliver(self) -> None:
        while (event := self._events.get()) is not None:
            for listener in self._listeners:
                try:
                    listener(event)
                except Exception:
                    log.exception("a listener failed")
