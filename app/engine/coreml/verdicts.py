"""What preparing found out about a model at a placement, kept while macOS stays the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.core.coreml_manifest import FILE_NAME, Part
from app.core.errors import OutOfMemory, PredictionFailed
from app.core.placement import Placement
from app.engine.coreml.compute_plan import Shares
from app.files.atomic_file import write_over

FORMAT = 1
HALF = ".part.npz"
"""Ending of a file of answers while it is written."""
MEMORY = "memory"
"""The reason of a verdict where there was not the memory."""
LEAST_SHARE = 0.8
"""Of the work on the Neural Engine. With less macOS has silently gone to the processor."""


@dataclass(frozen=True, slots=True)
class PartVerdict:
    """How one model did: cosine with the known answer (0.9999), seconds to load the first time and
    to predict, and which device macOS plans its work on (None before macOS 14.4)."""

    part: Part
    cosine: float
    load_s: float
    predict_s: float
    shares: Shares | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """``failed`` is the part that did not do, "" where all did; ``reason`` as in PredictionFailed,
    or ``MEMORY``. ``parts`` are those that did."""

    placement: Placement
    os_build: str
    parts: tuple[PartVerdict, ...] = ()
    failed: str = ""
    reason: str = ""

    @property
    def works(self) -> bool:
        return not self.reason

    @property
    def neural_share(self) -> float | None:
        """The UNet's share of work on the Neural Engine, 0 to 1; None where macOS does not say."""
        shares = [one.shares for one in self.parts if one.part is Part.UNET]
        return shares[0].neural_engine if shares and shares[0] is not None else None

    @property
    def fell_back(self) -> bool:
        """Whether macOS does the Neural Engine's work somewhere else."""
        share = self.neural_share
        neural = self.placement is Placement.COREML_NEURAL_ENGINE
        return neural and share is not None and share < LEAST_SHARE

    def error(self) -> PredictionFailed | OutOfMemory:
        """What to raise of a verdict that does not work."""
        if self.reason == MEMORY:
            return OutOfMemory()
        return PredictionFailed(self.failed, self.reason)


class Verdicts:
    """The verdicts below ``root``: one file a model and placement."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, folder: Path, placement: Placement, os_build: str) -> Verdict | None:
        """The verdict, if it is of this OS build and of the model as it is now."""
        found = self.latest(folder, placement)
        return found if found is not None and found.os_build == os_build else None

    def latest(self, folder: Path, placement: Placement) -> Verdict | None:
        """The last verdict, of whichever OS build. A file that cannot be read is none."""
        try:
            data = json.loads(self._file(folder, placement).read_bytes())
            if data["format"] != FORMAT:
                return None
            parts = tuple(_part(row) for row in data["parts"])
            return Verdict(
                Placement(data["placement"]),
                str(data["os_build"]),
                parts,
                str(data["failed"]),
                str(data["reason"]),
            )
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def write(self, folder: Path, verdict: Verdict) -> None:
        """Raises FolderNotWritable, NoSpace."""
        text = json.dumps({"format": FORMAT, **asdict(verdict)}, indent=1)
        write_over(self._file(folder, verdict.placement), text.encode("utf-8"))

    def answers(self, folder: Path) -> Path:
        """Where the answers are kept that a model did not bring along."""
        return self._root / key_of(folder) / "golden"

    def _file(self, folder: Path, placement: Placement) -> Path:
        return self._root / key_of(folder) / f"{placement.name.lower()}.json"


def key_of(folder: Path) -> str:
    """Another one when coreml.json, which has the hashes of the weights, is another."""
    try:
        said = (folder / FILE_NAME).read_bytes()
    except OSError:
        said = b""
    return hashlib.sha256(str(folder.resolve()).encode() + b"\0" + said).hexdigest()[:32]


def _part(row: dict[str, Any]) -> PartVerdict:
    shares = row["shares"]
    return PartVerdict(
        Part(row["part"]),
        float(row["cosine"]),
        float(row["load_s"]),
        float(row["predict_s"]),
        Shares(**shares) if isinstance(shares, dict) else None,
    )
