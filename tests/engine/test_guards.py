"""Black and flat pictures are errors; dark and plain ones with something in them are not."""

from __future__ import annotations

import pytest

from app.core.errors import BlackResult, FlatResult
from app.core.events import Pixels
from app.engine.guards import check_pixels


def picture(ground: tuple[int, int, int], spot: tuple[int, int, int] | None = None) -> Pixels:
    """16x16 of ``ground`` with one pixel of ``spot``."""
    rows = bytearray(bytes(ground) * 256)
    if spot is not None:
        rows[300:303] = bytes(spot)
    return Pixels(16, 16, bytes(rows))


@pytest.mark.parametrize("spot", [None, (2, 1, 0)])
def test_a_black_picture_is_named(spot: tuple[int, int, int] | None) -> None:
    with pytest.raises(BlackResult):
        check_pixels(picture((0, 0, 0), spot))


@pytest.mark.parametrize("spot", [None, (129, 65, 31)])
def test_a_picture_of_one_colour_is_named_with_it(spot: tuple[int, int, int] | None) -> None:
    with pytest.raises(FlatResult) as caught:
        check_pixels(picture((128, 64, 32), spot))
    assert caught.value.colour == "#804020"


def test_a_white_picture_is_flat() -> None:
    with pytest.raises(FlatResult, match="#ffffff"):
        check_pixels(picture((255, 255, 255)))


@pytest.mark.parametrize("spot", [(255, 255, 255), (0, 0, 9), (3, 0, 0)])
def test_anything_on_a_black_ground_passes(spot: tuple[int, int, int]) -> None:
    check_pixels(picture((0, 0, 0), spot))
