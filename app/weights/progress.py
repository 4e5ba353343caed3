"""How far a transfer or a check is, told a few times a second."""

from __future__ import annotations

import time
from collections import deque

from app.weights.events import Cancelled, Checking, Report, Transferring
from app.weights.patience import Patience
from app.weights.setback import Stop

SPEED_OVER_S = 5.0


class Progress:
    """``done`` of ``total`` bytes are here; ``fetched`` of them came in this run."""

    def __init__(self, total: int, report: Report, cancelled: Cancelled, every_s: float) -> None:
        self.total, self.done, self.fetched = total, 0, 0
        self.report = report
        self._cancelled, self._every = cancelled, every_s
        self._told = 0.0
        self._marks: deque[tuple[float, int]] = deque()

    def check(self) -> None:
        """Raises Stop when it was cancelled."""
        if self._cancelled():
            raise Stop

    def read(self, count: int, file: str) -> None:
        """``count`` bytes of the disk were read again. Raises Stop."""
        self.check()
        self.done += count
        if self._due():
            self.report(Checking(self.done, self.total, file))

    def came(self, count: int, file: str) -> None:
        """``count`` bytes came over the network. Raises Stop."""
        self.fetched += count
        self.done += count
        if self._due():
            self.report(Transferring(self.done, self.total, file, self._speed()))
        self.check()

    def lost(self, count: int) -> None:
        """``count`` bytes turned out to be worth nothing."""
        self.done -= count

    def _due(self) -> bool:
        now = time.monotonic()
        if now - self._told < self._every and self.done != self.total:
            return False
        self._told = now
        return True

    def _speed(self) -> float:
        """Bytes a second, over the last few."""
        now = time.monotonic()
        self._marks.append((now, self.fetched))
        while len(self._marks) > 2 and now - self._marks[0][0] > SPEED_OVER_S:
            self._marks.popleft()
        then, had = self._marks[0]
        return (self.fetched - had) / (now - then) if now > then else 0.0


def wait(seconds: float, progress: Progress, patience: Patience) -> None:
    """Sleep, in steps short enough to hear a cancel. Raises Stop."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        progress.check()
        time.sleep(min(left, patience.glance_s))
    progress.check()


class Drip:
    """Notices a connection that moves, but too slowly to ever end."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._since, self._bytes = time.monotonic(), 0

    def too_slow(self, count: int) -> bool:
        """After ``count`` more bytes, at the end of each window: were they too few?"""
        self._bytes += count
        window = time.monotonic() - self._since
        if window < self._patience.slow_window_s:
            return False
        slow = self._bytes / window < self._patience.slow_rate
        self._since, self._bytes = time.monotonic(), 0
        return slow
