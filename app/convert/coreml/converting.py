"""Turns a model in diffusers layout into a folder of Core ML packages, whole or not at all.

It opens weights that may be foreign and takes minutes and gigabytes, and so it runs in
``jobs.limited_child``. Nothing here needs torch: whoever only names these things goes without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.convert.importing import MARGIN, Stopped, whole_or_nothing
from app.core.coreml_manifest import Attention, CoreMLManifest
from app.core.errors import ConversionRefused, NoSpace
from app.core.recipe import Size
from app.files.atomic_file import free_bytes

BITS = (16, 8, 6, 4)
SIDES = range(64, 1025, 8)
"""Pixels; what a model's own shapes add to that, ``assembling`` checks."""


class Mode(StrEnum):
    """How a palette is chosen: the nearest values there can be, or evenly spaced ones."""

    KMEANS = "kmeans"
    UNIFORM = "uniform"


class Runs(StrEnum):
    """What a conversion is for."""

    NEURAL_ENGINE = "ane"
    GPU = "gpu"


class Stage(StrEnum):
    """What is being done to a part."""

    CHECKING = "checking"
    LOADING = "loading"
    PALETTIZING = "palettizing"
    ANSWERING = "answering"  # the golden question, with torch
    CONVERTING = "converting"
    STORING = "storing"  # palettes and indices in the place of weights
    MERGING = "merging"  # several sizes over one set of weights
    PROVING = "proving"  # lint, hashes


@dataclass(frozen=True, slots=True)
class Converting:
    """``done`` of ``total`` of the whole work, in seconds of a reference machine.

    ``elapsed`` and ``left`` are seconds here; ``left`` is an estimate. ``part`` is a
    ``core.coreml_manifest.Part``, or "".
    """

    stage: Stage
    part: str
    done: float
    total: float
    elapsed: float
    left: float


@dataclass(frozen=True, slots=True)
class Lora:
    """A LoRA file to fuse, and how strongly (1.0: as it was trained)."""

    file: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class ConversionOptions:
    """``bits``: 16 keeps weights as they are; 8, 6 or 4 palettize UNet and text encoders.

    ``sizes`` are the pictures' sizes, () for the one the model was trained at; the first one with
    the largest of ``batches`` is the function "main". More than one function asks for macOS 15.
    ``fast``: one of ``loras`` is an LCM-LoRA, so guidance is off and steps are few: batch 1.
    ``residuals``: the UNet takes a ControlNet's. ``title`` and ``licence`` are for the manifest.
    """

    bits: int = 6
    mode: Mode = Mode.KMEANS
    attention: Attention = Attention.SPLIT_EINSUM
    runs: Runs = Runs.NEURAL_ENGINE
    sizes: tuple[Size, ...] = ()
    batches: tuple[int, ...] = (2,)
    loras: tuple[Lora, ...] = ()
    fast: bool = False
    residuals: bool = False
    title: str = ""
    licence: str = ""

    @classmethod
    def for_gpu(cls) -> ConversionOptions:
        """What Macs with many GPU cores draw best with."""
        return cls(bits=16, attention=Attention.SDPA, runs=Runs.GPU)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a conversion takes, in bytes."""

    disk: int
    memory: int


def convert_model(
    folder: Path,
    target: Path,
    options: ConversionOptions,
    report: Callable[[Converting], None],
    cancelled: Callable[[], bool],
    memory: int = 0,
) -> CoreMLManifest | None:
    """Convert the model in ``folder`` into the new folder ``target``.

    The caller gives ``target`` its name in the end (a staging folder); ``memory`` is how many
    bytes there are to work with, 0 where that is not known. None when it was stopped. Whatever
    goes wrong, and when stopped, ``target`` is gone again. Raises ConversionRefused, ImportRefused
    (of ``folder`` or a LoRA), NoSpace, FolderNotWritable; FileExistsError for a ``target`` that is
    there.
    """
    # 1. What is asked can be
    title = options.title or folder.name
    if options.bits not in BITS:
        raise ConversionRefused(title, "bits")
    for size in options.sizes:
        if size.width not in SIDES or size.height not in SIDES:
            raise ConversionRefused(title, "size")
    # 2. The model is what it should be, and there is room and memory for the work
    from app.convert.coreml.assembling import Assembly

    assembly = Assembly(folder, options, report, cancelled)
    needs = assembly.needs
    free = free_bytes(target.parent)
    if free < needs.disk + MARGIN:
        raise NoSpace(str(target.parent), needs.disk + MARGIN, free)
    if memory and memory < needs.memory:
        raise ConversionRefused(title, "too much memory")
    # 3. Whole or nothing
    try:
        with whole_or_nothing(target, needs.disk):
            return assembly.write(target)
    except Stopped:
        return None
