"""A program that draws, saves and lists, and is killed at random moments; then what is left of it.

Run with a folder, what to do, how often, a seed and the longest life in seconds; prints one JSON
object. The program is forked from this one, so that a round costs no start of an interpreter.
Nothing here runs threads when it forks.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from PIL import Image

from app.core.recipe import Draft
from app.jobs.events import Saved, SessionEvent
from app.jobs.session import Session
from app.jobs.thread_host import ThreadHost
from app.library.gallery import Gallery
from app.library.library import Library, read_picture
from tests.engine.numpy_engine import make_numpy_engine, numpy_model
from tests.library.pictures import open_gallery

RESCUED = "rescued"


def draw_for_ever(home: Path, told: int) -> None:
    """The program: draws, saves, lists and marks, and tells of each picture once it is saved."""
    gallery = open_gallery(home)
    library = Library(home / "pictures", home / RESCUED, saved=gallery.add)
    model = numpy_model(home)
    queue: list[str] = []

    def hear(event: SessionEvent) -> None:
        if isinstance(event, Saved):
            os.write(told, os.fsencode(event.picture.file) + b"\0")
            queue.append(event.picture.id)

    session = Session(
        ThreadHost(make_numpy_engine), library, lambda: (model,), home / "queue", hear
    )
    session.submit(Draft("a red apple", steps=2, count=100), model)
    while True:
        gallery.refresh()
        if queue:
            gallery.set_favourite([queue[-1]], True)
        time.sleep(0.002)


def import_for_ever(home: Path, told: int) -> None:
    """The program: lists what lies in the folder, again and again from nothing."""
    os.write(told, b"\0")
    gallery = open_gallery(home)
    gallery.refresh()
    while True:
        gallery.rebuild()


def kill_in(seconds: float, home: Path, program: object) -> list[Path]:
    """Let the program begin, kill it ``seconds`` later; the files that it told of."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            program(home, writer)  # type: ignore[operator]
        finally:
            os._exit(1)
    os.close(writer)
    first = os.read(reader, 65536)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    said = first
    while piece := os.read(reader, 65536):
        said += piece
    os.close(reader)
    return [Path(os.fsdecode(name)) for name in said.split(b"\0")[:-1] if name]


def look(home: Path, told: list[Path]) -> Counter[str]:
    """What is wrong after the next start; an empty counter where nothing is."""
    wrong: Counter[str] = Counter()
    gallery: Gallery = open_gallery(home)
    while not gallery.refresh().whole:
        pass
    rows = {entry.file for entry in gallery.entries(gallery.keys())}
    wrong["problem said"] += len(gallery.problems())
    gallery.close()
    files = {
        file
        for place in ("pictures", RESCUED)
        for file in (home / place).rglob("*")
        if file.is_file() and not file.name.startswith(".easel-")
    }
    for file in files:
        try:
            read_picture(file)
            with Image.open(file) as image:
                image.load()
        except Exception:
            wrong["half a file under a final name"] += 1
    wrong["a row without a file"] += len(rows - files)
    wrong["a picture without a row"] += len(files - rows)
    wrong["a finished picture lost"] += len(set(told) - files)
    return +wrong


def main(home: Path, mode: str, rounds: int, seed: int, longest: float) -> None:
    chance = random.Random(seed)
    program = {"draw": draw_for_ever, "import": import_for_ever}[mode]
    wrong: Counter[str] = Counter()
    told: list[Path] = []
    for _ in range(rounds):
        told += kill_in(chance.uniform(0.0, longest), home, program)
        wrong += look(home, told)
    parts = len(list(home.rglob(".easel-*.part")))
    print(json.dumps({"wrong": wrong, "told": len(told), "parts": parts}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
