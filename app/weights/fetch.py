"""One file of a model: asked for, received, proven and put in its place."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.card import CardFile, ModelCard
from app.core.errors import ChecksumMismatch, HubSilent, HubUnreachable
from app.weights.account import Account
from app.weights.answers import first_byte
from app.weights.events import FetchingAgain, WaitingFor
from app.weights.hub import Answer, Hub, file_url
from app.weights.line import Line
from app.weights.part import Part
from app.weights.patience import Options
from app.weights.progress import Drip, Progress, wait
from app.weights.setback import SLOW_TRIES, Budget, Setback

MOST_ANEW = 4
"""Times that a file may have to begin anew: a hub that always breaks off could go on for ever."""


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches files of ``card`` one after another over the connections of ``hub``."""

    card: ModelCard
    hub: Hub
    options: Options
    progress: Progress

    def fetch(self, file: CardFile, part: Part) -> None:
        """Bring ``part`` to its end and into its place; what lies there stays until then.

        Raises DownloadError, OSError, Stop.
        """
        again = False
        while True:
            # 1. the bytes that are missing
            self._complete(file, part)
            # 2. are they the right ones?
            if part.found == file.sha256:
                part.finish()
                return
            # 3. if not, once more from the beginning
            found, size = part.found, part.size
            self.progress.lost(size)
            part.restart()
            if again:
                part.discard()
                raise ChecksumMismatch(file.path, file.sha256, found)
            again = True
            self.progress.report(FetchingAgain(file.path))

    def _complete(self, file: CardFile, part: Part) -> None:
        """Try until every byte is here, or the budget is used up."""
        patience = self.options.patience
        budget = Budget(patience, worked=self.progress.fetched > 0)
        from_zero = False
        while not part.whole:
            had, anew = part.size, part.begun_anew
            try:
                self._try(file, part, 0 if from_zero else part.size)
            except Setback as setback:
                from_zero = setback.from_zero
                if part.begun_anew > MOST_ANEW:
                    raise setback.error from setback
                # Bytes that had come before, and had to come again, are no progress.
                if part.begun_anew == anew and part.size - had >= patience.progress:
                    budget.refill()
                pause = budget.pause(setback)
                self.progress.report(WaitingFor(pause, setback.reason))
                wait(pause, self.progress, patience)

    def _try(self, file: CardFile, part: Part, start: int) -> None:
        """One request. Raises Setback when it does not bring the file to its end."""
        before, hosts = self.progress.fetched, [self.hub.host]
        url = file_url(self.options.endpoint, self.card, file)
        self.hub.refuse_unsafe(url)
        account = Account(hosts, file.path, self.progress.report)
        account.look()
        try:
            with Line(self.hub, url, start, hosts) as line:
                self._receive(line, account, file, part, start)
        finally:
            account.close(self.progress.fetched - before)
        if not part.whole:
            raise Setback(HubUnreachable(hosts[-1], "broken off"))

    def _receive(
        self, line: Line, account: Account, file: CardFile, part: Part, start: int
    ) -> None:
        """Write what ``line`` brings, after its head has been found right."""
        patience = self.options.patience
        drip: Drip | None = None
        while (pieces := line.take(patience.glance_s)) is not None:
            self.progress.check()
            account.look()
            if drip is None and line.answer is not None:
                self._begin(line.answer, file, part, start)
                drip = Drip(patience)
            if not pieces and line.quiet_s > patience.stall_s:
                raise Setback(HubSilent(line.host, patience.stall_s))
            for piece in pieces:
                if part.size + len(piece) > file.bytes:
                    raise Setback(HubUnreachable(line.host, "broken off"), from_zero=True)
                part.add(piece)
                self.progress.came(len(piece), file.path)
                if drip and drip.too_slow(len(piece)) and not part.whole:
                    raise Setback(HubUnreachable(line.host, "too slow"), tries=SLOW_TRIES)
        if drip is None and line.answer is not None:
            self._begin(line.answer, file, part, start)

    def _begin(self, answer: Answer, file: CardFile, part: Part, start: int) -> None:
        """Judge the head of the answer; a whole file where a rest was asked for starts anew."""
        token, patience = self.options.token, self.options.patience
        begin = first_byte(answer, self.card, file, start, token, patience)
        if begin != part.size:
            self.progress.lost(part.size)
            part.restart()
