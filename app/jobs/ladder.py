"""The ladder of placements: what does not work in one place is drawn again in the next."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.core.errors import (
    BadResult,
    EaselError,
    EngineDied,
    OutOfMemory,
    PlacementUnavailable,
    PredictionFailed,
    RecipeProblem,
)
from app.core.model import Model
from app.core.placement import Placement

MAX_DEATHS = 1
"""How often one job may take an engine down and still be tried elsewhere."""

_ELSEWHERE = BadResult | OutOfMemory | PlacementUnavailable | PredictionFailed | EngineDied


@dataclass(frozen=True, slots=True)
class Ladder:
    """Where one job stands: ``model`` at ``placements[rung]``.

    Under the last rung is the model's twin, the same weights for the other engine, where it has
    one. ``first_error`` is what made the job leave its first rung.
    """

    model: Model
    placements: tuple[Placement, ...]
    rung: int = 0
    deaths: int = 0
    first_error: EaselError | None = None

    @property
    def placement(self) -> Placement:
        return self.placements[self.rung]

    def after(self, error: EaselError) -> Ladder | None:
        """The ladder one rung further, or None when there is none of this engine."""
        deaths = self._deaths(error)
        if not isinstance(error, _ELSEWHERE) or deaths > MAX_DEATHS:
            return None
        if self.rung + 1 >= len(self.placements):
            return None
        return replace(
            self, rung=self.rung + 1, deaths=deaths, first_error=self.first_error or error
        )

    def twin(self, error: EaselError) -> Model | None:
        """The model to go on with in the other engine, or None when ``error`` is final.

        What this engine cannot do is no reason to give up: the other one may.
        """
        may = isinstance(error, _ELSEWHERE | RecipeProblem)
        return self.model.twin if may and self._deaths(error) <= MAX_DEATHS else None

    def below(self, placements: tuple[Placement, ...], error: EaselError) -> Ladder:
        """The twin's ladder, entered because of ``error``. Only where ``twin`` is not None."""
        assert self.model.twin is not None
        first = self.first_error or error
        return Ladder(self.model.twin, placements, 0, self._deaths(error), first)

    def verdict(self, error: EaselError) -> EaselError:
        """What to tell when ``error`` was final: the first error, since it names the cause."""
        return self.first_error or error

    def _deaths(self, error: EaselError) -> int:
        return self.deaths + isinstance(error, EngineDied)
