"""Downloads and imports one after the other, on a thread of their own, so that a window can go on.

What a delivery does is the ``Shelf``'s; here is when: waiting, running, paused, done.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from app.convert.importing import Importing
from app.core.card import ModelCard
from app.core.errors import Bug, EaselError, LicenceNotAccepted, ModelInUse
from app.weights.events import (
    Checking,
    FetchingAgain,
    OtherEasel,
    Packing,
    Transferring,
    WaitingFor,
)
from app.weights.packs import SUFFIX

if TYPE_CHECKING:
    from app.jobs.shelf import Report, Shelf
    from app.weights.receipts import Installed

CLOSING_S = 3.0
"""What ``close`` waits for the running delivery: a dead link is given up within two."""
TELL_S = 0.1
"""A listener hears of progress at most so often."""


class DeliveryState(StrEnum):
    """PAUSED and FAILED can be resumed: what has arrived is kept."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One download or import as it stands. ``id`` is the card's, or the path of the file.

    ``done`` and ``total`` in bytes (of an import: its parts), ``speed`` in bytes a second.
    ``stage`` is "" while bytes come, else "checking", "converting", "proving", "fetching again",
    "unpacking", "another Easel" (which downloads this and is waited for), or "waiting: " and why.
    """

    id: str
    title: str
    state: DeliveryState
    done: int = 0
    total: int = 0
    speed: float = 0.0
    stage: str = ""
    error: EaselError | None = None
    installed: Installed | None = None


def is_pack(file: Path) -> bool:
    """Whether ``file`` is by its name a model that another Easel has packed."""
    return file.suffix.lower() == SUFFIX


Work = Callable[["Report", Callable[[], bool]], "Installed | None"]
Listener = Callable[[Delivery], None]


class Deliveries:
    """One at a time; the others wait their turn.

    Methods may be called from any thread and return at once, except ``close``. Listeners are called
    on the thread of the deliveries. No thread runs before the first ``get`` or ``bring``.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._lock = threading.Condition()
        self._listeners: tuple[Listener, ...] = ()
        self._works: dict[str, Work] = {}
        self._deliveries: dict[str, Delivery] = {}
        self._thread: threading.Thread | None = None
        self._unwanted: dict[str, ModelCard] = {}
        self._held = self._closed = False
        self._told = 0.0

    def get(self, card: ModelCard) -> None:
        """Queue the download of ``card``. Raises LicenceNotAccepted: nothing is asked before."""
        if not self._shelf.is_accepted(card):
            text = self._shelf.licence(card)
            raise LicenceNotAccepted(text.title, text.sha256)

        waiting = DeliveryState.WAITING
        delivery = Delivery(card.id, card.title, waiting, total=card.download_bytes)
        self._queue(delivery, self._getting(card))

    def find_unfinished(self) -> None:
        """List as PAUSED what came of earlier downloads. Raises CardProblem, SettingsTooNew."""
        for left in self._shelf.unfinished():
            card = left.card
            with self._lock:
                known = self._deliveries.get(card.id)
                over = known is None or known.state is DeliveryState.CANCELLED
                if over and card.id not in self._unwanted and self._shelf.is_accepted(card):
                    self._works[card.id] = self._getting(card)
                    total = card.download_bytes
                    paused = DeliveryState.PAUSED
                    self._set(Delivery(card.id, card.title, paused, left.done, total))

    def bring(self, file: Path) -> None:
        """Queue the import of a model file or pack from elsewhere.

        A pack whose licence has not been accepted fails with LicenceNotAccepted.
        """

        def work(report: Report, cancelled: Callable[[], bool]) -> Installed | None:
            if is_pack(file):
                return self._shelf.unpack(file, cancelled, report)
            return self._shelf.bring(file, report, cancelled)

        self._queue(Delivery(str(file), file.name, DeliveryState.WAITING), work)

    def pause(self, id: str) -> None:
        """Stop it for now; one that has ended is left alone."""
        self._leave(id, DeliveryState.PAUSED)

    def cancel(self, id: str) -> None:
        """Stop it for good. A download that is asked for again goes on with what came."""
        self._leave(id, DeliveryState.CANCELLED)

    def discard(self, card: ModelCard) -> None:
        """Stop the download of ``card`` for good, and take away what has arrived of it."""
        with self._lock:
            self._leave(card.id, DeliveryState.CANCELLED)
            self._unwanted[card.id] = card
            self._begin()

    def hold(self) -> None:
        """Let what comes next wait until ``let_go``. Raises ModelInUse: something is coming in."""
        with self._lock:
            for delivery in self._deliveries.values():
                if delivery.state is DeliveryState.RUNNING:
                    raise ModelInUse(delivery.title, "downloading")
            self._held = True

    def let_go(self) -> None:
        """End a ``hold``. Idempotent."""
        with self._lock:
            self._held = False
            self._lock.notify_all()

    def resume(self, id: str) -> None:
        """Queue it again after a pause or a failure."""
        with self._lock:
            delivery = self._deliveries.get(id)
            if delivery and delivery.state in (DeliveryState.PAUSED, DeliveryState.FAILED):
                del self._deliveries[id]  # to the end of the queue
                self._set(replace(delivery, state=DeliveryState.WAITING, error=None, stage=""))
                self._begin()

    def all(self) -> tuple[Delivery, ...]:
        """Every delivery of this session, in the order they were asked for."""
        with self._lock:
            return tuple(self._deliveries.values())

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell ``listener`` of each change from now on; call what is returned to end that."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def end() -> None:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not listener)

        return end

    def close(self) -> None:
        """Stop, and wait for at most ``CLOSING_S``; what has arrived is kept. Idempotent."""
        with self._lock:
            self._closed = True
            self._listeners = ()
            self._lock.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(CLOSING_S)

    # What happens inside.

    def _getting(self, card: ModelCard) -> Work:
        def work(report: Report, cancelled: Callable[[], bool]) -> Installed | None:
            return self._shelf.get(card, report, cancelled)

        return work

    def _queue(self, delivery: Delivery, work: Work) -> None:
        with self._lock:
            known = self._deliveries.get(delivery.id)
            if known and known.state in (DeliveryState.WAITING, DeliveryState.RUNNING):
                return
            self._unwanted.pop(delivery.id, None)
            self._deliveries.pop(delivery.id, None)
            self._works[delivery.id] = work
            self._set(delivery)
            self._begin()

    def _begin(self) -> None:
        if self._closed:
            raise RuntimeError("the deliveries are closed")
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="easel-deliveries", daemon=True)
            self._thread.start()
        self._lock.notify_all()

    def _leave(self, id: str, state: DeliveryState) -> None:
        with self._lock:
            delivery = self._deliveries.get(id)
            ended = (DeliveryState.DONE, DeliveryState.CANCELLED)
            if delivery is not None and delivery.state not in ended:
                self._set(replace(delivery, state=state, speed=0.0, stage=""))

    def _run(self) -> None:
        while (what := self._next()) is not None:
            if isinstance(what, ModelCard):
                self._clear_away(what)
            else:
                self._deliver(what)

    def _next(self) -> ModelCard | str | None:
        """What to clear away, or the first that waits, now running; waits. None when closed."""
        with self._lock:
            while not self._closed:
                if self._unwanted:
                    return self._unwanted.popitem()[1]
                for delivery in self._deliveries.values():
                    if delivery.state is DeliveryState.WAITING and not self._held:
                        self._set(replace(delivery, state=DeliveryState.RUNNING))
                        return delivery.id
                self._lock.wait()
        return None

    def _clear_away(self, card: ModelCard) -> None:
        try:
            self._shelf.discard(card)
        except EaselError as error:
            with self._lock:
                self._set(Delivery(card.id, card.title, DeliveryState.FAILED, error=error))

    def _deliver(self, id: str) -> None:
        def cancelled() -> bool:
            with self._lock:
                return self._closed or self._deliveries[id].state is not DeliveryState.RUNNING

        def report(event: object) -> None:
            with self._lock:
                running = self._deliveries[id]
                if running.state is DeliveryState.RUNNING:
                    after = _after(running, event)
                    # Of bytes more will come soon; what else is going on may go on for long.
                    self._set(after, progress=after.stage == running.stage)

        try:
            installed = self._works[id](report, cancelled)
            error = None
        except EaselError as raised:
            installed, error = None, raised
        except Exception as raised:
            installed, error = None, Bug.of(raised)
        self._end(id, installed, error)

    def _end(self, id: str, installed: Installed | None, error: EaselError | None) -> None:
        with self._lock:
            delivery = self._deliveries[id]
            if installed is not None:
                ended = replace(
                    delivery, state=DeliveryState.DONE, done=delivery.total, installed=installed
                )
            elif error is not None and delivery.state is DeliveryState.RUNNING:
                ended = replace(delivery, state=DeliveryState.FAILED, error=error)
            else:  # paused, cancelled or closed: said already
                return
            self._set(replace(ended, speed=0.0, stage=""))

    def _set(self, delivery: Delivery, *, progress: bool = False) -> None:
        """Keep ``delivery`` and tell of it; of mere progress not too often. With the lock held."""
        self._deliveries[delivery.id] = delivery
        now = time.monotonic()
        if progress and now - self._told < TELL_S:
            return
        self._told = now
        for listener in self._listeners:
            with contextlib.suppress(RuntimeError):  # a window that is being taken down
                listener(delivery)


def _after(delivery: Delivery, event: object) -> Delivery:
    match event:
        case Transferring(done, total, _, speed):
            return replace(delivery, done=done, total=total, speed=speed, stage="")
        case Checking():
            return replace(delivery, stage="checking", speed=0.0)
        case WaitingFor(_, reason):
            return replace(delivery, stage=f"waiting: {reason}", speed=0.0)
        case Importing(stage, done, total, _):
            return replace(delivery, stage=stage.value, done=done, total=total, speed=0.0)
        case OtherEasel():
            return replace(delivery, stage="another Easel", speed=0.0)
        case Packing(done, total):
            return replace(delivery, done=done, total=total, stage="unpacking", speed=0.0)
        case FetchingAgain():
            return replace(delivery, stage="fetching again", speed=0.0)
    return delivery
