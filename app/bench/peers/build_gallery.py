"""A folder of many small pictures with recipes, the same each time: ``--count`` PNGs of 64 pixels.

    python build_gallery.py HOME --count 10000 --out RESULT

Written as Easel writes them, in day folders below ``HOME/Pictures``, and listed in the index of
``HOME``; the small pictures are made too, so that what is measured is a gallery in daily use.
"""

from __future__ import annotations

import argparse
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.bench.watch import write
from app.compose import compose
from app.core.events import Pixels
from app.core.placement import Placement
from app.core.recipe import Recipe, Scheduler, Size
from app.library.picture_file import Picture, encode
from app.library.search import Query

SIDE = 64
THINGS = ("apple", "boat", "castle", "dragon", "fox", "garden", "harbour", "island")
LOOKS = ("red", "golden", "misty", "tiny", "ancient", "bright", "quiet", "stormy")
BEGIN = datetime(2026, 1, 1, 9, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--out", required=True)
    asked = parser.parse_args()
    easel = compose({"EASEL_HOME": str(asked.home)})
    chance = random.Random(17)
    for number in range(asked.count):
        draw(easel.folders.pictures, number, chance)
    gallery = easel.gallery
    while not gallery.refresh().whole:
        pass
    thumbnails = easel.make_thumbnails()
    for entry in gallery.entries(gallery.keys(Query())):
        thumbnails.get(entry)
    gallery.close()
    write(asked.out, {"pictures": asked.count})


def draw(root: Path, number: int, chance: random.Random) -> None:
    """One picture, thirty a day: flat colours, as different as a seed makes them."""
    created = BEGIN + timedelta(days=number // 30, minutes=number % 30)
    prompt = f"a {chance.choice(LOOKS)} {chance.choice(THINGS)} under a {chance.choice(LOOKS)} sky"
    size = Size(SIDE, SIDE)
    recipe = Recipe(prompt, "starter", size, 20, 7.5, chance.randrange(2**32), Scheduler.EULER)
    colours = [chance.randbytes(3) for _ in range(4)]
    rgb = b"".join(colours[row // 16] * SIDE for row in range(SIDE))
    picture = Picture(Path(), recipe, Placement.CPU, 1.0, created, id=f"{number:032x}")
    folder = root / created.date().isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    data = encode(Pixels(SIDE, SIDE, rgb), picture)
    (folder / f"{number:05}.png").write_bytes(data)


if __name__ == "__main__":
    main()
