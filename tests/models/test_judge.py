"""The judge believes right pictures, disbelieves wrong labels, and needs nothing but its file."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw

from models.training import judge


def drawn(fill: str, behind: str) -> Image.Image:
    """A disc on a plain background."""
    picture = Image.new("RGB", (128, 128), behind)
    ImageDraw.Draw(picture).ellipse((24, 24, 104, 104), fill=fill, outline="black", width=3)
    return picture


@pytest.fixture
def perfect_pictures(monkeypatch: pytest.MonkeyPatch) -> list[Image.Image]:
    """One picture a noun, whose feature is the noun's prototype with some noise."""
    names, prototypes, _ = judge.load_prototypes()
    noise = np.random.default_rng(2).normal(0, 0.01, prototypes.shape)

    def features(images: Sequence[Image.Image]) -> np.ndarray:
        assert len(images) == len(names)
        return (prototypes + noise).astype(np.float32)

    monkeypatch.setattr(judge, "features", features)
    return [drawn("red", "white")] * len(names)


def test_right_labels_win_and_wrong_labels_stay_at_chance(
    perfect_pictures: list[Image.Image],
) -> None:
    names = judge.load_prototypes()[0]
    right = judge.judge(perfect_pictures, names)
    assert right.top1.value > 0.95
    assert right.control_top5.value < 0.12
    wrong = judge.judge(perfect_pictures, [*names[40:], *names[:40]])
    assert wrong.top5.value < 0.12


def test_prototypes_are_unit_vectors_of_a_known_size() -> None:
    names, prototypes, own = judge.load_prototypes()
    assert prototypes.shape == (len(names), 1280)
    assert np.allclose(np.linalg.norm(prototypes, axis=1), 1, atol=0.01)
    assert set(own) == set(names)
    assert judge.PROTOTYPES.stat().st_size < 1_000_000


@pytest.mark.parametrize("colour", ["red", "orange", "yellow", "green", "blue", "purple", "pink"])
def test_the_drawn_colour_is_named(colour: str) -> None:
    fills = {
        "purple": "#9660d2",
        "orange": "#fa962d",
        "green": "#2eaa3c",
        "pink": "#ff80b4",
        "yellow": "#ffd820",
    }
    pixels = np.asarray(drawn(fills.get(colour, colour), "white"))
    assert judge.main_colour(pixels, colour) == colour


def test_an_empty_picture_has_no_colour() -> None:
    assert judge.main_colour(np.full((128, 128, 3), 255, np.uint8), "red") is None


@pytest.mark.parametrize("name", ["white", "black", "grey", "yellow", "blue", "pink"])
def test_the_background_is_named(name: str) -> None:
    behind = "#{:02x}{:02x}{:02x}".format(*judge._palette()["backgrounds"][name])
    assert judge.background_colour(np.asarray(drawn("red", behind))) == name


def test_wilson_intervals() -> None:
    low, high = judge.Share(50, 100).interval
    assert (round(low, 3), round(high, 3)) == (0.404, 0.596)
    assert judge.Share(0, 0).interval == (0.0, 0.0)


def test_random_prompts_follow_their_seed() -> None:
    first = judge.random_prompts(7)
    assert first == judge.random_prompts(7) != judge.random_prompts(8)
    assert len({prompt.noun for prompt in first}) == 60
    assert sum(prompt.colour is not None for prompt in first) >= 18
    assert sum(prompt.background is not None for prompt in first) == 20


def test_it_loads_by_its_path_alone() -> None:
    spec = importlib.util.spec_from_file_location("a_judge", judge.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert len(module.fixed_prompts()) == 60
