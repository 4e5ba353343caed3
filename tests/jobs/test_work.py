"""What the worker is to do, and when reading ahead has lost its use."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.events import Task
from app.jobs.work import Order, Orders, Quit, Warm
from tests.jobs.recipes import MODEL, task

OTHER = replace(MODEL, folder="/elsewhere")


def test_orders_are_taken_as_they_were_given() -> None:
    orders = Orders()
    given: list[Order] = [Warm(None), task(MODEL), Quit()]
    for order in given:
        orders.put(order)
    assert [orders.take() for _ in given] == given


def test_only_a_task_that_waits_can_be_withdrawn() -> None:
    orders = Orders()
    first, second = task(MODEL), task(MODEL)
    orders.put(first)
    orders.put(second)
    assert orders.withdraw(second.job)
    assert not orders.withdraw(second.job)
    assert orders.take() == first
    assert not orders.withdraw(first.job)


@pytest.mark.parametrize(
    ("order", "other"),
    [
        (task(MODEL), False),
        (task(OTHER), True),
        (Warm(None), False),
        (Warm(MODEL), False),
        (Warm(OTHER), True),
        (Quit(), True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Task | Warm | Quit) else str(value),
)
def test_reading_ahead_stops_for_what_has_no_use_for_it(order: Order, other: bool) -> None:
    orders = Orders()
    assert not orders.want_other_than(MODEL)
    orders.put(order)
    assert orders.want_other_than(MODEL) is other
