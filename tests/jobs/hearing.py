"""Listens to a host or a session from a test."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from app.core.events import Cancelled, Failed, Finished
from app.jobs.events import Saved

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds until a test gives up; reached only when something is broken."""


class Heard:
    """Keeps every event, and lets the test wait for one."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self._changed = threading.Condition()

    def __call__(self, event: object) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait(self, kind: type[T], when: Callable[[T], bool] = lambda _: True) -> T:
        """The first event of that kind, past or to come."""
        found: list[T] = []

        def there() -> bool:
            found.extend(e for e in self.events if isinstance(e, kind) and when(e))
            return bool(found)

        with self._changed:
            assert self._changed.wait_for(there, PATIENCE), f"no {kind} in {self.events}"
        return found[0]

    def ending(self, job: str) -> Any:
        """How ``job`` ended; waits for it."""
        return self.wait(object, lambda event: job in endings([event]))  # type: ignore[arg-type]

    def of(self, job: str) -> list[Any]:
        """The events of ``job`` so far."""
        return [event for event in list(self.events) if id_of(event) == job]


def id_of(event: Any) -> str | None:
    job = getattr(event, "job", None)
    return getattr(job, "id", job)


def endings(events: list[Any]) -> list[str | None]:
    """The ids of the jobs that end in ``events``, once for each ending."""
    return [id_of(e) for e in events if isinstance(e, Finished | Cancelled | Failed | Saved)]
