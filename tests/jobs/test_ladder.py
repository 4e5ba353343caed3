"""What is tried elsewhere, and what is final."""

from __future__ import annotations

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
)
from app.core.placement import Placement
from app.jobs.ladder import Ladder

BOTH = Ladder((Placement.MPS, Placement.CPU))


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
    three = Ladder((Placement.COREML_GPU, Placement.MPS, Placement.CPU))
    second = three.after(EngineDied(-9))
    assert second is not None
    assert second.after(EngineDied(-9)) is None
    assert second.after(BlackResult()) is not None
