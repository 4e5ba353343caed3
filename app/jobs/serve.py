"""The child process of ``ChildHost``: one engine, orders in and events out through a pipe."""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.errors import EaselError
from app.core.events import Cancelled, JobId, Task
from app.engine.contract import Engine
from app.jobs import work
from app.jobs.host import Died, HostEvent, Ready
from app.jobs.offline import refuse_connections, set_switches
from app.jobs.work import NOT_MADE, Message, Orders, Stop, Warm

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


def main(pipe: Connection[HostEvent, Message], factory: bytes, parent: int) -> None:
    """Serve until the parent's end of the pipe is closed. ``factory``: a pickled EngineFactory.

    Leaves by ``os._exit``: there is nothing to keep, and tearing torch down takes its time.
    """
    # 1. Nothing here may outlive the parent, hear its Ctrl-C, write to its output or go online.
    settle(parent)
    refuse_connections()
    # 2. Orders arrive while the engine is busy.
    desk = _Desk(pipe)
    threading.Thread(target=desk.read, name="easel-orders", daemon=True).start()
    # 3. The engine; unpickling its factory may import already.
    made = work.make(lambda: _unpickled(factory))
    if isinstance(made, EaselError):
        desk.send(Died(NOT_MADE, made))
        os._exit(NOT_MADE)
    engine, placements = made
    gc.freeze()  # the libraries stay: garbage is looked for among what comes after them
    desk.send(Ready(placements))
    # 4. One order after the other.
    while True:
        order = desk.orders.take()
        if isinstance(order, Task):
            desk.draw(engine, order)
        elif isinstance(order, Warm) and order.model is not None:
            work.warm(engine, order.model, desk.orders)


class _Desk:
    """The child's end of the pipe."""

    def __init__(self, pipe: Connection[HostEvent, Message]) -> None:
        self.orders = Orders()
        self._pipe = pipe
        self._sending = threading.Lock()
        self._stopped: JobId | None = None

    def read(self) -> None:
        """Take messages until the pipe is closed or the parent gone, and go at once."""
        while True:
            try:
                message = self._pipe.recv()
            except Exception:  # EOFError mostly; a child that cannot hear must not live on
                os._exit(0)
            if not isinstance(message, Stop):
                if isinstance(message, Task):
                    self._stopped = None  # a stop that came too late for the last one
                self.orders.put(message)
            elif self.orders.withdraw(message.job):
                self.send(Cancelled(message.job))
            else:
                self._stopped = message.job

    def send(self, event: HostEvent) -> None:
        try:
            with self._sending:
                self._pipe.send(event)
        except OSError:
            os._exit(0)

    def draw(self, engine: Engine, task: Task) -> None:
        def cancelled() -> bool:
            return self._stopped == task.job

        self.send(work.draw(engine, task, self.send, cancelled))


def _unpickled(factory: bytes) -> Engine:
    engine: Engine = pickle.loads(factory)()
    return engine


def settle(parent: int) -> None:
    """Nothing here may outlive ``parent``, hear its Ctrl-C, write to its output or go online."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with(parent)
    with contextlib.suppress(OSError):
        os.dup2(2, 1)
    set_switches(os.environ)
    os.environ.setdefault("OMP_NUM_THREADS", str(usable_cores()))
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def _die_with(parent: int) -> None:
    """The end of the pipe tells too, but not while native code holds the interpreter's lock."""
    if sys.platform != "linux":
        return
    import ctypes

    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def usable_cores() -> int:
    """The cores this process may use, which are fewer than there are in a container."""
    cores = os.cpu_count() or 1
    if sys.platform == "linux":
        cores = len(os.sched_getaffinity(0))
        with contextlib.suppress(OSError, ValueError):
            quota, period = Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split()
            cores = min(cores, max(1, round(int(quota) / int(period))))
    return cores
