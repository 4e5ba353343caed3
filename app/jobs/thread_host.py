"""An engine on one worker thread of this process: for engines that let the window breathe."""

from __future__ import annotations

import threading
from collections.abc import Callable

from app.core.errors import EaselError
from app.core.events import Cancelled, Failed, JobId, Progress, Task
from app.core.model import Model
from app.engine.contract import Engine, EngineFactory
from app.jobs import work
from app.jobs.host import Died, HostEvent, Ready, Starting
from app.jobs.work import Orders, Quit, Warm


class ThreadHost:
    """Runs the engine on a thread. What hangs there cannot be killed: ``close`` gives up on it.

    ``grace_s``: how long ``close`` waits, in seconds.
    """

    def __init__(self, make_engine: EngineFactory, *, grace_s: float = 5.0) -> None:
        self._make_engine = make_engine
        self._grace_s = grace_s
        self._on_event: Callable[[HostEvent], None] | None = None
        self._lock = threading.Lock()
        self._orders = Orders()
        self._running: JobId | None = None
        self._stopped: JobId | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="easel-engine", daemon=True)

    def start(self, on_event: Callable[[HostEvent], None]) -> None:
        with self._lock:
            if self._closed or self._on_event is not None:
                raise RuntimeError("a host starts once")
            self._on_event = on_event
            self._orders.put(Warm(None))
            self._thread.start()

    def warm(self, model: Model | None = None) -> None:
        with self._lock:
            self._refuse_unless_open()
            self._orders.put(Warm(model))

    def draw(self, task: Task) -> None:
        with self._lock:
            self._refuse_unless_open()
            if self._running is not None:
                raise RuntimeError("another task is being drawn")
            self._running, self._stopped = task.job, None
            self._orders.put(task)

    def cancel(self, job: JobId) -> None:
        with self._lock:
            if self._running == job:
                self._stopped = job

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._stopped = self._running
            started = self._on_event is not None
            self._orders.put(Quit())
        if started and self._thread is not threading.current_thread():
            self._thread.join(self._grace_s)

    def _refuse_unless_open(self) -> None:
        if self._closed or self._on_event is None:
            raise RuntimeError("the host is not started, or closed")

    def _work(self) -> None:
        engine: Engine | None = None
        while not isinstance(order := self._orders.take(), Quit):
            if engine is None:
                engine = self._make(order)
            if engine is None:
                continue
            if isinstance(order, Warm):
                if order.model is not None:
                    work.warm(engine, order.model, self._orders)
            else:
                self._draw(engine, order)
        if engine is not None:
            engine.close()

    def _make(self, order: Task | Warm) -> Engine | None:
        self._tell(Starting())
        made = work.make(self._make_engine)
        if isinstance(made, EaselError):
            self._tell(Died(0, made))
            if isinstance(order, Task):
                self._tell(Failed(order.job, made))
            return None
        engine, placements = made
        self._tell(Ready(placements))
        return engine

    def _draw(self, engine: Engine, task: Task) -> None:
        def cancelled() -> bool:
            return self._stopped == task.job

        def report(event: Progress) -> None:
            self._tell(event)

        self._tell(work.draw(engine, task, report, cancelled))

    def _tell(self, event: HostEvent) -> None:
        with self._lock:
            if self._closed or self._on_event is None:
                return
            if not isinstance(event, Starting | Ready | Died):
                stopped = self._stopped == event.job
                if event.job != self._running or (stopped and isinstance(event, Progress)):
                    return
                if not isinstance(event, Progress):
                    self._running = None
                    event = Cancelled(event.job) if stopped else event
            on_event = self._on_event
        on_event(event)
