from __future__ import annotations

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bench.statistics import Estimate, is_met, median_of, proportion_of, ratio_of

numbers = st.lists(st.floats(0.1, 1000.0), min_size=1, max_size=9)


@given(numbers)
def test_an_interval_holds_its_median_and_stays_within_the_values(values: list[float]) -> None:
    found = median_of(values)
    assert found.value == statistics.median(values)
    assert min(values) <= found.low <= found.value <= found.high <= max(values)


def test_one_value_is_its_own_interval() -> None:
    assert median_of([1.25]) == Estimate(1.25, 1.25, 1.25)


def test_equal_values_leave_no_doubt() -> None:
    assert median_of([3.0] * 7) == Estimate(3.0, 3.0, 3.0)


def test_the_same_values_give_the_same_interval() -> None:
    values = [1.0, 1.1, 0.9, 1.4, 1.05]
    assert median_of(values) == median_of(values)


def test_nothing_measured_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        median_of([])


def test_more_values_make_the_interval_narrower() -> None:
    draw = random.Random(3)
    few = [draw.gauss(1.0, 0.1) for _ in range(7)]
    many = [draw.gauss(1.0, 0.1) for _ in range(200)]
    a, b = median_of(few), median_of(many)
    assert b.high - b.low < a.high - a.low


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    draw = random.Random(11)
    held = 0
    for _ in range(60):
        found = median_of([draw.gauss(1.0, 0.2) for _ in range(25)])
        held += found.low <= 1.0 <= found.high
    assert 50 <= held <= 60  # 57 expected of a 95 % interval


def test_a_ratio_is_taken_pair_by_pair() -> None:
    # The machine is twice as slow in the second pair, for both: the ratio does not see it.
    assert ratio_of([2.0, 4.0], [1.0, 2.0]) == Estimate(2.0, 2.0, 2.0)


@pytest.mark.parametrize(("ours", "peer"), [([1.0], [1.0, 2.0]), ([1.0], [0.0]), ([], [])])
def test_a_ratio_of_what_is_no_pair_is_refused(ours: list[float], peer: list[float]) -> None:
    with pytest.raises(ValueError, match=r"."):
        ratio_of(ours, peer)


@pytest.mark.parametrize(
    ("high", "target", "relative", "met"),
    [
        (1.02, 1.00, False, True),
        (1.021, 1.00, False, False),
        (0.90, 1.00, False, True),
        (255.0, 250.0, True, True),
        (255.1, 250.0, True, False),
        (250.1, 250.0, False, False),
    ],
)
def test_met_means_an_upper_end_within_the_slack(
    high: float, target: float, relative: bool, met: bool
) -> None:
    assert is_met(Estimate(0.5, 0.5, high), target, relative=relative) is met


def test_a_good_median_with_a_wide_interval_does_not_meet_a_target() -> None:
    assert not is_met(median_of([0.9, 0.9, 1.3, 0.9, 1.3]), 1.0)


def test_a_share_has_wilsons_interval() -> None:
    found = proportion_of(8, 10)  # 0.490 to 0.943 in every table
    assert found.value == 0.8
    assert found.low == pytest.approx(0.490, abs=0.001)
    assert found.high == pytest.approx(0.943, abs=0.001)


def test_a_share_of_nothing_and_of_everything_stays_in_range() -> None:
    assert proportion_of(0, 5).low == 0.0
    assert proportion_of(5, 5).high == 1.0


@pytest.mark.parametrize(("hits", "tries"), [(0, 0), (6, 5), (-1, 5)])
def test_a_share_that_cannot_be_is_refused(hits: int, tries: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        proportion_of(hits, tries)
