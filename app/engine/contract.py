"""What every engine is. One conformance suite (tests/engine/conformance.py) holds all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from app.core.events import Cancelled, Finished, Progress, Task
from app.core.placement import Placement

Report = Callable[[Progress], None]
"""Takes each progress event, in order, on the thread that draws."""

IsCancelled = Callable[[], bool]
"""True once the task at hand should stop. Cheap: asked between steps and between loads."""


class Engine(Protocol):
    """Draws one picture at a time, on the thread that calls it.

    - Same task, same machine: same bytes.
    - ``draw`` reports ``Loading`` before it reads networks, one ``Stepped`` a scheduler step,
      ``Decoding`` before it decodes, and returns the ending. It never reports after it has seen
      ``cancelled()`` be true, never decodes then, and returns ``Cancelled``.
    - What goes wrong is raised as a typed ``EaselError``; the engine is usable after it.
    - ``close`` frees the networks; drawing after it raises RuntimeError.
    """

    def placements(self) -> tuple[Placement, ...]:
        """The placements that work on this machine, best first. Never empty."""
        ...

    def draw(self, task: Task, report: Report, cancelled: IsCancelled) -> Finished | Cancelled:
        """Draw ``task``. Raises EaselError (see ``core.errors``)."""
        ...

    def close(self) -> None:
        """Free everything. Idempotent."""
        ...


EngineFactory = Callable[[], Engine]
"""Makes an engine. Picklable by name, light to import: the heavy imports happen in the call."""
