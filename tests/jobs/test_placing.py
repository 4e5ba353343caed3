"""In which order a Mac tries its placements, and what it remembers of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.coreml_manifest import Units
from app.core.errors import (
    BlackResult,
    EaselError,
    NotFinite,
    OutOfMemory,
    PredictionFailed,
    RecipeProblem,
)
from app.core.events import Cancelled, Finished, Task
from app.core.mac import Mac
from app.core.model import Model, ModelFormat
from app.core.placement import Placement
from app.core.recipe import Draft
from app.engine.contract import IsCancelled, Report
from app.engine.coreml.model import read_coreml_model
from app.engine.coreml.trying import Trial, Trials
from app.engine.coreml.verdicts import Verdicts
from app.jobs.events import Retrying, Saved
from app.jobs.hosts import Hosts
from app.jobs.placing import AsOffered, ByMac
from app.jobs.session import Session
from app.jobs.thread_host import ThreadHost
from app.library.library import Library
from tests.engine.coreml.test_choosing import AIR, ULTRA
from tests.engine.coreml.tiny_models import tiny_folder
from tests.engine.numpy_engine import NumpyEngine, numpy_model
from tests.jobs.hearing import Heard

NEURAL, GPU = Placement.COREML_NEURAL_ENGINE, Placement.COREML_GPU
OFFERED = (NEURAL, GPU)


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return read_coreml_model(tiny_folder(tmp_path / "model"))


def placing(root: Path, mac: Mac = AIR, wanted: str = "") -> ByMac:
    return ByMac(mac, root / "verdicts", lambda: wanted)


def test_the_chip_decides(model: Model, tmp_path: Path) -> None:
    assert placing(tmp_path).order(model, OFFERED) == (NEURAL, GPU)
    assert placing(tmp_path, ULTRA).order(model, OFFERED) == (GPU, NEURAL)


def test_what_a_person_chose_comes_first(model: Model, tmp_path: Path) -> None:
    assert placing(tmp_path, wanted=GPU.value).order(model, OFFERED) == (GPU, NEURAL)
    assert placing(tmp_path, wanted="nonsense").order(model, OFFERED) == (NEURAL, GPU)


def test_what_was_tried_decides_before_the_chip(model: Model, tmp_path: Path) -> None:
    trials = Trials(tmp_path / "verdicts")
    for place, step_s in ((NEURAL, 2.0), (GPU, 1.0)):
        trials.write(Path(model.folder), Trial(place, AIR.build, step_s, 1.0, 2**30))
    assert placing(tmp_path).order(model, OFFERED) == (GPU, NEURAL)
    later = replace(AIR, build="24B83")
    assert placing(tmp_path, later).order(model, OFFERED) == (NEURAL, GPU)


def test_only_what_the_engine_offers_and_the_model_is_made_for(tmp_path: Path) -> None:
    units = (Units.CPU_AND_GPU, Units.CPU)
    model = read_coreml_model(tiny_folder(tmp_path / "model", units=units))
    assert placing(tmp_path).order(model, OFFERED) == (GPU,)
    assert placing(tmp_path).order(model, (NEURAL,)) == ()


def test_a_model_of_the_other_engine_is_not_its_business(tmp_path: Path) -> None:
    plain = numpy_model(tmp_path)
    offered = (Placement.MPS, Placement.CPU)
    assert placing(tmp_path).order(plain, offered) == offered
    assert AsOffered().order(plain, offered) == offered


def test_a_model_that_cannot_be_read_is_tried_so_that_drawing_tells(
    model: Model, tmp_path: Path
) -> None:
    (Path(model.folder) / "coreml.json").write_text("{", "utf-8")
    assert placing(tmp_path).order(model, OFFERED) == OFFERED


@pytest.mark.parametrize(
    ("error", "part", "reason"),
    [
        (NotFinite("denoising"), "unet", "answer"),
        (BlackResult(), "unet", "answer"),
        (PredictionFailed("vae_decoder", "crash"), "vae_decoder", "crash"),
    ],
)
def test_what_failed_is_not_tried_again_on_this_build(
    error: EaselError, part: str, reason: str, model: Model, tmp_path: Path
) -> None:
    placing(tmp_path).failed(model, NEURAL, error)
    assert placing(tmp_path).order(model, OFFERED) == (GPU,)
    kept = Verdicts(tmp_path / "verdicts").read(Path(model.folder), NEURAL, AIR.build)
    assert kept is not None
    assert (kept.failed, kept.reason) == (part, reason)
    later = placing(tmp_path, replace(AIR, build="24B83"))
    assert later.order(model, OFFERED) == (NEURAL, GPU)


def test_memory_and_other_engines_are_not_held_against_a_placement(
    model: Model, tmp_path: Path
) -> None:
    placing(tmp_path).failed(model, NEURAL, OutOfMemory(2, 1))
    placing(tmp_path).failed(model, NEURAL, RecipeProblem("prompt", "a", "no embedding"))
    placing(tmp_path).failed(model, Placement.CPU, BlackResult())
    assert placing(tmp_path).order(model, OFFERED) == (NEURAL, GPU)


def test_a_verdict_that_cannot_be_written_stops_nothing(model: Model, tmp_path: Path) -> None:
    (tmp_path / "verdicts").write_text("in the way", "utf-8")
    placing(tmp_path).failed(model, NEURAL, BlackResult())
    assert placing(tmp_path).order(model, OFFERED) == (NEURAL, GPU)


# Through a session.


class Failing(NumpyEngine):
    """Offers what Core ML has on a Mac, and fails there."""

    def __init__(self, tried: list[Placement]) -> None:
        super().__init__()
        self._tried = tried

    def placements(self) -> tuple[Placement, ...]:
        return OFFERED

    def draw(
        self,
        task: Task,
        report: Report,  # noqa: ARG002
        cancelled: IsCancelled,  # noqa: ARG002
    ) -> Finished | Cancelled:
        self._tried.append(task.placement)
        raise NotFinite("denoising")


Draw = Callable[[], tuple[list[Placement], list[Retrying]]]


@pytest.fixture
def draw(model: Model, tmp_path: Path) -> Iterator[Draw]:
    """``draw()``: one picture in a new session: where it was tried, and what was told."""
    with contextlib.ExitStack() as open_ones:

        def draw() -> tuple[list[Placement], list[Retrying]]:
            tried: list[Placement] = []
            plain = numpy_model(tmp_path)
            converted = replace(model, twin=plain, limits=plain.limits)
            hosts = Hosts(
                {
                    ModelFormat.DIFFUSERS: ThreadHost(NumpyEngine),
                    ModelFormat.COREML: ThreadHost(lambda: Failing(tried)),
                }
            )
            heard = Heard()
            keeps = Library(tmp_path / "pictures", tmp_path / "fallback")
            session = Session(
                hosts, keeps, lambda: (converted, plain), None, heard, placing=placing(tmp_path)
            )
            open_ones.callback(session.close)
            (job,) = session.submit(Draft("a red apple", seed=5), converted)
            saved = heard.ending(job.id)
            assert isinstance(saved, Saved)
            assert saved.picture.recipe == job.recipe
            return tried, [event for event in heard.events if isinstance(event, Retrying)]

        yield draw


def test_where_nothing_worked_the_twin_is_asked_at_once_from_then_on(draw: Draw) -> None:
    tried, told = draw()
    assert tried == [NEURAL, GPU]
    assert [(one.before, one.after) for one in told] == [(NEURAL, GPU), (GPU, Placement.CPU)]
    tried, told = draw()
    assert (tried, told) == ([], [])
