"""Ours is held to the faults that the stock client is lost in: 0 silent, 0 hangs, 0 lost."""

from __future__ import annotations

import pytest

from tests.weights.differential import SCENARIOS, judge_all, table

pytestmark = [pytest.mark.loopback, pytest.mark.slow, pytest.mark.timeout(900)]


def test_easel_is_never_wrong_hung_or_wasteful_where_the_stock_client_is() -> None:
    verdicts = judge_all(("stock", "easel"))
    told = table(verdicts)
    ours = [one for one in verdicts if one.client == "easel"]
    stock = [one for one in verdicts if one.client == "stock"]

    assert len(ours) == len(stock) == len(SCENARIOS) >= 45
    assert not [one for one in ours if one.silent or one.hang or one.lost or one.gave_up], told
    # The faults bite: the real client is caught by each kind of them.
    assert min(sum(one.silent for one in stock), sum(one.lost for one in stock)) >= 4, told
    assert sum(one.hang for one in stock) >= 3, told
