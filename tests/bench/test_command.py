from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from app.bench import main, starter
from app.bench.command import BENCHES, measure, parse, setting_of
from app.bench.finding import Finding
from app.bench.runner import NotMeasured, Reading
from app.bench.setting import Scale, Setting


def test_nothing_asked_means_all_five_pairs_of_the_small_model() -> None:
    asked = parse([])
    setting = setting_of(asked)
    assert asked.bench == "all"
    assert (setting.scale, setting.pairs, setting.peer_only) == (Scale.SMALL, 5, False)
    assert setting.models.is_absolute()


def test_options_are_read() -> None:
    asked = parse(["load", "--peer", "--pairs", "3", "--full", "--json", "out.json"])
    setting = setting_of(asked)
    assert (asked.bench, asked.json) == ("load", "out.json")
    assert (setting.scale, setting.pairs, setting.peer_only) == (Scale.FULL, 3, True)


def test_json_without_a_file_goes_to_the_output() -> None:
    assert parse(["load", "--json"]).json == "-"
    assert parse(["load"]).json is None


@pytest.mark.parametrize(
    "argv", [["nonsense"], ["load", "--pairs", "0"], ["load", "--tiny", "--full"], ["--pairs", "x"]]
)
def test_wrong_usage_ends_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_help_names_every_bench(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert all(f"\n  {name} " in text for name in BENCHES)


def test_one_bench_that_cannot_be_measured_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_: Setting) -> list[Finding]:
        raise NotMeasured("no clock here")

    monkeypatch.setitem(BENCHES, "load", broken)
    monkeypatch.setitem(BENCHES, "ui", lambda _: [])
    findings, failures = measure(["load", "ui"], setting_of(parse([])))
    assert findings == []
    assert failures == {"load": "no clock here"}


def test_what_could_not_be_measured_is_said_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: Setting) -> list[Finding]:
        raise NotMeasured("no clock here")

    monkeypatch.setitem(BENCHES, "load", broken)
    assert main(["load"]) == 1
    assert "load could not be measured: no clock here" in capsys.readouterr().err


def test_the_bundled_app_says_that_it_cannot_measure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert main(["startup"]) == 1
    assert "checkout" in capsys.readouterr().err


def test_the_startup_bench_measures_a_bare_window_and_writes_json(tmp_path: Path) -> None:
    file = tmp_path / "numbers.json"
    assert main(["startup", "--tiny", "--peer", "--pairs", "1", "--json", str(file)]) == 0
    data = json.loads(file.read_text(encoding="utf-8"))
    (row,) = data["findings"]
    assert row["ours"] == []
    assert 1 < row["peer"][0] < 60_000  # milliseconds of CPU, whatever the machine
    assert data["failures"] == {}


def test_a_missing_judge_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starter, "PACKAGES", ("no_such_package",))
    with pytest.raises(NotMeasured, match=r"no_such_package.*pip install"):
        starter.judge(setting_of(parse([])))


def test_the_judges_scores_become_shares_with_a_control_and_its_chance() -> None:
    numbers = {"nouns": 60.0}
    for prompts in ("fixed", "random"):
        numbers[f"{prompts}_chance"] = 5 / 60
        for score in starter.NAMES:
            numbers[f"{prompts}_{score}_hits"] = 30.0
            numbers[f"{prompts}_{score}_of"] = 60.0
    numbers["random_colour_of"] = numbers["random_colour_hits"] = 0.0
    found = starter.findings(Reading(1.0, 1.0, 1, numbers, {}), held=True)
    assert len(found) == 9  # a score with nothing to score is left out
    assert [finding.met for finding in found if finding.target is not None] == [True, True]
    control = next(finding for finding in found if "control" in finding.name)
    assert "chance is 8.3%" in control.note
    assert control.target is None
