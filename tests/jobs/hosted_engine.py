"""A host seen as an engine, so that the engines' conformance suite holds hosts as well."""

from __future__ import annotations

import queue
from collections.abc import Callable

from app.core.events import Cancelled, Failed, Finished, Progress, Task
from app.core.placement import Placement
from app.engine.contract import IsCancelled, Report
from app.jobs.host import Died, Host, HostEvent, Ready, Starting
from tests.jobs.hearing import PATIENCE


class HostedEngine:
    """Hands each event of a job to the caller's thread, and lets the host go on after it is done.

    So a cancel that follows from an event reaches the host before its next event.
    """

    def __init__(self, make_host: Callable[[], Host]) -> None:
        self._host = make_host()
        self._events: queue.SimpleQueue[HostEvent] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._placements: tuple[Placement, ...] = ()
        self._closed = False
        self._host.start(self._on_event)

    def placements(self) -> tuple[Placement, ...]:
        while not self._placements:
            event = self._events.get(timeout=PATIENCE)
            if isinstance(event, Died):
                raise event.error
            if isinstance(event, Ready):
                self._placements = event.placements
        return self._placements

    def draw(self, task: Task, report: Report, cancelled: IsCancelled) -> Finished | Cancelled:
        if self._closed:
            raise RuntimeError("the engine is closed")
        self._host.draw(task)
        while True:
            if cancelled():
                self._host.cancel(task.job)
            event = self._events.get(timeout=PATIENCE)
            if isinstance(event, Starting | Ready | Died):
                continue
            try:
                if isinstance(event, Failed):
                    raise event.error
                if not isinstance(event, Progress):
                    return event
                report(event)
                if cancelled():
                    self._host.cancel(task.job)
            finally:
                self._done.put(None)

    def close(self) -> None:
        self._closed = True
        self._host.close()

    def _on_event(self, event: HostEvent) -> None:
        self._events.put(event)
        if not isinstance(event, Starting | Ready | Died):
            self._done.get(timeout=PATIENCE)
