"""A question to the hub whose answer is small: held in memory whole, and never without an end."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.errors import CardProblem, HubSilent, LoginPage
from app.weights.answers import is_page, refusal
from app.weights.events import Connected, WaitingFor
from app.weights.hub import Answer, Hub
from app.weights.line import Line
from app.weights.patience import Options
from app.weights.progress import Progress, wait
from app.weights.setback import Budget, Setback


@dataclass(frozen=True, slots=True)
class Said:
    """The answer to a question: its head and all of its bytes."""

    answer: Answer
    data: bytes


@dataclass(frozen=True, slots=True)
class Questions:
    """Asks ``hub`` about ``repository``, with the patience of a transfer."""

    repository: str
    hub: Hub
    options: Options
    progress: Progress

    def ask(
        self, url: str, what: str, most: int, *, gated: bool = False, head_only: bool = False
    ) -> Said:
        """The answer of at most ``most`` bytes to ``url``; ``what`` it is about, for the ledger.

        Raises DownloadError, CardProblem (more than ``most``), Stop.
        """
        budget = Budget(self.options.patience)
        while True:
            try:
                return self._try(url, what, most, gated=gated, head_only=head_only)
            except Setback as setback:
                pause = budget.pause(setback)
                self.progress.report(WaitingFor(pause, setback.reason))
                wait(pause, self.progress, self.options.patience)

    def _try(self, url: str, what: str, most: int, *, gated: bool, head_only: bool) -> Said:
        patience, token = self.options.patience, self.options.token
        line = Line(self.hub, url, 0, head_only=head_only)
        data = bytearray()
        try:
            with line:
                # 1. What comes, while it is not too much and not too quiet
                while (piece := line.take(patience.glance_s)) is not None:
                    self.progress.check()
                    data += piece
                    if len(data) > most:
                        raise CardProblem(self.repository, f"{what} is larger than it can be")
                    if not piece and line.quiet_s > patience.stall_s:
                        raise Setback(HubSilent(self.hub.host, patience.stall_s))
                # 2. Is it an answer at all?
                answer = line.answer
                assert answer is not None  # a line without one raises
                if answer.status != 200:
                    raise refusal(answer, self.repository, what, token, patience, gated=gated)
                if is_page(answer, what):
                    raise LoginPage(answer.host)
                return Said(answer, bytes(data))
        finally:
            hosts = self.hub.asked
            for number, host in enumerate(hosts, 1):
                received = len(data) if number == len(hosts) else 0
                self.progress.report(Connected(host, what, received))
