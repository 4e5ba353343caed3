"""``easel doctor --coreml``, ``easel selftest --coreml``: Core ML on this Mac, to send in."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from app.cli.checks import Checks
from app.cli.machine import system
from app.core.errors import EaselError
from app.core.folders import Folders
from app.core.mac import Mac
from app.core.model import Model, ModelFormat
from app.core.placement import Placement
from app.engine.coreml.backend import BackendFactory, core_ml
from app.engine.coreml.choosing import choose, variant
from app.engine.coreml.model import read_manifest
from app.engine.coreml.this_mac import this_mac
from app.engine.coreml.trying import Trials
from app.engine.coreml.verdicts import Verdict, Verdicts
from app.jobs.preparing import prepare_model
from app.messages import describe, size_text

Kept = TypeVar("Kept")

PLACEMENTS = (Placement.COREML_NEURAL_ENGINE, Placement.COREML_GPU)


@dataclass(frozen=True, slots=True)
class CoreMLSystem:
    """``mac`` is None on another system. ``factory`` opens models in a child process; verdicts and
    trials are kept below ``root``."""

    mac: Mac | None
    factory: BackendFactory
    root: Path


def system_of(folders: Folders) -> CoreMLSystem:
    """This computer's; compiled models and verdicts go below the caches folder."""
    root = folders.caches / "coreml"
    return CoreMLSystem(this_mac(), functools.partial(core_ml, root / "compiled"), root)


def look(checks: Checks, here: CoreMLSystem, models: Sequence[Model]) -> None:
    """What is there, and where each model would draw."""
    if here.mac is None:
        _say_there_is_none(checks)
        return
    _describe_mac(checks, here.mac)
    for model in _of_coreml(models):
        try:
            choice = choose(
                here.mac,
                read_manifest(Path(model.folder)),
                _known(Verdicts(here.root).read, model, here.mac.build),
                _known(Trials(here.root).read, model, here.mac.build),
            )
        except EaselError as error:
            checks.check(model.title, False, str(describe(error)))
            continue
        names = ", ".join(place.value for place in choice.ladder) or "not with Core ML"
        checks.fact(model.title, f"draws on {names} (decided by: {choice.why.value})")
        for place, verdict in _known(Verdicts(here.root).read, model, here.mac.build).items():
            _report(checks, f"{model.title}, {place.value}", verdict)


def test(checks: Checks, here: CoreMLSystem, models: Sequence[Model]) -> None:
    """Prepare each Core ML model for each unit, twice, and say how it did."""
    if here.mac is None:
        _say_there_is_none(checks)
        return
    _describe_mac(checks, here.mac)
    chosen = _of_coreml(models)
    checks.check("There is a Core ML model to test", bool(chosen))
    with tempfile.TemporaryDirectory(prefix="easel-selftest-") as folder:
        for model in chosen:
            for place in PLACEMENTS:
                _try(checks, here, here.mac, model, place, Path(folder))


def _try(
    checks: Checks, here: CoreMLSystem, mac: Mac, model: Model, place: Placement, folder: Path
) -> None:
    """The first load makes macOS compile, if it has not; the second is what a start costs."""
    name = f"{model.title}, {place.value}"
    for which in ("first", "second"):
        try:
            verdict = prepare_model(
                Path(model.folder),
                place,
                mac.build,
                here.factory,
                folder / which,
                lambda _: None,
                lambda: False,
            )
        except EaselError as error:
            checks.check(name, False, str(describe(error)))
            return
        if verdict is not None:
            _report(checks, f"{name}, {which} time", verdict)


def _report(checks: Checks, name: str, verdict: Verdict) -> None:
    if not verdict.works:
        checks.check(name, False, str(describe(verdict.error())))
        return
    for one in verdict.parts:
        words = (
            f"loaded in {one.load_s:.2f} s, {one.predict_s * 1000:.0f} ms a prediction, "
            f"cosine {one.cosine:.6f}"
        )
        if one.shares is not None:
            words += (
                f", {one.shares.neural_engine:.0%} on the Neural Engine, "
                f"{one.shares.gpu:.0%} on the GPU"
            )
        checks.check(f"{name}: {one.part.value}", True, words)
    if verdict.fell_back:
        checks.check(name, False, "macOS does most of the Neural Engine's work elsewhere")


def _describe_mac(checks: Checks, mac: Mac) -> None:
    checks.fact("Chip", mac.chip)
    checks.fact("Performance cores", str(mac.performance_cores))
    checks.fact("GPU cores", str(mac.gpu_cores) if mac.gpu_cores else "not known")
    checks.fact("Memory", size_text(mac.memory))
    checks.fact("macOS", f"{mac.macos[0]}.{mac.macos[1]} ({mac.build})")
    best = variant(mac)
    words = "none: Core ML needs Apple silicon and macOS 14"
    if best is not None:
        words = f"{best.attention.value}, {best.bits} bits, for the {best.placement.value}"
    checks.fact("Best variant to convert", words)


def _say_there_is_none(checks: Checks) -> None:
    checks.fact("Core ML", f"not here: this is {system()}, and Core ML is part of macOS")
    checks.fact(
        "The interpreter",
        "runs converted packages on any system, slowly, to prove that they draw what the original "
        "draws: easel convert --verify",
    )


def _of_coreml(models: Sequence[Model]) -> list[Model]:
    return [model for model in models if model.format is ModelFormat.COREML]


def _known(
    read: Callable[[Path, Placement, str], Kept | None], model: Model, build: str
) -> dict[Placement, Kept]:
    found = {place: read(Path(model.folder), place, build) for place in PLACEMENTS}
    return {place: kept for place, kept in found.items() if kept is not None}
