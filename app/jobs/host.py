"""A host runs one engine somewhere that is not the caller's thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.core.errors import EaselError
from app.core.events import Event, JobId, Task
from app.core.model import Model, ModelFormat
from app.core.placement import Placement


@dataclass(frozen=True, slots=True)
class Starting:
    """An engine is being made. Drawing may be asked for already.

    ``format`` here and below: of the models that the engine draws with.
    """

    format: ModelFormat = ModelFormat.DIFFUSERS


@dataclass(frozen=True, slots=True)
class Ready:
    """The engine is there; ``placements`` work on this machine, best first, never empty."""

    placements: tuple[Placement, ...]
    format: ModelFormat = ModelFormat.DIFFUSERS


@dataclass(frozen=True, slots=True)
class Died:
    """The engine ended without being asked; the next ``draw`` or ``warm`` makes a new one.

    ``exit_code`` as multiprocessing gives it (negative: the signal; 0 for a thread). ``error``
    says why, as far as is known. Comes before the ``Failed`` of the job that was running.
    """

    exit_code: int
    error: EaselError
    format: ModelFormat = ModelFormat.DIFFUSERS


HostEvent = Starting | Ready | Died | Event


class Host(Protocol):
    """Draws one task at a time; every method returns at once, except ``close``.

    Methods may be called from any thread. Events come one after the other on a thread of the
    host, which must not be kept waiting; calling ``draw``, ``cancel`` and ``warm`` from there is
    allowed. Each drawn task ends exactly once, and nothing of it comes after its ending.
    """

    def start(self, on_event: Callable[[HostEvent], None]) -> None:
        """Begin making the engine: ``Starting``, then ``Ready`` or ``Died``. Call it once."""
        ...

    def warm(self, model: Model | None = None) -> None:
        """Make the engine if there is none; read ``model``'s networks where that is possible."""
        ...

    def draw(self, task: Task) -> None:
        """Draw ``task``. Raises RuntimeError while another is drawn, before start, after close."""
        ...

    def cancel(self, job: JobId) -> None:
        """Stop that job: it ends with ``Cancelled``, whatever the engine still says of it.

        Another's id, or one that has ended, is ignored.
        """
        ...

    def close(self) -> None:
        """Stop the engine and wait for it, for a bounded time. No event comes after. Idempotent."""
        ...
