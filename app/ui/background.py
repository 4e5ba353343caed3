"""Runs what may take a while (reading, writing, encoding a file) away from the window's thread."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QObject, Signal, Slot

from app.core.errors import Bug, EaselError

T = TypeVar("T")


class Background(QObject):
    """One short-lived thread a piece of work; its outcome comes back on the window's thread."""

    _outcome = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._threads: list[threading.Thread] = []
        self._outcome.connect(self._deliver)

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[EaselError], None],
    ) -> None:
        """Call ``work`` on a thread, then ``done`` or ``failed`` here, unless this has gone."""
        thread = threading.Thread(
            target=self._work, args=(work, done, failed), name="easel-background"
        )
        self._threads = [other for other in self._threads if other.is_alive()]
        self._threads.append(thread)
        thread.start()

    def wait(self) -> None:
        """Wait until all that was started has ended; call before the window goes."""
        for thread in self._threads:
            thread.join()
        self._threads = []

    def _work(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[EaselError], None],
    ) -> None:
        try:
            result = work()
        except EaselError as error:
            self._post(_later(failed, error))
        except Exception as error:
            self._post(_later(failed, Bug.of(error)))
        else:
            self._post(_later(done, result))

    def _post(self, call: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the window has been closed meanwhile
            self._outcome.emit(call)

    @Slot(object)
    def _deliver(self, call: Callable[[], None]) -> None:
        call()


def _later(call: Callable[[T], None], value: T) -> Callable[[], None]:
    return lambda: call(value)
