"""Several hosts as one: what draws a model depends on how it lies in its folder."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from app.core.events import Ending, JobId, Task
from app.core.model import Model, ModelFormat
from app.jobs.host import Died, Host, HostEvent, Ready, Starting


class Hosts:
    """A host for each format of models. See ``app.jobs.host.Host``.

    The first of ``hosts`` is started with this one, the others when a model of theirs is wanted:
    an engine that nothing needs costs nothing.
    """

    def __init__(self, hosts: Mapping[ModelFormat, Host]) -> None:
        if not hosts:
            raise ValueError("no hosts")
        self._hosts = dict(hosts)
        self._first = next(iter(self._hosts))
        self._lock = threading.RLock()
        self._telling = threading.RLock()
        self._on_event: Callable[[HostEvent], None] | None = None
        self._started: set[ModelFormat] = set()
        self._drawing: tuple[JobId, ModelFormat] | None = None
        self._closed = False

    def start(self, on_event: Callable[[HostEvent], None]) -> None:
        with self._lock:
            if self._closed or self._on_event is not None:
                raise RuntimeError("a host starts once")
            self._on_event = on_event
            self._started_host(self._first)

    def warm(self, model: Model | None = None) -> None:
        with self._lock:
            self._started_host(self._first if model is None else model.format).warm(model)

    def draw(self, task: Task) -> None:
        with self._lock:
            if self._drawing is not None:
                raise RuntimeError("another task is being drawn")
            self._started_host(task.model.format).draw(task)
            self._drawing = (task.job, task.model.format)

    def cancel(self, job: JobId) -> None:
        with self._lock:
            if self._drawing is not None and self._drawing[0] == job:
                self._hosts[self._drawing[1]].cancel(job)

    def close(self) -> None:
        with self._lock:
            self._closed = True
        for host in self._hosts.values():
            host.close()

    def _started_host(self, format: ModelFormat) -> Host:
        if self._closed or self._on_event is None:
            raise RuntimeError("the host is not started, or closed")
        host = self._hosts[format]
        if format not in self._started:
            host.start(lambda event: self._tell(event, format))
            self._started.add(format)
        return host

    def _tell(self, event: HostEvent, format: ModelFormat) -> None:
        """One after the other, whichever host it comes from."""
        with self._telling:
            with self._lock:
                if isinstance(event, Starting | Ready | Died):
                    event = replace(event, format=format)
                elif isinstance(event, Ending) and self._drawing == (event.job, format):
                    self._drawing = None
                on_event = None if self._closed else self._on_event
            if on_event is not None:
                on_event(event)
