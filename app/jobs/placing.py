"""In which order a model's placements are tried, and what has been learned of them.

What failed with a model on this build of macOS is not tried again before the next; what a person
chose comes first.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from app.core.coreml_manifest import Part
from app.core.errors import (
    EaselError,
    ModelError,
    OutOfMemory,
    PredictionFailed,
    RecipeProblem,
    WorldError,
)
from app.core.mac import Mac
from app.core.model import Model, ModelFormat
from app.core.placement import Placement
from app.engine.coreml.choosing import choose
from app.engine.coreml.model import read_manifest
from app.engine.coreml.trying import Trials
from app.engine.coreml.verdicts import Verdict, Verdicts
from app.jobs.engines import CORE_ML


class Placing(Protocol):
    """Told and asked by the session, with its lock held: quick, and raises nothing."""

    def order(self, model: Model, placements: tuple[Placement, ...]) -> tuple[Placement, ...]:
        """Those of ``placements`` to try with ``model``, best first; () for none of them."""
        ...

    def failed(self, model: Model, placement: Placement, error: EaselError) -> None:
        """``model`` had to be drawn elsewhere because of ``error``."""
        ...


class AsOffered:
    """Takes the placements as the engine offers them."""

    def order(self, model: Model, placements: tuple[Placement, ...]) -> tuple[Placement, ...]:  # noqa: ARG002
        return placements

    def failed(self, model: Model, placement: Placement, error: EaselError) -> None:
        pass


class ByMac:
    """What ``app.engine.coreml.choosing`` says of this Mac; verdicts and trials are below ``root``.

    ``wanted`` gives the placement that a person chose in the settings, by its value; "" for none.
    """

    def __init__(self, mac: Mac, root: Path, wanted: Callable[[], str]) -> None:
        self._mac = mac
        self._verdicts = Verdicts(root)
        self._trials = Trials(root)
        self._wanted = wanted

    def order(self, model: Model, placements: tuple[Placement, ...]) -> tuple[Placement, ...]:
        if model.format is not ModelFormat.COREML:
            return placements
        folder, build = Path(model.folder), self._mac.build
        try:
            manifest = read_manifest(folder)
        except ModelError:
            return placements  # drawing says what is wrong
        verdicts = {p: v for p in CORE_ML if (v := self._verdicts.read(folder, p, build))}
        trials = {p: t for p in CORE_ML if (t := self._trials.read(folder, p, build))}
        wanted = next((place for place in CORE_ML if place.value == self._wanted()), None)
        ladder = choose(self._mac, manifest, verdicts, trials, wanted).ladder
        return tuple(place for place in ladder if place in placements)

    def failed(self, model: Model, placement: Placement, error: EaselError) -> None:
        if placement not in CORE_ML or isinstance(error, OutOfMemory | RecipeProblem):
            return  # memory may be there the next time, and other recipes can be drawn
        part, reason = Part.UNET.value, "answer"
        if isinstance(error, PredictionFailed):
            part, reason = error.part, error.reason
        verdict = Verdict(placement, self._mac.build, failed=part, reason=reason)
        try:
            self._verdicts.write(Path(model.folder), verdict)
        except WorldError:
            return  # then it is tried again the next time
