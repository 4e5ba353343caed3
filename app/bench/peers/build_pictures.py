"""Pictures like those that models draw, the same each time, as raw RGB: one file a kind.

``smooth``: soft shapes. ``grainy``: the same with the grain of a photograph. ``drawing``: flat
colours with soft edges, and the faint noise that a decoder leaves.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--side", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    chance = random.Random(17)
    smooth = shapes(asked.side, chance)
    pictures = {
        "smooth": smooth,
        "grainy": with_noise(smooth, 5, chance),
        "drawing": with_noise(drawing(asked.side, chance), 1, chance),
    }
    for kind, image in pictures.items():
        (asked.folder / f"{kind}.rgb").write_bytes(image.tobytes())
    asked.out.write_text(json.dumps({"numbers": {}, "facts": {}}))


def shapes(side: int, chance: random.Random) -> Image.Image:
    """Noise of every size, the larger the stronger, as in nature."""
    image = Image.new("RGB", (side, side), "grey")
    for power in range(8, 1, -1):
        few = max(2, side >> power)
        noise = Image.frombytes("RGB", (few, few), chance.randbytes(few * few * 3))
        image = Image.blend(
            image, noise.resize(image.size, Image.Resampling.BICUBIC), 0.5 ** (9 - power) + 0.1
        )
    return image


def drawing(side: int, chance: random.Random) -> Image.Image:
    image = Image.new("RGB", (side, side), "#dfe8f2")
    pen = ImageDraw.Draw(image)
    for _ in range(24):
        x, y, size = (chance.randrange(side) for _ in range(3))
        box = (x - size // 4, y - size // 4, x + size // 4, y + size // 4)
        pen.ellipse(box, tuple(chance.randrange(256) for _ in range(3)))
    return image.filter(ImageFilter.GaussianBlur(1))


def with_noise(image: Image.Image, sigma: float, chance: random.Random) -> Image.Image:
    """Each channel its own, a little soft, as a sensor's is after its colours are made out."""
    width, height = image.size
    channels = []
    for _ in range(3):
        # Twelve even numbers added are very nearly normal.
        rows = [
            Image.frombytes("L", image.size, chance.randbytes(width * height)) for _ in range(4)
        ]
        mean = Image.blend(
            Image.blend(rows[0], rows[1], 0.5), Image.blend(rows[2], rows[3], 0.5), 0.5
        )
        channels.append(mean.point(lambda v: round(128 + (v - 127.5) * sigma / 37)))
    noise = Image.merge("RGB", channels).filter(ImageFilter.GaussianBlur(0.5))
    return ImageChops.add(image, noise, 1, -128)


if __name__ == "__main__":
    main()
