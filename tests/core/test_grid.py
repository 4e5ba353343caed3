"""A grid of drafts: each cell has its row's and its column's value, and nothing else is changed."""

from __future__ import annotations

from app.core.grid import Axis, Grid
from app.core.recipe import Draft, Scheduler


def test_cells_go_row_by_row_and_keep_the_rest() -> None:
    draft = Draft("a cat", "fog", steps=9, count=4, scheduler=Scheduler.DDIM)
    grid = Grid(Axis.SEED, (5, 6), Axis.GUIDANCE, (3.0, 7.5, 10.0))
    drafts = grid.drafts(draft)
    assert grid.count == len(drafts) == 6
    assert [(one.seed, one.guidance) for one in drafts] == [
        (5, 3.0),
        (5, 7.5),
        (5, 10.0),
        (6, 3.0),
        (6, 7.5),
        (6, 10.0),
    ]
    assert {(one.prompt, one.negative_prompt, one.steps, one.count) for one in drafts} == {
        ("a cat", "fog", 9, 1)
    }


def test_labels_are_words_and_numbers() -> None:
    grid = Grid(Axis.SCHEDULER, (Scheduler.EULER_A,), Axis.STEPS, (1, 20))
    assert grid.labels() == (("Euler a",), ("1 step", "20 steps"))
    grid = Grid(Axis.SEED, (4_294_967_295,), Axis.GUIDANCE, (7.5, 10.0))
    assert grid.labels() == (("seed 4294967295",), ("guidance 7.5", "guidance 10"))
