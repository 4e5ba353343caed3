"""The bench of conversion at its smallest: every number is there, and none is held."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.bench import main
from app.bench.command import ASKED_ALONE, BENCHES


def test_it_is_a_bench_that_has_to_be_asked_for() -> None:
    assert set(BENCHES) >= ASKED_ALONE


def test_there_is_no_peer(tmp_path: Path) -> None:
    file = tmp_path / "numbers.json"
    assert main(["convert", "--tiny", "--peer", "--json", str(file)]) == 0
    assert json.loads(file.read_text())["findings"] == []


@pytest.mark.slow
def test_it_measures_both_packages(tmp_path: Path) -> None:
    file, models = tmp_path / "numbers.json", tmp_path / "models"
    assert main(["convert", "--tiny", "--models", str(models), "--json", str(file)]) == 0
    data = json.loads(file.read_text())
    assert data["failures"] == {}
    found = {row["name"]: row for row in data["findings"]}
    assert set(found) == {
        "UNet to a package", "UNet to a package, peak", "size, 16 bits",
        "UNet to 6 bits", "UNet to 6 bits, peak", "size, 6 bits",
    }  # fmt: skip
    assert all(row["met"] is None for row in found.values())
    assert 0 < found["size, 6 bits"]["ours"][0] < found["size, 16 bits"]["ours"][0]
    assert list(models.glob("easel-convert-*")) == []
