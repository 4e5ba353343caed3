"""Training pictures are what their captions say: whole, float, in range, in the colour named."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from models.training import palette, scenes
from models.training.drawings import SIZE
from models.training.judge import name_colours


def disc(rgb: tuple[int, int, int]) -> np.ndarray:
    """A shaded disc of one hue: uint8 RGBA [128, 128, 4]."""
    rows, columns = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    inside = rows**2 + columns**2 < (SIZE * 0.45) ** 2
    shade = 0.75 + 0.25 * (rows + SIZE / 2) / SIZE
    colour = shade[..., None] * np.array(rgb)
    return np.dstack([colour, inside * 255]).astype(np.uint8)


@pytest.fixture(scope="module")
def wardrobe() -> scenes.Wardrobe:
    """The looks of two nouns."""
    return scenes.dress({0: disc((240, 60, 50)), 1: disc((60, 90, 220))})


@pytest.mark.parametrize("colour", palette.OBJECT_COLOURS)
def test_a_recoloured_drawing_has_the_colour_named(colour: str) -> None:
    drawing = palette.recolour(disc((240, 60, 50)), colour)
    names = name_colours(drawing[..., :3][drawing[..., 3] > 0])
    assert names.count(colour) > 0.8 * len(names)
    assert (drawing[..., 3] == disc((240, 60, 50))[..., 3]).all()


def test_other_colours_of_a_drawing_stay() -> None:
    drawing = disc((240, 60, 50))
    drawing[:30] = (40, 180, 60, 255)
    assert (palette.recolour(drawing, "blue")[:30] == drawing[:30]).all()


def test_hues_survive_the_way_there_and_back() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    back = palette.to_rgb(palette.to_hsv(pixels)).astype(int)
    assert np.abs(back - pixels).mean() < 4


def test_natural_colours_are_not_painted_twice(wardrobe: scenes.Wardrobe) -> None:
    assert wardrobe.natural == {0: "red", 1: "blue"}
    assert (0, "red") not in wardrobe.looks
    assert (0, "blue") in wardrobe.looks


def test_pictures_are_float_in_range_and_whole(wardrobe: scenes.Wardrobe) -> None:
    draw = random.Random(3)
    imagined = [scenes.imagine(wardrobe, draw) for _ in range(64)]
    painted = scenes.paint(wardrobe, imagined, draw)
    assert painted.dtype == torch.float32
    assert painted.shape == (64, 3, 128, 128)
    assert painted.min() >= 0
    assert painted.max() <= 1
    # A composite that is truncated to integers is a silhouette: few distinct values.
    on_white = next(p for s, p in zip(imagined, painted, strict=True) if s.background == "white")
    assert len(on_white.unique()) > 100


def test_the_background_is_the_one_named(wardrobe: scenes.Wardrobe) -> None:
    draw = random.Random(4)
    imagined = [scenes.imagine(wardrobe, draw) for _ in range(64)]
    painted = scenes.paint(wardrobe, imagined, draw)
    for scene, picture in zip(imagined, painted, strict=True):
        wanted = torch.tensor(palette.BACKGROUNDS[scene.background]) / 255
        assert torch.allclose(picture[:, 0, 0], wanted, atol=1e-3)


def test_most_scenes_are_calm(wardrobe: scenes.Wardrobe) -> None:
    draw = random.Random(5)
    imagined = [scenes.imagine(wardrobe, draw) for _ in range(600)]
    assert 0.6 < sum(scene.background == "white" for scene in imagined) / 600 < 0.8
    assert 0.65 < sum(scene.colour is None for scene in imagined) / 600 < 0.85
    assert all(scene.background != (scene.colour or scene.natural) for scene in imagined)
