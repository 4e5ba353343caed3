"""Preparing through the child: a hang, a crash and a Stop end it, and what was learnt is kept."""

from __future__ import annotations

import functools
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.errors import EaselError, ModelIncomplete, OutOfMemory, PredictionFailed
from app.core.placement import Placement
from app.engine.coreml.preparing import Preparing, Stage
from app.engine.coreml.verdicts import Verdict, Verdicts
from app.jobs.preparing import prepare_model
from tests.engine.coreml.tiny_models import standin, tiny_folder

NEURAL = Placement.COREML_NEURAL_ENGINE
BUILD = "24A335"
ROOT = Path(__file__).parents[2]


class Job:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = tiny_folder(root / "model")
        self.events: list[Preparing] = []

    def run(
        self,
        how: str = "",
        build: str = BUILD,
        stop: Callable[[], bool] = lambda: False,
        stage_s: float = 60.0,
        memory: int = 0,
        slow: bool = False,
    ) -> Verdict | None:
        factory = functools.partial(standin, self.root / "cache", how, stages=slow)
        return prepare_model(
            self.folder,
            NEURAL,
            build,
            factory,
            self.root / "verdicts",
            self.events.append,
            stop,
            stage_s=stage_s,
            memory=memory,
        )

    def kept(self, build: str = BUILD) -> Verdict | None:
        return Verdicts(self.root / "verdicts").read(self.folder, NEURAL, build)

    def halves(self) -> list[str]:
        return [one.name for one in self.root.rglob("*") if ".part" in one.name]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_it_is_prepared_once_and_again_when_the_system_is_another(job: Job) -> None:
    first = job.run()
    assert first is not None
    assert first.works
    assert len(job.events) == 12
    assert job.kept() == first

    job.events.clear()
    assert job.run("crash") == first  # it does not come to that
    assert job.events == []

    again = job.run(build="24B83")
    assert again is not None
    assert again.os_build == "24B83"
    assert len(job.events) == 9  # the answers are there already


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("hang", PredictionFailed("unet", "hang")),
        ("crash", PredictionFailed("unet", "crash")),
        ("nan", PredictionFailed("unet", "answer")),
    ],
)
def test_what_went_wrong_is_remembered(how: str, error: EaselError, job: Job) -> None:
    began = time.monotonic()
    answers = Verdicts(job.root / "verdicts").answers(job.folder)
    answers.mkdir(parents=True)
    (answers / "unet.part.npz").touch()  # as a child leaves it that was killed

    verdict = job.run(how, stage_s=60.0 if how != "hang" else 3.0)

    assert verdict is not None
    assert verdict.error() == error
    assert job.kept() == verdict
    assert time.monotonic() - began < 50
    assert job.halves() == []
    assert job.run() == verdict  # macOS is the same: it is not tried again


@pytest.mark.parametrize(("how", "memory"), [("memory", 0), ("greedy", 12 << 30)])
def test_memory_that_is_refused_may_be_there_next_time(how: str, memory: int, job: Job) -> None:
    verdict = job.run(how, memory=memory)

    assert verdict is not None
    assert verdict.error() == OutOfMemory()
    assert job.kept() is None
    again = job.run()
    assert again is not None
    assert again.works


@pytest.mark.parametrize("stage", list(Stage))
def test_a_stop_in_each_phase_ends_it_and_leaves_nothing(stage: Stage, job: Job) -> None:
    began = time.monotonic()

    verdict = job.run(
        "hang" if stage is Stage.LOADING else "",
        stop=lambda: bool(job.events) and job.events[-1].stage is stage,
        slow=stage is not Stage.LOADING,
    )

    assert verdict is None
    assert job.kept() is None
    assert job.halves() == []
    assert time.monotonic() - began < 40


def test_a_model_that_is_not_whole_is_said_and_not_remembered(job: Job) -> None:
    (job.folder / "tokenizer" / "vocab.json").unlink()
    with pytest.raises(ModelIncomplete) as caught:
        job.run()
    assert caught.value == ModelIncomplete(str(job.folder), ("tokenizer/tokenizer.json",))
    assert job.kept() is None


def test_the_window_s_process_needs_no_numpy_for_it() -> None:
    code = "import sys, app.jobs.preparing; print('numpy' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "False\n"
