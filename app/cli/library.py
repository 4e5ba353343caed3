"""``easel library``: list, search, rebuild, recipe."""

from __future__ import annotations

import argparse
import json
import threading
from pathlib import Path

from app.cli.main import DONE, WENT_WRONG
from app.cli.program import Program
from app.cli.stopping import on_stop
from app.cli.terminal import Terminal
from app.core.recipe_json import to_dict
from app.library.entry import Entry
from app.library.foreign import read_recipe
from app.library.gallery import Gallery
from app.library.search import Query
from app.messages import describe, shown

PAGE = 500


def run(asked: argparse.Namespace, program: Program, terminal: Terminal) -> int:
    """Do what is asked of the pictures. Returns the exit code."""
    if asked.action == "recipe":
        return _recipe(Path(asked.file), terminal)
    gallery = program.gallery
    try:
        return _with_gallery(asked, gallery, terminal)
    finally:
        gallery.close()


def _with_gallery(asked: argparse.Namespace, gallery: Gallery, terminal: Terminal) -> int:
    # 1. What the files say now
    stop = threading.Event()
    look = gallery.rebuild if asked.action == "rebuild" else gallery.refresh

    def report(done: int, of: int) -> None:
        terminal.status(f"{done} of {of} pictures")

    with on_stop(stop.set):
        found = look(stop.is_set, report)
        while not found.whole and not stop.is_set():  # the index was damaged, and is begun anew
            found = gallery.refresh(stop.is_set, report)
    terminal.status("")
    for problem in gallery.problems():
        terminal.note(str(describe(problem)))
    if stop.is_set():
        raise KeyboardInterrupt
    # 2. What is asked of them
    if asked.action == "rebuild":
        count = len(gallery.keys())
        terminal.event("rebuilt", pictures=count)
        terminal.note("1 picture is listed." if count == 1 else f"{count} pictures are listed.")
        return DONE
    text = " ".join(asked.text) if asked.action == "search" else ""
    keys = gallery.keys(Query(text))
    if terminal.as_json:
        terminal.results([_data(entry) for entry in gallery.entries(keys)])
        return DONE
    for at in range(0, len(keys), PAGE):
        for entry in gallery.entries(keys[at : at + PAGE]):
            when = entry.created.astimezone().strftime("%Y-%m-%d %H:%M")
            said = shown(" ".join(entry.prompt.split()))[:80]
            terminal.result(f"{when}  {entry.file}  {said}".rstrip())
    if not keys:
        terminal.note("There is no picture." if not text else "No picture has all of that.")
    return DONE


def _data(entry: Entry) -> dict[str, object]:
    """``entry`` as JSON values."""
    recipe = entry.recipe
    return {
        "file": str(entry.file),
        "id": entry.id,
        "created": entry.created.isoformat(),
        "size": [entry.width, entry.height],
        "program": entry.program,
        "prompt": entry.prompt,
        "negative_prompt": entry.negative_prompt,
        "model": entry.model,
        "seed": entry.seed,
        "scheduler": entry.scheduler,
        "steps": entry.steps,
        "guidance": entry.guidance,
        "placement": entry.placement,
        "seconds": entry.seconds,
        "favourite": entry.favourite,
        "tags": list(entry.tags),
        "recipe": None if recipe is None else to_dict(recipe),
    }


def _recipe(file: Path, terminal: Terminal) -> int:
    """Print how a picture was drawn; 1 where it does not say."""
    found = read_recipe(file)
    if found is None:
        terminal.note(f"{shown(file)} does not say how it was drawn.")
        terminal.event("no recipe")
        return WENT_WRONG
    draft = found.draft
    rows: dict[str, object] = {
        "program": found.program,
        "prompt": draft.prompt,
        "negative_prompt": draft.negative_prompt,
        "size": None if draft.size is None else str(draft.size),
        "steps": draft.steps,
        "guidance": draft.guidance,
        "seed": draft.seed,
        "scheduler": None if draft.scheduler is None else str(draft.scheduler),
        "strength": found.strength,
        "model": found.model,
        "model_hash": found.model_hash,
        "loras": [[lora.name, lora.weight] for lora in found.loras],
        "unknown": dict(found.unknown),
    }
    if terminal.as_json:
        terminal.results(rows)
        return DONE
    for name, value in rows.items():
        if value not in (None, "", [], {}):
            said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            terminal.result(f"{name.replace('_', ' ')}: {shown(said)}")
    return DONE
