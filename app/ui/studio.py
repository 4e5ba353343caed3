"""Between the session and the window: begins it, draws drafts, stops, tries again, ends it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.core.model import Model
from app.core.placement import Placement
from app.core.recipe import Draft
from app.ui.desk import Desk
from app.ui.item import Item, Stage, draft_of
from app.ui.pace import Pace

if TYPE_CHECKING:
    from app.compose import Easel
    from app.jobs.events import SessionEvent
    from app.jobs.queue import Job
    from app.jobs.session import Session
    from app.ui.bridge import Bridge

log = logging.getLogger(__name__)


class Studio(QObject):
    """The session as the window needs it. Nothing of it starts before ``begin`` or ``draw``."""

    heard = Signal(object)
    """Every session event, on the window's thread, after the desk has taken it."""
    placed = Signal()
    """Where pictures are drawn is known, or has changed."""

    def __init__(self, easel: Easel, desk: Desk) -> None:
        super().__init__()
        self._easel = easel
        self._desk = desk
        self._session: Session | None = None
        self._bridge: Bridge | None = None
        self._warm = False
        self.pace = Pace()
        self.placements: tuple[Placement, ...] = ()

    @property
    def session(self) -> Session:
        """The session, made when it is first asked for."""
        if self._session is None:
            from app.ui.bridge import Bridge

            self._bridge = Bridge(self)
            self._bridge.happened.connect(self._hear)
            self._session = self._easel.make_session(self._bridge.listen)
        return self._session

    def begin(self, model: Model | None) -> None:
        """Start the engine, and let it read ``model``."""
        self._warm = True
        self.session.warm_up(model)

    def model_changed(self, model: Model | None) -> None:
        """Let the engine, if it has been started, read ``model``, for it is likely drawn with."""
        if self._warm and model is not None:
            self.session.warm_up(model)

    def draw(self, draft: Draft, model: Model) -> tuple[Job, ...]:
        """Queue ``draft``; a job a picture. Raises RecipeProblem."""
        jobs = self.session.submit(draft, model)
        log.info("queued %d of %s at %s", len(jobs), model.id, jobs[0].recipe.size)
        return jobs

    def stop(self, item: Item) -> None:
        """Stop ``item``; one that has failed is put away."""
        if item.stage is Stage.FAILED:
            self._desk.drop(item)
        else:
            self.session.stop(item.job.id)

    def stop_all(self) -> None:
        self.session.stop_all()

    def again(self, item: Item) -> None:
        """Draw what failed again, seed and all, with those of its group that failed as it did."""
        group = [
            other
            for other in reversed(self._desk.items())
            if other.stage is Stage.FAILED and other.job.group == item.job.group
        ]
        for other in group:
            self._desk.drop(other)
        for other in group:
            self.draw(draft_of(other.recipe), other.job.model)

    def close(self) -> None:
        """End the session; what has not ended stays in its journal. Blocks for a bounded time."""
        if self._bridge is not None:
            self._bridge.close()
        if self._session is not None:
            self._session.close()

    def _hear(self, event: SessionEvent) -> None:
        from app.jobs.events import EngineChanged, Saved

        self._desk.hear(event)
        if isinstance(event, Saved):
            self.pace.note(event.job.recipe, event.picture.seconds)
            self.placements = (event.picture.placement,)
            self.placed.emit()
        elif isinstance(event, EngineChanged) and event.placements:
            self.placements = event.placements
            self.placed.emit()
        self.heard.emit(event)


def place_text(placement: Placement, mac: bool) -> str:
    """Where a picture is drawn, for the end of a sentence."""
    computer = "this Mac" if mac else "this computer"
    return {
        Placement.COREML_NEURAL_ENGINE: f"{computer}'s Neural Engine",
        Placement.COREML_GPU: f"{computer}'s GPU",
        Placement.MPS: f"{computer}'s GPU",
        Placement.CUDA: f"{computer}'s graphics card",
        Placement.CPU: f"{computer}'s processor",
    }[placement]
