"""What every bench is given."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from app.bench.runner import HERE, NotMeasured, Reading, Runner, Side, interleave
from app.core.folders import Folders

PEERS = HERE / "peers"
PROBES = HERE / "probes"
MODEL_VERSION = 1
"""Part of the name a built model is kept under: raise it when ``build_model.py`` changes."""


class Scale(StrEnum):
    """How large the random-weight model is."""

    TINY = "tiny"
    SMALL = "small"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Work:
    """What is drawn at a scale: pixels a side, steps, pictures after the first."""

    side: int
    steps: int
    pictures: int


WORK = {
    Scale.TINY: Work(side=64, steps=3, pictures=1),
    Scale.SMALL: Work(side=256, steps=20, pictures=2),
    Scale.FULL: Work(side=256, steps=4, pictures=1),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and how to measure. ``models`` is the folder that built models are kept in.

    ``say`` takes a line about what is going on. ``peer_only`` leaves Easel's side out.
    """

    runner: Runner
    folders: Folders
    models: Path
    scale: Scale = Scale.SMALL
    pairs: int = 5
    peer_only: bool = False
    say: Callable[[str], None] = field(default=lambda _: None)

    @property
    def work(self) -> Work:
        """What is drawn at this scale."""
        return WORK[self.scale]

    @property
    def counts(self) -> bool:
        """Whether targets are held: a tiny model shows that the bench works, nothing more."""
        return self.scale is not Scale.TINY

    def peer(self, name: str, *arguments: object, pinned: bool = True) -> Reading:
        """A reading of the stock script ``name``."""
        return self.runner.script(PEERS / name, *arguments, pinned=pinned)

    def probe(self, name: str, *arguments: object, pinned: bool = True) -> Reading:
        """A reading of Easel's side."""
        return self.runner.script(PROBES / name, *arguments, pinned=pinned)

    def window(self, name: str, *arguments: object, pinned: bool = True) -> Reading:
        """A reading of a probe that opens the program's window."""
        return self.probe("window.py", name, *arguments, pinned=pinned)

    def pair(
        self, what: str, ours: Side, peer: Side, *, times: int = 1, warm: bool = True
    ) -> tuple[list[Reading], list[Reading]]:
        """Interleaved readings of both sides, after one of each that is not counted.

        ``times`` as many pairs as asked are measured, for what takes no time. Without ``warm``
        nothing goes before: for bytes, which do not care whether the disk's cache is warm.
        """
        pairs = self.pairs * times
        chosen = None if self.peer_only else ours
        if warm:
            self.say(f"{what}: one of each to warm the disk's cache")
            interleave(chosen, peer, 1)
        self.say(f"{what}: {pairs} of each, in turn")
        return interleave(chosen, peer, pairs)

    def model(self, dtype: str = "float16") -> Path:
        """The random-weight model of this scale, built once and kept. Raises NotMeasured."""
        folder = self.models / f"{self.scale}-{dtype}-{MODEL_VERSION}"
        if folder.is_dir():
            return folder
        self.say(f"building a {self.scale} model with random weights in {folder}")
        self.models.mkdir(parents=True, exist_ok=True)
        parts = Path(tempfile.mkdtemp(prefix=".building-", dir=self.models))
        try:
            self.peer("build_model.py", parts / "m", "--scale", self.scale, "--dtype", dtype)
            (parts / "m").replace(folder)
        except OSError as error:
            raise NotMeasured(f"no model could be kept in {self.models}: {error}") from error
        finally:
            shutil.rmtree(parts, ignore_errors=True)
        return folder


def numbers(readings: list[Reading], name: str, scale: float = 1.0) -> tuple[float, ...]:
    """The number ``name`` of each reading, times ``scale``. Raises NotMeasured."""
    return tuple(reading.number(name) * scale for reading in readings)
