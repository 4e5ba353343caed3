"""A question to the hub whose answer is small: held in memory whole, and never without an end."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.errors import CardProblem, HubSilent, HubUnreachable, LoginPage
from app.weights.account import Account
from app.weights.answers import is_page, refusal
from app.weights.events import WaitingFor
from app.weights.hub import Answer, Hub
from app.weights.line import Line
from app.weights.patience import Options
from app.weights.progress import Drip, Progress, wait
from app.weights.setback import SLOW_TRIES, Budget, Setback


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
        self.hub.refuse_unsafe(url)
        hosts, data = [self.hub.host], bytearray()
        account = Account(hosts, what, self.progress.report)
        account.look()
        try:
            with Line(self.hub, url, 0, hosts, head_only=head_only) as line:
                # 1. What comes, while it is not too much, too quiet or too slow
                self._hear(line, account, data, what, most)
                # 2. Is it an answer at all?
                answer = line.answer
                assert answer is not None  # a line without one raises
                if answer.status != 200:
                    token, patience = self.options.token, self.options.patience
                    raise refusal(answer, self.repository, what, token, patience, gated=gated)
                if is_page(answer, what):
                    raise LoginPage(answer.host)
                return Said(answer, bytes(data))
        finally:
            account.close(len(data))

    def _hear(self, line: Line, account: Account, data: bytearray, what: str, most: int) -> None:
        patience = self.options.patience
        drip: Drip | None = None
        while (pieces := line.take(patience.glance_s)) is not None:
            self.progress.check()
            account.look()
            if drip is None and line.answer is not None:
                drip = Drip(patience)
            if not pieces and line.quiet_s > patience.stall_s:
                raise Setback(HubSilent(line.host, patience.stall_s))
            for piece in pieces:
                data += piece
                if len(data) > most:
                    raise CardProblem(self.repository, f"{what} is larger than it can be")
                if drip and drip.too_slow(len(piece)):
                    raise Setback(HubUnreachable(line.host, "too slow"), tries=SLOW_TRIES)
