"""curl fetches one file. Writes the CPU and wall seconds of the curl process."""

from __future__ import annotations

import argparse
import os
import subprocess
import time
from pathlib import Path

from app.bench.watch import write


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("--url", "--into", "--out"):
        parser.add_argument(name, required=True)
    asked = parser.parse_args()
    file = Path(asked.into) / "by-curl.bin"
    before, began = os.times(), time.monotonic()
    subprocess.run(["curl", "-sS", "--noproxy", "*", "-o", str(file), asked.url], check=True)
    wall, after = time.monotonic() - began, os.times()
    cpu = after.children_user + after.children_system
    write(
        asked.out,
        {"cpu": cpu - before.children_user - before.children_system, "wall": wall},
    )
    file.unlink()


if __name__ == "__main__":
    main()
