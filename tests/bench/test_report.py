from __future__ import annotations

import json

from app.bench import machine
from app.bench.finding import Finding, Kind
from app.bench.report import table, to_json
from app.bench.statistics import proportion_of

FAST = Finding("overhead", "whole picture", Kind.RATIO, "s CPU", (0.9, 0.9), (1.0, 1.0), 1.0)
SLOW = Finding("load", "networks", Kind.RATIO, "s CPU", (1.2,), (1.0,), 1.0, note="why")
LARGE = Finding("ui", "window", Kind.VALUE, "MB", (170.0,), target=160.0)
CHECK = Finding("startup", "light", Kind.CHECK, "yes/no", (1.0, 0.0), target=1.0)
SCORE = Finding("starter", "top-5", Kind.SHARE, "", target=0.4, estimate=proportion_of(50, 100))


def test_a_ratio_is_met_or_missed_by_its_interval() -> None:
    assert FAST.met is True
    assert SLOW.met is False


def test_a_value_is_held_against_its_target_with_two_per_cent() -> None:
    assert LARGE.met is False
    assert Finding("ui", "window", Kind.VALUE, "MB", (163.0,), target=160.0).met is True


def test_a_check_that_failed_once_is_not_met() -> None:
    assert CHECK.met is False


def test_a_share_must_reach_its_target() -> None:
    assert SCORE.met is True
    low = Finding("starter", "t", Kind.SHARE, "", target=0.4, estimate=proportion_of(3, 10))
    assert low.met is False


def test_without_a_target_or_a_side_nothing_is_judged() -> None:
    assert Finding("load", "imports", Kind.RATIO, "s", (1.0,), (1.0,)).met is None
    alone = Finding("load", "networks", Kind.RATIO, "s", (), (1.0,), 1.0)
    assert alone.judged is None
    assert alone.met is None


def test_the_table_shows_both_sides_the_ratio_and_a_miss_plainly() -> None:
    text = table([FAST, SLOW, LARGE, CHECK, SCORE])
    lines = text.splitlines()
    assert "0.900x" in lines[2]
    assert lines[2].endswith("met")
    assert "1.200x" in lines[3]
    assert lines[3].endswith("MISSED")
    assert "170 MB" in lines[4]
    assert "50.0%" in lines[6]
    assert lines[-1] == "load, networks: why"


def test_the_json_holds_every_reading_and_survives_a_round_trip() -> None:
    data = to_json([FAST, SLOW], machine.describe(), {"pairs": 2})
    again = json.loads(json.dumps(data))
    assert again["findings"][0]["ours"] == [0.9, 0.9]
    assert again["findings"][0]["interval"] == [0.9, 0.9]
    assert again["findings"][1]["met"] is False
    assert again["settings"] == {"pairs": 2}
    assert again["machine"]["cores"] >= 1
    assert again["machine"]["packages"]["torch"] != ""
