"""Pillow's default: each raw picture of a folder as a PNG, with the text that A1111 writes.

Writes for each kind the CPU seconds of one (the middle of a few) and the bytes.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

TIMES = 7


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--side", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    Image.init()
    numbers = {}
    for file in sorted(asked.folder.glob("*.rgb")):
        rgb, spent, data = file.read_bytes(), [], b""
        for _ in range(TIMES):
            began = time.process_time()
            image = Image.frombytes("RGB", (asked.side, asked.side), rgb)
            chunks = PngInfo()
            chunks.add_text("parameters", "a red apple\nSteps: 20, Sampler: Euler, Seed: 1")
            out = io.BytesIO()
            image.save(out, "PNG", pnginfo=chunks)
            spent.append(time.process_time() - began)
            data = out.getvalue()
        numbers[f"{file.stem}_cpu"] = sorted(spent)[TIMES // 2]
        numbers[f"{file.stem}_bytes"] = len(data)
    asked.out.write_text(json.dumps({"numbers": numbers, "facts": {}}))


if __name__ == "__main__":
    main()
