"""An engine in one long-lived child process: for engines that stall, swell, hang or crash."""

from __future__ import annotations

import contextlib
import math
import os
import pickle
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from app.core.errors import EaselError, EngineDied, EngineUnresponsive
from app.core.events import Cancelled, Failed, JobId, Progress, Task
from app.core.model import Model
from app.engine.contract import EngineFactory
from app.jobs import work
from app.jobs.host import Died, HostEvent, Ready, Starting
from app.jobs.work import Message, Stop, Warm

if TYPE_CHECKING:
    from app.jobs.child import Child

QUIT_S = 1.0
"""Seconds a child gets to leave by itself when the host is closed; it has nothing to lose."""

BURY_S = 5.0
"""Seconds a child that has closed its pipe gets to end by itself."""

CLOSE_S = 15.0
"""Seconds ``close`` waits at most; reached only when the system cannot end a killed process."""


class ChildHost:
    """Runs the engine in a process of its own, started by ``spawn``, and watches over it.

    ``make_engine`` must be picklable by name. A job that has not ended ``grace_s`` seconds after
    its cancel takes the child with it, and is reported as cancelled. A child that is not ready
    after ``start_s`` seconds is killed (EngineUnresponsive). A dead child is replaced when
    something is asked for next, never by itself: what crashes at once cannot loop.

    All dealings with the child are on one thread of the host, so that no caller ever waits.
    """

    def __init__(
        self, make_engine: EngineFactory, *, grace_s: float = 5.0, start_s: float = 180.0
    ) -> None:
        self._factory = pickle.dumps(make_engine)
        self._grace_s = grace_s
        self._start_s = start_s
        self._lock = threading.Lock()
        self._on_event: Callable[[HostEvent], None] | None = None
        self._running: JobId | None = None
        self._stopped: JobId | None = None
        self._closed = False
        self._orders: deque[Message] = deque()
        self._bell, self._ring = -1, -1
        self._thread = threading.Thread(target=self._supervise, name="easel-host", daemon=True)
        # Of the supervising thread only:
        self._child: Child | None = None
        self._ready_by = math.inf
        self._stopped_by = math.inf

    def start(self, on_event: Callable[[HostEvent], None]) -> None:
        with self._lock:
            if self._closed or self._on_event is not None:
                raise RuntimeError("a host starts once")
            self._on_event = on_event
            self._bell, self._ring = os.pipe()
            os.set_blocking(self._ring, False)
            os.set_blocking(self._bell, False)
            self._orders.append(Warm(None))
            self._thread.start()

    def warm(self, model: Model | None = None) -> None:
        with self._lock:
            self._order(Warm(model))

    def draw(self, task: Task) -> None:
        with self._lock:
            if self._running is not None:
                raise RuntimeError("another task is being drawn")
            self._order(task)
            self._running, self._stopped = task.job, None

    def cancel(self, job: JobId) -> None:
        with self._lock:
            if self._running == job and self._stopped != job and not self._closed:
                self._stopped = job
                self._order(Stop(job))

    def close(self) -> None:
        with self._lock:
            first, self._closed = not self._closed, True
            if self._on_event is None:
                return
            if first:
                self._wake()
        if self._thread is not threading.current_thread():
            self._thread.join(CLOSE_S)

    @property
    def pid(self) -> int | None:
        """The child's process id, or None while there is no child."""
        child = self._child
        return None if child is None else child.pid

    # Any thread, with the lock held.

    def _order(self, order: Message) -> None:
        if self._closed or self._on_event is None:
            raise RuntimeError("the host is not started, or closed")
        self._orders.append(order)
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._ring, b"!")

    # The supervising thread.

    def _supervise(self) -> None:
        try:
            while not self._closed:
                self._obey()
                self._listen()
                self._look_at_the_clock()
        finally:
            if self._child is not None:
                self._child.end(QUIT_S)
                self._child = None
            with self._lock:
                self._closed = True
                os.close(self._bell)
                os.close(self._ring)

    def _obey(self) -> None:
        """Pass on what was ordered; make a child if there is none."""
        while True:
            with self._lock:
                if self._closed or not self._orders:
                    return
                order = self._orders.popleft()
            if isinstance(order, Stop):
                if self._running != order.job:
                    continue
                self._stopped_by = time.monotonic() + self._grace_s
            elif self._child is None and not self._spawn():
                continue
            if self._child is not None and order != Warm(None):
                self._child.send(order)

    def _spawn(self) -> bool:
        """Start a child. False when the system would not; the running job has then failed."""
        self._tell(Starting())
        self._ready_by = time.monotonic() + self._start_s
        try:
            # Here, and not at the window's start: multiprocessing takes its time to import.
            from app.jobs.child import Child

            self._child = Child(self._factory)
        except Exception as error:
            self._mourn(work.NOT_MADE, work.known(error))
            return False
        return True

    def _listen(self) -> None:
        """Wait for the bell, the child or the clock, and hear what the child has to say."""
        seconds = min(self._ready_by, self._stopped_by) - time.monotonic()
        patience = None if math.isinf(seconds) else max(0.0, seconds)
        child = self._child
        if child is None:
            select.select([self._bell], [], [], patience)
            spoke = False
        else:
            spoke = child.wait(self._bell, patience)
        with contextlib.suppress(BlockingIOError):
            os.read(self._bell, 4096)
        if child is None or not spoke:
            return
        try:
            while child.pipe.poll():
                self._hear(child.pipe.recv())
        except (EOFError, OSError, pickle.UnpicklingError):
            self._bury(child)
        else:
            if not child.alive:
                self._bury(child)

    def _hear(self, event: HostEvent) -> None:
        if isinstance(event, Ready):
            self._ready_by = math.inf
        if isinstance(event, Died):
            if self._child is not None:
                self._child.last_words = event.error
            return
        self._tell(event)

    def _bury(self, child: Child, error: EaselError | None = None) -> None:
        """The child is dead, or as good as: say so, and who it took with it."""
        self._child = None
        exit_code = child.end(0.0 if error else BURY_S)
        self._mourn(exit_code, error or child.last_words or EngineDied(exit_code))

    def _mourn(self, exit_code: int, error: EaselError) -> None:
        self._ready_by = math.inf
        self._tell(Died(exit_code, error))
        with self._lock:
            job = self._running
            untouched = any(isinstance(order, Task) for order in self._orders)
        if job is not None and not untouched:  # else a new child gets it
            self._tell(Failed(job, error))

    def _look_at_the_clock(self) -> None:
        now, child = time.monotonic(), self._child
        if child is None:
            return
        if now >= self._stopped_by:
            # Stop means stop. A new child at once: the person is about to draw again.
            self._child = None
            child.end(0.0)
            self._ready_by = math.inf
            job = self._running
            if job is not None:
                self._tell(Cancelled(job))
            if not self._closed:
                self._spawn()
        elif now >= self._ready_by:
            self._bury(child, EngineUnresponsive(self._start_s))

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
                    self._stopped_by = math.inf
                    event = Cancelled(event.job) if stopped else event
            on_event = self._on_event
        on_event(event)
