"""What a session tells: the core's events where they fit, and these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from app.core.errors import EaselError
from app.core.events import Cancelled, Decoding, Failed, Loading, PartlyUsed, Pixels, Stepped
from app.core.placement import Placement
from app.jobs.queue import Job

if TYPE_CHECKING:
    from app.library.library import Picture


class EngineState(StrEnum):
    """DOWN: not started yet, or it died; the next job starts it."""

    DOWN = "down"
    STARTING = "starting"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Queued:
    """The job waits its turn."""

    job: Job


@dataclass(frozen=True, slots=True)
class Started:
    """It is the job's turn; the engine may still be starting."""

    job: Job


@dataclass(frozen=True, slots=True)
class Retrying:
    """It did not work on ``before``; the same recipe and seed are drawn again on ``after``."""

    job: Job
    before: Placement
    after: Placement
    error: EaselError


@dataclass(frozen=True, slots=True)
class Saved:
    """The job's ending when all went well: its picture is on the disk.

    ``picture.fell_back`` tells when it had to go to another folder than the one that was set.
    """

    job: Job
    picture: Picture
    pixels: Pixels


@dataclass(frozen=True, slots=True)
class NotSaved:
    """Drawn, but no folder would take it; ``Failed`` with the same error follows.

    The pixels are here only: offer to save them elsewhere.
    """

    job: Job
    pixels: Pixels
    seconds: float
    placement: Placement
    error: EaselError


@dataclass(frozen=True, slots=True)
class EngineChanged:
    """``error`` says why it is DOWN; ``placements`` are those of the last engine that was READY."""

    state: EngineState
    placements: tuple[Placement, ...] = ()
    error: EaselError | None = None


SessionEvent = (
    Queued
    | Started
    | Loading
    | PartlyUsed
    | Stepped
    | Decoding
    | Retrying
    | Saved
    | NotSaved
    | Cancelled
    | Failed
    | EngineChanged
)
"""The path of a job: Queued Started Loading* Stepped* Decoding, then one of Saved, Cancelled,
Failed. After Retrying it begins again at Loading. A job stopped while it waits has no Started."""

Listener = Callable[[SessionEvent], None]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A session at one moment. ``jobs``: the running one first, then those that wait, in order.

    ``saving`` are drawn and on their way to the disk; they can no longer be stopped.
    """

    jobs: tuple[Job, ...] = ()
    running: Job | None = None
    saving: tuple[Job, ...] = ()
    engine: EngineState = EngineState.DOWN
    placements: tuple[Placement, ...] = ()

    @property
    def busy(self) -> bool:
        """Something would be lost by leaving now."""
        return bool(self.jobs or self.saving)
