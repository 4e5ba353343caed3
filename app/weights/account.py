"""The account of a request, for the ledger: which hosts it went to, and how much came."""

from __future__ import annotations

from app.weights.events import Connected, Connecting, Report


class Account:
    """Tells of each of ``hosts``, a list that grows while the request is led on, as it is asked.

    ``what`` is what they are asked for.
    """

    def __init__(self, hosts: list[str], what: str, report: Report) -> None:
        self._hosts, self._what, self._report = hosts, what, report
        self._told = 0

    def look(self) -> None:
        """Tell of the hosts that have come since."""
        for host in self._hosts[self._told :]:
            self._told += 1
            self._report(Connecting(host, self._what))

    def close(self, received: int) -> None:
        """The request is over; the last host sent ``received`` bytes."""
        self.look()
        *led, last = self._hosts[: self._told]
        for host in led:
            self._report(Connected(host, self._what, 0))
        self._report(Connected(last, self._what, received))
