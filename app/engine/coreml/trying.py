"""Three steps of a real picture on this Mac: how long one takes here, and how much memory."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from app.core.events import Cancelled, Decoding, Progress, Stepped, Task
from app.core.placement import Placement
from app.engine.contract import Engine, IsCancelled
from app.engine.coreml.verdicts import key_of
from app.files.atomic_file import write_over

STEPS = 3
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Trial:
    """``step_s``: seconds a step. ``rest_s``: what a picture takes besides (prompt, pixels).

    ``memory``: the most that the process had, in bytes, less what it had before.
    """

    placement: Placement
    os_build: str
    step_s: float
    rest_s: float
    memory: int

    def picture_s(self, steps: int) -> float:
        """Seconds for a picture of so many steps, once the model is loaded."""
        return self.rest_s + steps * self.step_s


def run_trial(
    engine: Engine,
    task: Task,
    os_build: str,
    peak_memory: Callable[[], int],
    cancelled: IsCancelled,
    clock: Callable[[], float] = time.monotonic,
) -> Trial | None:
    """Draw ``task`` in ``STEPS`` steps twice, to load and to measure; None when it was cancelled.

    ``peak_memory``: the most bytes that the process has had so far. Raises EaselError.
    """
    short = replace(task, recipe=replace(task.recipe, steps=STEPS), previews=False)
    before = peak_memory()
    if isinstance(engine.draw(short, lambda _: None, cancelled), Cancelled):
        return None
    times: list[float] = []

    def note(progress: Progress) -> None:
        if isinstance(progress, Stepped | Decoding):
            times.append(clock())

    began = clock()
    if isinstance(engine.draw(short, note, cancelled), Cancelled):
        return None
    total = clock() - began
    steps = [times[at + 1] - times[at] for at in range(len(times) - 2)]  # the last is Decoding
    step_s = min(steps)
    rest_s = max(0.0, total - step_s * (len(steps) + 1))
    return Trial(task.placement, os_build, step_s, rest_s, max(0, peak_memory() - before))


class Trials:
    """The trials below ``root``: one file a model and placement."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, folder: Path, placement: Placement, os_build: str) -> Trial | None:
        """The trial, if it is of this OS build. A file that cannot be read is none."""
        try:
            data = json.loads(self._file(folder, placement).read_bytes())
            if data["format"] != FORMAT or data["os_build"] != os_build:
                return None
            return Trial(
                Placement(data["placement"]),
                os_build,
                float(data["step_s"]),
                float(data["rest_s"]),
                int(data["memory"]),
            )
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def write(self, folder: Path, trial: Trial) -> None:
        """Raises FolderNotWritable, NoSpace."""
        text = json.dumps({"format": FORMAT, **asdict(trial)}, indent=1)
        write_over(self._file(folder, trial.placement), text.encode("utf-8"))

    def _file(self, folder: Path, placement: Placement) -> Path:
        return self._root / key_of(folder) / f"{placement.name.lower()}-trial.json"
