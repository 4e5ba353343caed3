"""What is tried elsewhere, and what is final."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.errors import (
    BlackResult,
    Bug,
    EaselError,
    EngineDied,
    ModelMissing,
    NotFinite,
    OutOfMemory,
    PlacementUnavailable,
    PredictionFailed,
    RecipeProblem,
)
from app.core.model import Family, Model, ModelFormat
from app.core.placement import Placement
from app.engine.family_limits import Shape, limits_of
from app.jobs.ladder import Ladder

MODEL = Model("m", "M", Family.SD1, "/m", limits_of(Family.SD1, Shape(8, 3, 64, 75)))
COREML = replace(MODEL, folder="/c", format=ModelFormat.COREML, twin=MODEL)
BOTH = Ladder(MODEL, (Placement.MPS, Placement.CPU))


@pytest.mark.parametrize(
    "error",
    [NotFinite("denoising"), BlackResult(), OutOfMemory(), PlacementUnavailable("MPS", "none")],
)
def test_another_place_may_do_better(error: EaselError) -> None:
    further = BOTH.after(error)
    assert further is not None
    assert further.placement is Placement.CPU
    assert further.verdict(OutOfMemory(2, 1)) == error


@pytest.mark.parametrize("error", [ModelMissing("/m"), Bug("trace")])
def test_what_is_not_the_place_s_fault_is_final(error: EaselError) -> None:
    assert BOTH.after(error) is None
    assert BOTH.verdict(error) == error


def test_the_last_rung_is_the_last() -> None:
    last = BOTH.after(BlackResult())
    assert last is not None
    assert last.after(BlackResult()) is None


def test_a_job_that_kills_the_engine_twice_is_not_tried_a_third_time() -> None:
    three = Ladder(MODEL, (Placement.COREML_GPU, Placement.MPS, Placement.CPU))
    second = three.after(EngineDied(-9))
    assert second is not None
    assert second.after(EngineDied(-9)) is None
    assert second.after(BlackResult()) is not None


@pytest.mark.parametrize(
    "error",
    [PredictionFailed("unet", "hang"), BlackResult(), RecipeProblem("loras", "ink", "another")],
)
def test_under_the_last_rung_is_the_twin(error: EaselError) -> None:
    last = Ladder(COREML, (Placement.COREML_GPU,))
    assert last.after(error) is None
    assert last.twin(error) == MODEL
    below = last.below((Placement.MPS, Placement.CPU), error)
    assert (below.model, below.placement) == (MODEL, Placement.MPS)
    assert below.verdict(OutOfMemory(2, 1)) == error
    assert below.twin(BlackResult()) is None


def test_the_twin_is_not_tried_for_what_is_final() -> None:
    last = Ladder(COREML, (Placement.COREML_GPU,), deaths=1)
    assert last.twin(Bug("trace")) is None
    assert last.twin(EngineDied(-9)) is None
