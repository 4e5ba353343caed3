"""The same, the same to the eye, or not, and why."""

from __future__ import annotations

import io
import math
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image, ImageFilter

from app.core.events import Pixels
from app.core.placement import Placement
from app.core.recipe import How, Parent, Scheduler, Size
from app.library.comparing import Change, Verdict, changes, compare, likeness
from app.library.picture_file import Picture
from tests.library.examples import recipe

SIDE = 128


def natural(seed: int = 1) -> Image.Image:
    """Soft shapes with some grain."""
    chance = random.Random(seed)
    few = Image.frombytes("RGB", (8, 8), chance.randbytes(192)).resize((SIDE, SIDE))
    grain = Image.frombytes("RGB", (SIDE, SIDE), chance.randbytes(SIDE * SIDE * 3))
    return Image.blend(few, grain, 0.06)


def pixels(image: Image.Image) -> Pixels:
    return Pixels(image.width, image.height, image.tobytes())


def nudged(image: Image.Image, by: int, seed: int = 2) -> Image.Image:
    """Each value a little off, as half precision is."""
    chance = random.Random(seed)
    data = bytes(min(255, max(0, value + chance.randint(-by, by))) for value in image.tobytes())
    return Image.frombytes("RGB", image.size, data)


def test_equal_pictures_are_identical() -> None:
    alike = likeness(pixels(natural()), pixels(natural()))
    assert (alike.verdict, alike.psnr, alike.ssim) == (Verdict.IDENTICAL, math.inf, 1.0)
    assert (alike.changed, alike.largest) == (0.0, 0)


def test_another_precision_is_the_same_to_the_eye() -> None:
    alike = likeness(pixels(natural()), pixels(nudged(natural(), 2)))
    assert alike.verdict is Verdict.SAME_TO_THE_EYE
    assert alike.psnr > 42
    assert alike.ssim > 0.99
    assert alike.largest == 2
    assert alike.changed > 0.9


def test_one_pixel_is_the_same_to_the_eye_and_counted() -> None:
    other = natural()
    other.putpixel((3, 4), tuple(255 - v for v in other.getpixel((3, 4))))  # type: ignore[union-attr]
    alike = likeness(pixels(natural()), pixels(other))
    assert alike.verdict is Verdict.SAME_TO_THE_EYE
    assert alike.changed == pytest.approx(1 / SIDE**2)


def as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return Image.open(out).convert("RGB")


@pytest.mark.parametrize(
    "other",
    [
        natural(2),
        natural().filter(ImageFilter.GaussianBlur(1.5)),
        as_jpeg(natural(), 10),
        natural().transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        Image.new("RGB", (SIDE, SIDE)),
        nudged(natural(), 30),
        natural().point(lambda v: min(255, v + 12)),
    ],
    ids=["another seed", "blurred", "poor JPEG", "mirrored", "black", "noisy", "brighter"],
)
def test_what_a_person_would_see_differs(other: Image.Image) -> None:
    alike = likeness(pixels(natural()), pixels(other))
    assert alike.verdict is Verdict.DIFFERS
    assert alike.psnr < 38 or alike.ssim < 0.985


def test_the_measures_are_those_of_the_books() -> None:
    """A constant difference of 10: PSNR is 20 log10(255/10); SSIM has a closed form then."""
    one, other = (Image.new("RGB", (64, 64), (v, v, v)) for v in (100, 110))
    alike = likeness(pixels(one), pixels(other))
    assert alike.psnr == pytest.approx(20 * math.log10(25.5))
    c1 = (0.01 * 255) ** 2
    assert alike.ssim == pytest.approx((2 * 100 * 110 + c1) / (100**2 + 110**2 + c1), abs=1e-5)
    assert (alike.changed, alike.largest) == (1.0, 10)


@pytest.mark.parametrize("size", [(1, 1), (3, 70), (9, 9)])
def test_any_size_can_be_compared(size: tuple[int, int]) -> None:
    one, other = Image.new("RGB", size, "red"), Image.new("RGB", size, "blue")
    assert likeness(pixels(one), pixels(other)).verdict is Verdict.DIFFERS


def test_another_size_differs() -> None:
    alike = likeness(pixels(Image.new("RGB", (8, 8))), pixels(Image.new("RGB", (8, 16))))
    assert (alike.verdict, alike.psnr, alike.largest) == (Verdict.DIFFERS, 0.0, 255)


def picture(**changes: object) -> Picture:
    made = Picture(Path(), recipe(), Placement.MPS, 1.0, datetime(2026, 1, 1, tzinfo=UTC))
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_difference_names_its_reasons() -> None:
    before, after = picture(version="0.1"), picture(version="0.2", placement=Placement.CPU)
    other = pixels(nudged(natural(), 2))
    found = compare(before, after, pixels(natural()), other)
    assert found.because == (
        Change("version", "0.1", "0.2"),
        Change("placement", "MPS", "CPU"),
    )
    assert found.likeness.verdict is Verdict.SAME_TO_THE_EYE
    assert compare(before, after, other, other).because == ()


def test_what_changed_from_a_picture_to_one_that_came_of_it() -> None:
    before = recipe("a red apple", 17)
    after = replace(
        before,
        seed=18,
        size=Size(32, 64),
        scheduler=Scheduler.EULER,
        parent=Parent("x", How.VARIATION),
    )
    assert changes(before, after) == (
        Change("size", "64x64", "32x64"),
        Change("seed", "17", "18"),
        Change("scheduler", "DPM++ 2M Karras", "Euler"),
    )
    assert changes(before, before) == ()
