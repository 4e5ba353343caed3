"""Where a Mac draws a model best: by what it is made of, by what was tried, by what a person says.

The table is from published measurements: on base chips the Neural Engine is 1.75 times as fast as
the GPU, on chips with many GPU cores it is the other way round, and both together gain nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.core.coreml_manifest import Attention, CoreMLManifest, Part, PartSpec, Units
from app.core.mac import Mac
from app.core.model import Family
from app.core.placement import Placement
from app.engine.coreml.trying import Trial
from app.engine.coreml.verdicts import Verdict

LEAST_MACOS = (14, 0)
"""Palettized weights are unpacked while they are used, from macOS 14 on."""
SDPA_MACOS = 15
MANY_GPU_CORES = 16
MANY_PERFORMANCE_CORES = 8
SDXL_MEMORY = 15 * 2**30
"""Macs of 16 GB. On 8 GB SDXL has taken minutes a picture and then the system down."""
ROOMY_MEMORY = 15 * 2**30
MOST_OF_MEMORY = 0.8

_UNITS = {
    Placement.COREML_NEURAL_ENGINE: Units.CPU_AND_NEURAL_ENGINE,
    Placement.COREML_GPU: Units.CPU_AND_GPU,
}


class Why(StrEnum):
    """What decided."""

    CHIP = "chip"
    TRIAL = "trial"
    PERSON = "person"
    NOTHING = "nothing"  # no placement of Core ML will do


@dataclass(frozen=True, slots=True)
class Choice:
    """``ladder``: the placements of Core ML worth trying, best first; empty where none is."""

    ladder: tuple[Placement, ...]
    why: Why


@dataclass(frozen=True, slots=True)
class Variant:
    """The form of a model that a Mac draws fastest. ``bits`` of the UNet's and text encoders'
    weights; ``target``: the macOS to convert for."""

    placement: Placement
    attention: Attention
    bits: int
    target: int


def variant(mac: Mac) -> Variant | None:
    """Which variant to convert or download; None where Core ML is no use."""
    if not _able(mac):
        return None
    if _draws_on_gpu(mac):
        return Variant(Placement.COREML_GPU, Attention.SDPA, 16, SDPA_MACOS)
    return Variant(Placement.COREML_NEURAL_ENGINE, Attention.SPLIT_EINSUM, 6, 14)


def stages(mac: Mac) -> bool:
    """Whether only the network at work is to be in memory."""
    return mac.memory < ROOMY_MEMORY


def choose(
    mac: Mac,
    manifest: CoreMLManifest,
    verdicts: Mapping[Placement, Verdict],
    trials: Mapping[Placement, Trial],
    wanted: Placement | None = None,
) -> Choice:
    """Where ``mac`` draws the model; verdicts and trials are of this OS build.

    What does not work, does not fit into memory, or is done on the processor behind our back comes
    last or not at all. ``wanted`` is what a person chose: first, unless it does not work.
    """
    # 1. What the model is made for and the chip can do, in the table's order
    possible = [place for place in _by_chip(mac) if _fits(mac, manifest, place)]
    # 2. Without what has failed here
    working = [place for place in possible if place not in verdicts or verdicts[place].works]
    working = [place for place in working if not _too_large(mac, trials.get(place))]
    if not working:
        return Choice((), Why.NOTHING)
    # 3. By what was tried, where more than one was; what fell back after the rest
    tried = [place for place in working if place in trials]
    why = Why.TRIAL if len(tried) > 1 else Why.CHIP
    if len(tried) > 1:
        working.sort(key=lambda place: trials[place].step_s if place in trials else float("inf"))
    working.sort(key=lambda place: place in verdicts and verdicts[place].fell_back)
    # 4. A person may know better
    if wanted in working:
        rest = tuple(place for place in working if place is not wanted)
        return Choice((wanted, *rest), Why.PERSON)
    return Choice(tuple(working), why)


def _able(mac: Mac) -> bool:
    return mac.apple_silicon and mac.macos >= LEAST_MACOS


def _draws_on_gpu(mac: Mac) -> bool:
    many = mac.gpu_cores >= MANY_GPU_CORES or mac.performance_cores >= MANY_PERFORMANCE_CORES
    return many and mac.macos[0] >= SDPA_MACOS


def _by_chip(mac: Mac) -> tuple[Placement, ...]:
    both = (Placement.COREML_NEURAL_ENGINE, Placement.COREML_GPU)
    if not _able(mac):
        return ()
    return both[::-1] if _draws_on_gpu(mac) else both


def _fits(mac: Mac, manifest: CoreMLManifest, place: Placement) -> bool:
    unet = manifest.parts[Part.UNET]
    if manifest.family is Family.SDXL and mac.memory < SDXL_MEMORY:
        return False
    named = any(_needs_name(spec) for spec in manifest.parts.values())
    target = max(spec.target for spec in manifest.parts.values())
    if mac.macos[0] < max(target, SDPA_MACOS if named else 0):
        return False
    return not unet.units or _UNITS[place] in unet.units


def _needs_name(spec: PartSpec) -> bool:
    """Functions are chosen by name from macOS 15 on."""
    return any(function.name != "main" for function in spec.functions)


def _too_large(mac: Mac, trial: Trial | None) -> bool:
    return trial is not None and trial.memory > MOST_OF_MEMORY * mac.memory
