"""Previews: the right colours, at most ten a second, whatever the model folder says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from app.core.model import Family
from app.engine.previews import ColourMatrix, Previewer, matrix_for, to_pixels

PLAIN = ColourMatrix(((0.5, 0, 0), (0, 0.5, 0), (0, 0, 0.5)), (0.5, 0.5, 0.5))


def latents(*values: float) -> np.ndarray:
    """One channel a value, 2 rows, 3 columns."""
    return np.array(values, np.float32)[:, None, None].repeat(2, 1).repeat(3, 2)


def test_latents_become_colours_by_the_matrix() -> None:
    pixels = to_pixels(latents(1, 0, -1), PLAIN)
    assert (pixels.width, pixels.height) == (3, 2)
    assert pixels.rgb == bytes((255, 128, 0)) * 6


def test_rows_stay_rows() -> None:
    array = np.zeros((3, 2, 3), np.float32)
    array[0, 0, 2] = 1
    pixels = to_pixels(array, PLAIN)
    assert pixels.rgb[6:9] == bytes((255, 128, 128))


def test_what_is_out_of_range_or_not_a_number_is_still_a_picture() -> None:
    assert to_pixels(latents(1e30, 0, -1e30), PLAIN).rgb[:3] == bytes((255, 128, 0))
    assert len(to_pixels(latents(1, float("nan"), float("inf")), PLAIN).rgb) == 18


def test_previews_come_at_most_ten_times_a_second() -> None:
    now = 0.0
    previewer = Previewer(PLAIN, lambda: now)
    made = []
    for tick in range(256):
        now = tick / 128
        if previewer.due():
            made.append(previewer.make(latents(tick / 256, 0, 0)))
    assert 18 <= len(made) <= 20, "in two seconds"
    assert made[0] != made[-1]


def test_the_first_preview_is_due_at_once() -> None:
    assert Previewer(PLAIN, lambda: 1e9).due()


def test_a_models_own_matrix_is_used(tmp_path: Path) -> None:
    own = {"matrix": [[i / 8, 0, 0] for i in range(8)], "bias": [0, 0.5, 1]}
    (tmp_path / "preview.json").write_text(json.dumps(own))
    found = matrix_for(tmp_path, Family.SD1, 8)
    assert found.matrix[3] == (0.375, 0, 0)
    assert found.bias == (0, 0.5, 1)


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"matrix": 3, "bias": [0, 0, 0]}', '{"matrix": [[1, 2]], "bias": [0, 0, 0]}', "{}"],
)
def test_a_bad_matrix_file_falls_back_to_the_familys(tmp_path: Path, content: str) -> None:
    (tmp_path / "preview.json").write_text(content)
    assert matrix_for(tmp_path, Family.SDXL, 4) == matrix_for(tmp_path / "no", Family.SDXL, 4)


def test_a_matrix_for_another_number_of_channels_is_not_used(tmp_path: Path) -> None:
    own = {"matrix": [[1, 1, 1]] * 8, "bias": [0, 0, 0]}
    (tmp_path / "preview.json").write_text(json.dumps(own))
    assert len(matrix_for(tmp_path, Family.SD1, 4).matrix) == 4


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize("channels", [4, 8, 16])
def test_every_family_and_number_of_channels_has_a_matrix(
    family: Family, channels: int, tmp_path: Path
) -> None:
    colours = matrix_for(tmp_path, family, channels)
    noise = np.random.default_rng(0).standard_normal((channels, 8, 8)).astype(np.float32)
    assert len(set(to_pixels(noise, colours).rgb)) > 50


def test_latents_of_a_white_sd_picture_look_bright(tmp_path: Path) -> None:
    """Channel 0 of SD latents carries brightness; channel 3 darkness."""
    colours = matrix_for(tmp_path, Family.SD1, 4)
    bright, dark = latents(2, 1, 0, -1), latents(-2, -1, 0, 1)
    assert min(to_pixels(bright, colours).rgb) > 200
    assert max(to_pixels(dark, colours).rgb) < 60
