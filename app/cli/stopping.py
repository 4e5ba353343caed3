"""Ctrl-C, and the polite request to end that a system sends (SIGTERM), which is as good."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def on_stop(react: Callable[[], None]) -> Iterator[None]:
    """Call ``react``, between two steps of the main thread, whenever stopping is asked for.

    In another thread than the main one nothing changes: signals are the main one's to decide.
    """

    def handle(*_: object) -> None:
        react()

    before: dict[signal.Signals, object] = {}
    try:
        for number in _SIGNALS:
            before[number] = signal.signal(number, handle)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]


def interrupt() -> None:
    """What Ctrl-C does in Python by itself."""
    raise KeyboardInterrupt
