"""The one way to the hub: work in a child that may connect, each connection written down."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from app.core.card import ModelCard
from app.core.errors import AccessNeeded
from app.jobs.limited_child import Bounds, run_limited
from app.weights import naming, pins, token, updates
from app.weights import transfer as whole
from app.weights.channel import Channel, Unknown, Update
from app.weights.events import Connected, Connecting, Stopped, Transferred
from app.weights.ledger import Ledger
from app.weights.named import Named
from app.weights.patience import Options, Patience
from app.weights.pins import Looked

Result = TypeVar("Result")
Report = Callable[[object], None]
IsCancelled = Callable[[], bool]


class Online:
    """Runs what asks the hub of ``options``, and keeps ``ledger``."""

    def __init__(self, options: Options, ledger: Ledger) -> None:
        self.options, self._ledger = options, ledger

    def run(
        self,
        work: Callable[[Report, IsCancelled], Result | Stopped],
        why: str,
        report: Report,
        cancelled: IsCancelled,
    ) -> Result | None:
        """What ``work`` gives; None when it was stopped. ``why`` is for the ledger.

        Raises as ``work`` does.
        """
        begun: deque[str] = deque()  # they end in the order in which they began

        def hear(event: object) -> None:
            match event:
                case Connecting(host, file):
                    begun.append(os.urandom(6).hex())
                    self._ledger.note(host, f"{why}: {file}", 0, begun[-1])
                case Connected(host, file, received):
                    self._ledger.note(host, f"{why}: {file}", received, begun.popleft())
                case _:
                    report(event)

        ended = run_limited(work, self.host, Bounds.for_transfer(), hear, cancelled)
        return None if isinstance(ended, Stopped) else ended

    @property
    def host(self) -> str:
        """Who is asked."""
        return self.options.endpoint.partition("://")[2].rstrip("/")

    def with_token(self, given: str) -> Options:
        """The same hub and patience, with the token ``given``, else the one in the keychain.

        Raises KeychainUnavailable, AccessNeeded (``given`` cannot be a token).
        """
        if given and not token.is_token(given):
            raise AccessNeeded(self.host, "token refused")
        found = given or self.options.token or token.read(self.host)
        return Options(self.options.endpoint, found, self.options.patience)


# What may be run there, in a form that survives the way to the child.


def transfer(
    card: ModelCard, folder: Path, options: Options, report: Report, cancelled: IsCancelled
) -> Transferred | Stopped:
    return whole.transfer(card, folder, report, cancelled, options)


def repair(
    card: ModelCard,
    folder: Path,
    paths: tuple[str, ...],
    options: Options,
    report: Report,
    cancelled: IsCancelled,
) -> Transferred | Stopped:
    return whole.repair(card, folder, paths, report, cancelled, options)


def resolve(
    repository: str,
    revision: str,
    licences: Path,
    options: Options,
    report: Report,
    cancelled: IsCancelled,
) -> Named | Stopped:
    return naming.resolve(repository, revision, licences, report, cancelled, options)


def look_at_pins(
    card: ModelCard, options: Options, report: Report, cancelled: IsCancelled
) -> tuple[Looked, ...] | Stopped:
    return pins.look_at_pins(card, report, cancelled, options)


def look_for_update(
    source: Channel,
    own: str,
    patience: Patience,
    report: Report,
    cancelled: IsCancelled,
) -> Update | Unknown | Stopped | None:
    return updates.look(source, own, report, cancelled, patience)
