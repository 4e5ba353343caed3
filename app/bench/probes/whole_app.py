"""Starts the real program in this process and takes part in its event loop.

Only for the probes beside it. The program itself knows nothing of being measured: its last call,
``QApplication.exec``, is where a probe steps in.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QApplication, QWidget

CPUCLOCK_SCHED = 2  # linux/posix-timers.h: a process's clock is (~pid << 3) | CPUCLOCK_SCHED


def launch(at_exec: Callable[[Any], Any]) -> int:
    """Run the program; ``at_exec(window)`` is called just before its event loop runs.

    What it returns is kept until the loop ends.
    """
    import app.__main__

    execute = QApplication.exec

    def step_in(*_: Any) -> int:
        kept = at_exec(main_window())
        code = execute()
        del kept
        return code

    setattr(QApplication, "exec", step_in)  # noqa: B010 - mypy: a method is replaced
    return int(app.__main__.main([]))


def main_window() -> QWidget:
    """The one large visible window."""
    shown = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    return max(shown, key=lambda widget: widget.width() * widget.height())


class FirstPaint(QObject):
    """Calls ``done`` once ``window`` has been painted, before any timer runs."""

    def __init__(self, window: QWidget, done: Callable[[], None]) -> None:
        super().__init__()
        self._window, self._done = window, done
        self._seen = False
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: ARG002, N802
        kinds = (QEvent.Type.Paint, QEvent.Type.UpdateRequest)
        if not self._seen and event.type() in kinds:
            self._seen = True
            self._window.removeEventFilter(self)
            QCoreApplication.postEvent(
                self, QEvent(QEvent.Type.User), Qt.EventPriority.HighEventPriority.value
            )
        return False

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.User:
            self._done()
            return True
        return super().event(event)


class Ears(QObject):
    """Brings a session's events to this thread."""

    heard = Signal(object)

    def __init__(self, session: Any, listener: Callable[[Any], None]) -> None:
        super().__init__()
        self.heard.connect(listener, Qt.ConnectionType.QueuedConnection)
        self._end = session.listen(self.heard.emit)


def children_cpu() -> float:
    """CPU seconds so far of the child processes that this one started through multiprocessing.

    Raises OSError where the system gives no clock for another process.
    """
    if sys.platform != "linux":
        raise OSError("only Linux gives a clock for another process")
    clocks = [(~child.pid << 3) | CPUCLOCK_SCHED for child in _children()]
    return sum(time.clock_gettime(clock) for clock in clocks)


def cpu() -> float:
    """CPU seconds so far of this process and its children."""
    return time.process_time() + children_cpu()


def _children() -> list[Any]:
    return [child for child in multiprocessing.active_children() if child.pid is not None]
