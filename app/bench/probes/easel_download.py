"""Easel fetches one file from a hub on this machine, and proves it.

Writes the CPU and wall seconds of the transfer once its libraries are loaded, and the CPU seconds
(``hashing``) that SHA-256 over the same bytes takes by itself.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "0"  # the bench runs everything offline; this goes to loopback
os.environ["NO_PROXY"] = "127.0.0.1"

from app.bench.watch import write
from app.core.card import CardFile, Kind, ModelCard
from app.core.model import Family
from app.weights.patience import Options, Patience
from app.weights.transfer import transfer


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("--url", "--into", "--bytes", "--sha256", "--out"):
        parser.add_argument(name, required=True)
    asked = parser.parse_args()
    file = CardFile("by-easel.bin", int(asked.bytes), asked.sha256)
    options = Options(asked.url, patience=Patience(spare=0))
    import huggingface_hub.utils._http  # noqa: F401 (loaded before the clock starts)

    began, cpu = time.monotonic(), time.process_time()
    transfer(card(file), Path(asked.into), lambda _: None, lambda: False, options)
    wall, cpu = time.monotonic() - began, time.process_time() - cpu
    place = Path(asked.into) / file.path
    write(asked.out, {"cpu": cpu, "wall": wall, "hashing": hashing(place)})
    place.unlink()


def card(file: CardFile) -> ModelCard:
    return ModelCard(
        id="bench", title="Bench", summary="", kind=Kind.DIFFUSERS, family=next(iter(Family)),
        repository="easel/bench", revision="main", licence="", files=(file,), memory=0, disk=0,
    )  # fmt: skip


def hashing(place: Path) -> float:
    """CPU seconds; pieces of the size that a transfer hashes, in memory."""
    found = hashlib.sha256()
    spent = 0.0
    with place.open("rb") as file:
        while piece := file.read(1 << 18):
            before = time.process_time()
            found.update(piece)
            spent += time.process_time() - before
    return spent


if __name__ == "__main__":
    main()
