"""Easel's PNG: each raw picture of a folder, with its whole recipe, XMP and text.

Writes for each kind the CPU seconds of one (the middle of a few) and the bytes.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path

from app.bench.watch import write
from app.core.events import Pixels
from app.core.placement import Placement
from app.core.recipe import Recipe, Scheduler, Size
from app.library.picture_file import Picture, encode

TIMES = 7


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--side", type=int, required=True)
    parser.add_argument("--out", required=True)
    asked = parser.parse_args()
    size = Size(asked.side, asked.side)
    recipe = Recipe("a red apple", "starter", size, 20, 7.5, 1, Scheduler.EULER)
    picture = Picture(Path(), recipe, Placement.CPU, 1.0, datetime.now(UTC), id="0" * 32)
    encode(Pixels(8, 8, bytes(192)), picture)  # the libraries are loaded
    numbers = {}
    for file in sorted(asked.folder.glob("*.rgb")):
        pixels, spent, data = Pixels(asked.side, asked.side, file.read_bytes()), [], b""
        for _ in range(TIMES):
            began = time.process_time()
            data = encode(pixels, picture)
            spent.append(time.process_time() - began)
        numbers[f"{file.stem}_cpu"] = sorted(spent)[TIMES // 2]
        numbers[f"{file.stem}_bytes"] = float(len(data))
    write(asked.out, numbers)


if __name__ == "__main__":
    main()
