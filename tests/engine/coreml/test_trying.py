"""A trial measures a step and the rest of a picture, and is kept while macOS stays the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.events import Cancelled, Decoding, Finished, Loading, Pixels, Stepped, Task
from app.core.placement import Placement
from app.engine.coreml.trying import STEPS, Trial, Trials, run_trial
from tests.engine.coreml.tiny_models import tiny_folder
from tests.engine.numpy_engine import NumpyEngine, numpy_model
from tests.jobs.recipes import task

GPU = Placement.COREML_GPU


class Clocked:
    """An engine on a clock of its own: 2 s to load, 1 s for the prompt, 0.5 s a step, 3 s to
    decode; the first step takes a second more."""

    def __init__(self) -> None:
        self.now = 0.0
        self.loaded = False
        self.steps = 0

    def placements(self) -> tuple[Placement, ...]:
        return (GPU,)

    def draw(
        self, task: Task, report: Callable[[object], None], cancelled: Callable[[], bool]
    ) -> Finished | Cancelled:
        if not self.loaded:
            report(Loading(task.job))
            self.now += 2.0
        self.loaded = True
        self.now += 1.0
        for step in range(1, task.recipe.steps + 1):
            if cancelled():
                return Cancelled(task.job)
            self.now += 1.5 if step == 1 else 0.5
            self.steps += 1
            report(Stepped(task.job, step, task.recipe.steps))
        report(Decoding(task.job))
        self.now += 3.0
        return Finished(task.job, Pixels(1, 1, b"\0\0\0"), task.placement, 1.0)

    def close(self) -> None:
        pass


def test_steps_and_the_rest_are_told_apart(tmp_path: Path) -> None:
    engine, peaks = Clocked(), iter((100, 1_300))
    found = run_trial(
        engine,  # type: ignore[arg-type]
        task(numpy_model(tmp_path), steps=20),
        "24B83",
        lambda: next(peaks),
        lambda: False,
        lambda: engine.now,
    )
    assert found == Trial(Placement.CPU, "24B83", 0.5, 5.0, 1_200)
    assert engine.steps == 2 * STEPS
    assert found.picture_s(20) == 15.0


@pytest.mark.parametrize("at", [1, 4])
def test_a_stop_in_either_half(at: int, tmp_path: Path) -> None:
    engine = Clocked()
    assert (
        run_trial(
            engine,  # type: ignore[arg-type]
            task(numpy_model(tmp_path)),
            "24B83",
            lambda: 0,
            lambda: engine.steps >= at,
        )
        is None
    )
    assert engine.steps == at


def test_a_real_engine(tmp_path: Path) -> None:
    engine = NumpyEngine(step_seconds=0.02)
    model = numpy_model(tmp_path)
    found = run_trial(engine, task(model), "24B83", lambda: 0, lambda: False)
    engine.close()
    assert found is not None
    assert 0.02 <= found.step_s < 1.0


def test_it_is_kept_for_one_build(tmp_path: Path) -> None:
    folder, trials = tiny_folder(tmp_path / "model"), Trials(tmp_path / "trials")
    trial = Trial(GPU, "24B83", 0.4, 2.0, 10**9)
    trials.write(folder, trial)

    assert trials.read(folder, GPU, "24B83") == trial
    assert trials.read(folder, GPU, "24C1") is None
    assert trials.read(folder, Placement.COREML_NEURAL_ENGINE, "24B83") is None
    for text in ("", "[]", "{}", '{"format": 2}'):
        next((tmp_path / "trials").rglob("*.json")).write_text(text, "utf-8")
        assert trials.read(folder, GPU, "24B83") is None
