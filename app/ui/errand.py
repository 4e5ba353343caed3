"""Work of minutes that a person watches and may stop, away from the window's thread."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.core.errors import Bug, EaselError

Report = Callable[[object], None]
IsCancelled = Callable[[], bool]
Work = Callable[[Report, IsCancelled], object]

CLOSING_S = 3.0
"""What ``Errands.close`` waits: a dead link is given up within two."""
TELL_S = 0.1
"""Progress is told at most so often."""


class Errand(QObject):
    """One piece of work. Signals come on the thread this lives in; nothing comes after ``done``.

    ``told`` carries what ``work`` reports, ``done`` what it returns, ``failed`` an EaselError.
    """

    told = Signal(object)
    done = Signal(object)
    failed = Signal(object)
    _said = Signal(object, object)

    def __init__(self, work: Work, parent: QObject) -> None:
        super().__init__(parent)
        self._work = work
        self._stop = threading.Event()
        self._told_at = 0.0
        self._told_kind: type[object] | None = None
        self._said.connect(self._pass_on, Qt.ConnectionType.QueuedConnection)
        self._thread = threading.Thread(target=self._run, name="easel-errand", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; it may still be done."""
        self._stop.set()

    def wait(self, seconds: float) -> None:
        """Wait until the thread has ended, for so long at most."""
        self._thread.join(seconds)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._say("done", self._work(self._report, self._stop.is_set))
        except EaselError as error:
            self._say("failed", error)
        except Exception as error:
            self._say("failed", Bug.of(error))

    def _report(self, event: object) -> None:
        now, kind = time.monotonic(), type(event)
        if kind is not self._told_kind or now - self._told_at >= TELL_S:
            self._told_at, self._told_kind = now, kind
            self._say("told", event)

    def _say(self, what: str, value: object) -> None:
        with contextlib.suppress(RuntimeError):  # the window has been closed meanwhile
            self._said.emit(what, value)

    @Slot(object, object)
    def _pass_on(self, what: str, value: object) -> None:
        getattr(self, what).emit(value)


class Errands(QObject):
    """All errands of a window, so that none outlives it."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._all: list[Errand] = []

    def make(self, work: Work) -> Errand:
        """An errand that runs ``work`` once it is started."""
        for old in [one for one in self._all if not one.running]:
            self._all.remove(old)
            old.deleteLater()
        errand = Errand(work, self)
        self._all.append(errand)
        return errand

    def close(self) -> None:
        """Stop them, and wait for at most ``CLOSING_S``. Idempotent."""
        until = time.monotonic() + CLOSING_S
        for errand in self._all:
            errand.stop()
        for errand in self._all:
            errand.blockSignals(True)
            errand.wait(max(0.0, until - time.monotonic()))
