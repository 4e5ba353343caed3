"""Fresh processes, one after the other, each with its cost."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "RAYON_NUM_THREADS",
    ),
    "1",
)
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_XET": "1",
    "DIFFUSERS_DISABLE_REMOTE_CODE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


class NotMeasured(Exception):
    """A measurement could not be made; the text says what failed."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one fresh process cost, and what it said of itself.

    ``cpu`` is the user and system time of it and all it started, ``wall`` the time it took, both
    in seconds; ``peak`` the largest resident size of any one process of them, in bytes.
    ``numbers`` and ``facts`` are what the script wrote.
    """

    cpu: float
    wall: float
    peak: int
    numbers: Mapping[str, float]
    facts: Mapping[str, str]

    def number(self, name: str) -> float:
        """One of the script's numbers. Raises NotMeasured when it wrote none of that name."""
        try:
            return self.numbers[name]
        except KeyError:
            raise NotMeasured(f"the script reported no {name}") from None


Side = Callable[[], Reading]


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs scripts by path with this interpreter, one thread, pinned, with no network.

    ``limit_s`` is how long one may take. ``core`` None leaves it to the system.
    """

    core: int | None
    limit_s: float = 1800.0

    def script(self, path: Path, *arguments: object, pinned: bool = True) -> Reading:
        """Run a Python script that writes ``{"numbers": ..., "facts": ...}`` to ``--out FILE``.

        Raises NotMeasured when it fails, says nothing or takes too long.
        """
        with tempfile.TemporaryDirectory(prefix="easel-bench-") as folder:
            out = Path(folder) / "said.json"
            command = [sys.executable, str(path), *map(str, arguments), "--out", str(out)]
            cost = self._cost(command, Path(folder), pinned)
            try:
                said = json.loads(out.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise NotMeasured(f"{path.name} wrote no result: {error}") from error
        return Reading(
            cpu=float(cost["cpu"]),
            wall=float(cost["wall"]),
            peak=int(cost["peak"]),
            numbers={name: float(value) for name, value in said.get("numbers", {}).items()},
            facts={name: str(value) for name, value in said.get("facts", {}).items()},
        )

    def _cost(self, command: Sequence[str], folder: Path, pinned: bool) -> dict[str, float]:
        result = folder / "cost.json"
        core = "any" if self.core is None or not pinned else str(self.core)
        wrapped = [sys.executable, "-I", str(HERE / "measured.py"), str(result), core, *command]
        with (folder / "words").open("w+b") as words:
            process = subprocess.Popen(
                wrapped,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                env=environment(folder, os.environ),
                start_new_session=True,
            )
            try:
                process.wait(self.limit_s)
            except subprocess.TimeoutExpired as error:
                raise NotMeasured(f"{_name(command)} took over {self.limit_s:.0f} s") from error
            finally:
                _end(process)
            words.seek(0)
            said = words.read().decode("utf-8", "replace")
        cost: dict[str, float] = json.loads(result.read_text()) if result.exists() else {"code": -1}
        if cost["code"] != 0:
            raise NotMeasured(f"{_name(command)} failed:\n{said[-3000:].strip()}")
        return cost


def environment(home: Path, base: Mapping[str, str]) -> dict[str, str]:
    """``base`` with one thread, no network, no screen, and a person's folders under ``home``."""
    package_parent = str(HERE.parent.parent)
    kept = {name: value for name, value in base.items() if not name.startswith("PYTHON")}
    return {
        **kept,
        **ONE_THREAD,
        **OFFLINE,
        "PYTHONPATH": os.pathsep.join(filter(None, [package_parent, base.get("PYTHONPATH", "")])),
        "PYTHONHASHSEED": "0",
        "QT_QPA_PLATFORM": "offscreen",
        "EASEL_HOME": str(home / "easel"),
    }


def interleave(
    ours: Side | None, peer: Side | None, pairs: int
) -> tuple[list[Reading], list[Reading]]:
    """``pairs`` readings of each side, in turn: ours, peer, ours, peer... A side may be absent."""
    found: tuple[list[Reading], list[Reading]] = ([], [])
    for _ in range(pairs):
        for side, readings in zip((ours, peer), found, strict=True):
            if side is not None:
                readings.append(side())
    return found


def first_core() -> int | None:
    """The first core this process may run on; None where the system does not pin."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    return min(os.sched_getaffinity(0))


def _name(command: Sequence[str]) -> str:
    return Path(command[1]).name


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole group: a script that failed may have left a child."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
