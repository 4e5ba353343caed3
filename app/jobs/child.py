"""The parent's view of the child process: start it, talk to it, wait for it, end it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from multiprocessing import connection, resource_tracker

from app.core.errors import EaselError
from app.jobs import serve
from app.jobs.host import HostEvent
from app.jobs.work import Message

ENGINE = "easel-engine"
"""What the process is called."""

REAP_S = 5.0
"""Seconds the system gets to end a killed process."""


class Child:
    """One spawned process and the pipe to it. ``factory``: a pickled EngineFactory.

    For one thread, which must live as long as the child: Linux ends the child with it. That
    thread is made deaf to Ctrl-C: a terminal sends it to every process, and the child inherits
    the mask, so that it does not hear it from its first instruction on.
    """

    def __init__(self, factory: bytes) -> None:
        resource_tracker.ensure_running()  # here, because starting it takes the mask off again
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        spawn = multiprocessing.get_context("spawn")
        self.last_words: EaselError | None = None
        self.pipe: connection.Connection[Message, HostEvent]
        self.pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(
            target=serve.main,
            args=(theirs, factory, os.getpid()),
            name=ENGINE,
            daemon=True,
        )
        try:
            self._process.start()
        except BaseException:
            self.pipe.close()
            raise
        finally:
            theirs.close()
        self.pid = self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def wait(self, bell: int, seconds: float | None) -> bool:
        """Wait until the child speaks or dies (True), ``bell`` can be read, or time is up."""
        sources: list[connection.Connection[Message, HostEvent] | int]
        sources = [bell, self.pipe, self._process.sentinel]
        return any(heard is not bell for heard in connection.wait(sources, seconds))

    def send(self, message: Message) -> None:
        """Tell the child. One that is gone is noticed by ``wait``, not here."""
        with contextlib.suppress(OSError):
            self.pipe.send(message)

    def end(self, seconds: float) -> int:
        """Hang up, give it ``seconds`` to go, else kill it; free everything. Its exit code."""
        self.pipe.close()
        if seconds:
            self._process.join(seconds)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join(REAP_S)
        exit_code = self._process.exitcode
        if exit_code is not None:
            self._process.close()
        return -signal.SIGKILL if exit_code is None else exit_code
