"""Two pictures side by side: whether they are the same, how far apart, and why."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING

from app.core.events import Pixels
from app.core.recipe import Recipe

if TYPE_CHECKING:
    from PIL import Image

    from app.library.picture_file import Picture

SAME_PSNR, SAME_SSIM = 38.0, 0.985
"""From here on nobody sees a difference without a magnifier.

Half precision against single, or the GPU against the processor, gives 40 dB and more; another seed
gives 10 to 15. JPEG at quality 95 is about 40 dB.
"""

_WINDOW = 8
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


class Verdict(StrEnum):
    """What a person would say."""

    IDENTICAL = "identical"
    SAME_TO_THE_EYE = "same to the eye"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two pictures are.

    ``psnr`` in dB over all channels, infinite for identical ones; ``ssim`` in [-1, 1] of the
    brightness (Wang et al. 2004, "Image quality assessment: from error visibility to structural
    similarity", in windows of 8x8 pixels side by side); ``changed`` the share of pixels that are
    not equal and ``largest`` the largest difference of a channel, in [0, 255]. Pictures of two
    sizes have 0, 0, 1 and 255.
    """

    verdict: Verdict
    psnr: float
    ssim: float
    changed: float
    largest: int


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not the same: a field of the recipe, "version" or "placement"."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """``because`` are the reasons there can be for a difference; empty where there is none."""

    likeness: Likeness
    because: tuple[Change, ...]


def likeness(before: Pixels, after: Pixels) -> Likeness:
    """How alike two pictures are, pixel by pixel and to the eye."""
    if (before.width, before.height) != (after.width, after.height):
        return Likeness(Verdict.DIFFERS, 0.0, 0.0, 1.0, 255)
    if before.rgb == after.rgb:
        return Likeness(Verdict.IDENTICAL, math.inf, 1.0, 0.0, 0)
    from PIL import Image, ImageChops, ImageStat

    first, second = (Image.frombytes("RGB", (p.width, p.height), p.rgb) for p in (before, after))
    gaps = ImageChops.difference(first, second)
    squares = ImageStat.Stat(gaps).sum2
    error = sum(squares) / (3 * before.width * before.height)
    psnr = 10 * math.log10(255**2 / error)
    red, green, blue = gaps.split()
    worst = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    equal = worst.histogram()[0] / (before.width * before.height)
    similar = _ssim(first, second)
    same = psnr >= SAME_PSNR and similar >= SAME_SSIM
    verdict = Verdict.SAME_TO_THE_EYE if same else Verdict.DIFFERS
    return Likeness(verdict, psnr, similar, 1 - equal, int(worst.getextrema()[1]))  # type: ignore[arg-type]


def changes(before: Recipe, after: Recipe) -> tuple[Change, ...]:
    """What is not the same in two recipes, where the second may have come of the first."""
    found = []
    for field in fields(Recipe):
        one, other = getattr(before, field.name), getattr(after, field.name)
        if one != other and field.name != "parent":
            found.append(Change(field.name, _shown(one), _shown(other)))
    return tuple(found)


def compare(before: Picture, after: Picture, old: Pixels, new: Pixels) -> Comparison:
    """A picture and the one that was drawn to be like it, with their pixels."""
    alike = likeness(old, new)
    if alike.verdict is Verdict.IDENTICAL:
        return Comparison(alike, ())
    because = list(changes(before.recipe, after.recipe))
    if before.version != after.version:
        because.append(Change("version", before.version, after.version))
    if before.placement is not after.placement:
        because.append(Change("placement", before.placement.value, after.placement.value))
    return Comparison(alike, tuple(because))


def _ssim(first: Image.Image, second: Image.Image) -> float:
    """The mean over windows; of a picture smaller than one, over all of it."""
    from PIL import ImageMath

    a, b = (image.convert("L").convert("F") for image in (first, second))

    def mean(image: Image.Image) -> Image.Image:
        return image.reduce((min(_WINDOW, image.width), min(_WINDOW, image.height)))

    def of(formula: object, **images: Image.Image) -> Image.Image:
        return ImageMath.lambda_eval(formula, **images)  # type: ignore[arg-type, no-any-return]

    product = of(lambda x: x["a"] * x["b"], a=a, b=b)
    squares = of(lambda x: x["a"] * x["a"] + x["b"] * x["b"], a=a, b=b)
    similar = of(
        lambda x: (
            (2 * x["m"] * x["n"] + _C1)
            * (2 * (x["p"] - x["m"] * x["n"]) + _C2)
            / (
                (x["m"] * x["m"] + x["n"] * x["n"] + _C1)
                * (x["s"] - x["m"] * x["m"] - x["n"] * x["n"] + _C2)
            )
        ),
        m=mean(a),
        n=mean(b),
        p=mean(product),
        s=mean(squares),
    )
    return float(similar.reduce(similar.size).getpixel((0, 0)))  # type: ignore[arg-type]


def _shown(value: object) -> str:
    if value is None or value == () or value == "":
        return ""
    return str(value)
