"""The comparison that macOS's workflow makes, run here on what stands in for Core ML."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import compare_placements
import pytest
from PIL import Image

from app.core.errors import PlacementUnavailable
from app.core.events import Finished, Pixels
from app.core.placement import Placement

GREY = Pixels(4, 2, bytes([100] * 24))


def test_pictures_are_held_against_each_other_in_decibels() -> None:
    assert compare_placements.psnr(GREY, GREY) == math.inf
    lighter = Pixels(4, 2, bytes([110] * 24))
    assert compare_placements.psnr(lighter, GREY) == pytest.approx(28.13, abs=0.01)
    assert compare_placements.psnr(Pixels(2, 4, GREY.rgb), GREY) == -math.inf


@pytest.mark.parametrize(
    "wrong",
    [
        Finished("j", Pixels(4, 2, bytes(24)), Placement.MPS, 1.0),
        Finished("j", Pixels(2, 1, bytes([100] * 6)), Placement.MPS, 1.0),
        PlacementUnavailable("MPS", "there is none"),
    ],
)
def test_another_picture_or_none_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = [("torch, CPU", Finished("j", GREY, Placement.CPU, 1.0)), ("torch, MPS", wrong)]
    monkeypatch.setattr(compare_placements, "pictures", lambda _: iter(drawn))

    rows = compare_placements.compare(tmp_path)

    assert [row["ok"] for row in rows] == [True, False]
    assert compare_placements.main([str(tmp_path)]) == 1
    assert "torch, MPS" in capsys.readouterr().out
    with Image.open(tmp_path / "torch-cpu.png") as kept:
        assert kept.tobytes() == GREY.rgb


@pytest.mark.slow
def test_the_starter_is_drawn_the_same_through_core_mls_engine(tmp_path: Path) -> None:
    rows = compare_placements.compare(tmp_path)
    assert len(rows) >= 2
    assert all(row["ok"] for row in rows), rows
