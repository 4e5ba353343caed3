"""How far the work is, and when it will be done."""

from __future__ import annotations

import pytest

from app.convert.coreml.converting import Converting, Stage
from app.convert.coreml.pace import Pace, Step
from app.convert.importing import Stopped

STEPS = (
    Step(Stage.CHECKING, ""),
    Step(Stage.LOADING, "unet", 100.0),
    Step(Stage.CONVERTING, "unet", 100.0),
    Step(Stage.CONVERTING, "unet", 100.0),
    Step(Stage.PROVING, "unet", 100.0),
)


class Clock:
    """A machine that takes twice the reference's time."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def walk(cancelled: list[bool], clock: Clock) -> list[Converting]:
    said: list[Converting] = []
    pace = Pace(STEPS, said.append, lambda: bool(cancelled), clock)
    for step in STEPS:
        pace.begin(step.stage, step.part)
        clock.now += 2 * step.seconds
    pace.finish()
    return said


def test_every_second_is_counted_and_the_estimate_is_right() -> None:
    clock = Clock()
    said = walk([], clock)
    total = sum(step.seconds for step in STEPS)
    assert [event.stage for event in said] == [step.stage for step in STEPS] + [Stage.PROVING]
    assert said[-1].done == said[-1].total == pytest.approx(total)
    assert said[-1].left == 0.0
    assert [event.done for event in said] == sorted(event.done for event in said)
    for event in said[2:]:
        assert event.elapsed + event.left == pytest.approx(2 * total)
    assert said[0].left == pytest.approx(total)  # nothing is known of this machine yet


def test_a_share_of_a_step_counts_and_never_goes_back() -> None:
    said: list[Converting] = []
    pace = Pace(STEPS, said.append, lambda: False, Clock())
    pace.begin(Stage.CHECKING, "")
    pace.begin(Stage.LOADING, "unet")
    for share in (0.5, 0.25, 2.0):
        pace.share(share)
    start = STEPS[0].seconds
    whole = STEPS[1].seconds
    assert [event.done - start for event in said[-3:]] == pytest.approx(
        [0.5 * whole, 0.5 * whole, whole]
    )


def test_every_look_may_stop() -> None:
    cancelled: list[bool] = []
    pace = Pace(STEPS, lambda _: None, lambda: bool(cancelled), Clock())
    pace.begin(Stage.CHECKING, "")
    cancelled.append(True)
    for act in (pace.look, lambda: pace.share(0.5), lambda: pace.begin(Stage.LOADING, "unet")):
        with pytest.raises(Stopped):
            act()
