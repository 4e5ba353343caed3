"""One try failed, and another may do better; how many more there are."""

from __future__ import annotations

import time

from app.core.errors import DownloadError, HubBusy, HubSilent, HubUnreachable
from app.weights.patience import Patience

SLOW_TRIES = 2
"""Of a connection that only drips."""
NO_NETWORK = frozenset({"no connection", "name not found"})
"""Reasons of ``HubUnreachable`` that lie on this side of the hub."""


class Stop(Exception):
    """The person cancelled. Never leaves this room."""


class Setback(Exception):
    """Why a try failed. Never leaves this room: ``error`` does, when there is no try left.

    ``tries`` limits the tries in a row that fail like this (None: the patience's limit). ``asked``
    is how many seconds the hub wants to be left alone. ``from_zero``: the next try is not to ask
    for a part of the file.
    """

    def __init__(
        self,
        error: DownloadError,
        *,
        tries: int | None = None,
        asked: float | None = None,
        from_zero: bool = False,
    ) -> None:
        super().__init__(error)
        self.error = error
        self.tries = tries
        self.asked = asked
        self.from_zero = from_zero

    @property
    def reason(self) -> str:
        """A word for ``WaitingFor``."""
        match self.error:
            case HubUnreachable(reason=reason):
                return reason
            case HubBusy():
                return "busy"
            case HubSilent():
                return "no answer"
        return "wrong answer"


class Budget:
    """Tries and time that bring nothing. Whatever brings something refills it.

    A network that was there, and is not (a lid was closed, a router starts again), is waited for
    longer than one that never was: ``worked`` says that something has come over it already.
    """

    def __init__(self, patience: Patience, *, worked: bool = False) -> None:
        self._patience, self._worked = patience, worked
        self._start()

    def refill(self) -> None:
        self._worked = True
        self._start()

    def pause(self, setback: Setback) -> float:
        """Seconds to wait before the next try. Raises the setback's error when there is none."""
        patience = self._patience
        self._tries += 1
        alike = self._alike[setback.reason] = self._alike.get(setback.reason, 0) + 1
        lost = self._worked and setback.reason in NO_NETWORK
        if (self._tries >= patience.tries and not lost) or (
            setback.tries and alike >= setback.tries
        ):
            raise setback.error
        if setback.asked is not None:
            self._asked += setback.asked
            return setback.asked
        idle = time.monotonic() - self._since - self._asked
        pause = patience.pauses[min(self._tries, len(patience.pauses)) - 1]
        if idle + pause >= (patience.lost_s if lost else patience.idle_s):
            raise setback.error
        return pause

    def _start(self) -> None:
        self._tries = 0
        self._alike: dict[str, int] = {}
        self._since = time.monotonic()
        self._asked = 0.0
