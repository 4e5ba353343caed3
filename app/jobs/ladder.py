"""The ladder of placements: what does not work in one place is drawn again in the next."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.errors import (
    BadResult,
    EaselError,
    EngineDied,
    OutOfMemory,
    PlacementUnavailable,
    PredictionFailed,
)
from app.core.placement import Placement

MAX_DEATHS = 1
"""How often one job may take an engine down and still be tried elsewhere."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Where one job stands: ``placements[rung]``; ``first_error`` is what made it leave rung 0."""

    placements: tuple[Placement, ...]
    rung: int = 0
    deaths: int = 0
    first_error: EaselError | None = None

    @property
    def placement(self) -> Placement:
        return self.placements[self.rung]

    def after(self, error: EaselError) -> Ladder | None:
        """The ladder one rung further, or None when ``error`` is final."""
        deaths = self.deaths + isinstance(error, EngineDied)
        again = isinstance(
            error, BadResult | OutOfMemory | PlacementUnavailable | PredictionFailed | EngineDied
        )
        if not again or deaths > MAX_DEATHS or self.rung + 1 >= len(self.placements):
            return None
        return Ladder(self.placements, self.rung + 1, deaths, self.first_error or error)

    def verdict(self, error: EaselError) -> EaselError:
        """What to tell when ``error`` was final: the first error, since it names the cause."""
        return self.first_error or error
