"""Small pictures made beside the window: a few threads, what is seen now first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from app.core.errors import Bug, EaselError
from app.core.events import Pixels

if TYPE_CHECKING:
    from app.library.entry import Entry

THREADS = 2
"""Decoding lets other threads run; more than two take from the drawing."""


class Makes(Protocol):
    """What this needs of ``library.thumbnails.Thumbnails``."""

    def get(self, entry: Entry) -> Pixels: ...


Made = Callable[["Entry", "Pixels | EaselError"], None]


class Thumbnailer:
    """``made`` is called on a thread of this with each entry and its picture, or why there is none.

    Threads start with the first request and end with ``close``.
    """

    def __init__(self, makes: Makes, made: Made, threads: int = THREADS) -> None:
        self._makes = makes
        self._made = made
        self._count = threads
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._wanted: list[Entry] = []
        self._closed = False

    def want(self, entries: Iterable[Entry]) -> None:
        """These, in this order, and nothing that was asked for before and is not yet begun."""
        with self._changed:
            self._wanted = list(entries)[::-1]
            if not self._threads and self._wanted and not self._closed:
                for n in range(self._count):
                    name = f"easel-thumbnails-{n}"
                    thread = threading.Thread(target=self._run, name=name, daemon=True)
                    self._threads.append(thread)
                    thread.start()
            self._changed.notify_all()

    def close(self) -> None:
        """Wait for those that are being made, and make no more."""
        with self._changed:
            self._closed = True
            self._wanted = []
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._wanted and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                entry = self._wanted.pop()
            found: Pixels | EaselError
            try:
                found = self._makes.get(entry)
            except EaselError as error:
                found = error
            except Exception as error:
                found = Bug.of(error)
            self._made(entry, found)
