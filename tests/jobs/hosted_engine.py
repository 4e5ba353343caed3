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
    """Waits for the host's events on the caller's thread."""

    def __init__(self, make_host: Callable[[], Host]) -> None:
        self._host = make_host()
        self._events: queue.SimpleQueue[HostEvent] = queue.SimpleQueue()
        self._placements: tuple[Placement, ...] = ()
        self._closed = False
        self._host.start(self._events.put)

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
        asked = False
        waited = 0.0
        while True:
            if not asked and cancelled():
                asked = True
                self._host.cancel(task.job)
            try:
                event = self._events.get(timeout=0.01)
            except queue.Empty:
                waited += 0.01
                assert waited < PATIENCE, "no ending came"
                continue
            if isinstance(event, Starting | Ready | Died):
                continue
            if isinstance(event, Failed):
                raise event.error
            if not isinstance(event, Progress):
                return event
            if not asked:
                report(event)

    def close(self) -> None:
        self._closed = True
        self._host.close()
