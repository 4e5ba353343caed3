"""``easel bench``: what is asked, what is measured, what is printed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from app.bench import (
    conversion,
    download,
    drawing,
    gallery,
    machine,
    report,
    saving,
    starter,
    window,
)
from app.bench.finding import Finding
from app.bench.runner import NotMeasured, Runner, first_core
from app.bench.setting import Scale, Setting
from app.places import find_folders

Bench = Callable[[Setting], list[Finding]]

BENCHES: dict[str, Bench] = {
    "startup": window.startup,
    "first-picture": drawing.first_picture,
    "overhead": drawing.overhead,
    "load": drawing.load,
    "memory": drawing.memory,
    "ui": window.ui,
    "starter": starter.judge,
    "download": download.download,
    "convert": conversion.convert,
    "png": saving.png,
    "gallery": gallery.gallery,
}
ASKED_ALONE = frozenset({"convert"})
"""Left out of "all": minutes and gigabytes that say nothing about drawing."""
ABOUT = """Measure what Easel promises, against stock scripts on the same weights.

  startup        launch to the first window, against a bare PySide6 window
  first-picture  launch to the first picture of the starter, and Generate to picture once all is
                 warm, against a script that calls diffusers
  overhead       CPU added to each step, and a whole picture against stock diffusers
  load           networks from disk, against from_pretrained
  memory         peak memory of a 512x512 picture with networks loaded in stages (--full)
  ui             whether the window keeps answering while the engine works
  starter        the judge's score of the built-in model's drawings
  download       a file fetched and proven from a server on this machine, against curl
  png            a picture saved with its recipe, against Pillow's default
  gallery        10,000 pictures opened, leafed through and searched
  convert        the UNet made a Core ML package, as it is and in 6 bits; with --full also executed
  all            all of these but convert (the default)
"""
NOTES = """Each number comes from a fresh process on one pinned thread and is CPU time (user and
system, of it and all it started) unless the unit says otherwise. Both sides run in turn; the ratio
is the median over the pairs with its bootstrap 95 % interval, and a target is met when the upper
end of the interval is within 0.02 of it (2 % of it where it has a unit). The stock scripts are in
app/bench/peers. Exit status: 0 when all was measured, whatever the numbers; 1 when something could
not be measured; 2 on wrong usage. Nothing needs a network.
"""


def run(argv: Sequence[str]) -> int:
    """Measure what ``argv`` asks for and print it; the exit status."""
    asked = parse(argv)
    if getattr(sys, "frozen", False):
        print(
            "easel bench needs a checkout or an installed wheel, not the bundled app.",
            file=sys.stderr,
        )
        return 1
    setting = setting_of(asked)
    names = (
        [name for name in BENCHES if name not in ASKED_ALONE]
        if asked.bench == "all"
        else [asked.bench]
    )
    about = machine.describe()
    findings, failures = measure(names, setting)
    about["load_after"] = list(machine.load())
    data = report.to_json(findings, about, settings_json(asked, setting))
    data["failures"] = failures
    show(asked.json, data, report.table(findings), about)
    for name, failure in failures.items():
        print(f"{name} could not be measured: {failure}", file=sys.stderr)
    return 1 if failures else 0


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """What is asked. Exits with 2 on wrong usage, as argparse does."""
    parser = argparse.ArgumentParser(
        prog="easel bench",
        description=ABOUT,
        epilog=NOTES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "bench", nargs="?", default="all", choices=[*BENCHES, "all"], metavar="BENCH"
    )
    parser.add_argument(
        "--peer",
        action="store_true",
        help="measure the stock scripts alone and print their own numbers (in float32): what this"
        " machine does without Easel. Benches without a peer print nothing",
    )
    parser.add_argument(
        "--pairs", type=positive, help="pairs to measure (default 5; 2 with --tiny)"
    )
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument(
        "--tiny",
        action="store_const",
        const=Scale.TINY,
        dest="scale",
        help="a model of a million parameters: shows in seconds that every bench works; its numbers"
        " mean nothing and no target is held",
    )
    scale.add_argument(
        "--full",
        action="store_const",
        const=Scale.FULL,
        dest="scale",
        help="Stable Diffusion 1.5 in size: 860 million parameters, 2 GB in the cache folder,"
        " minutes of CPU. Without it: the same blocks with a quarter of the channels",
    )
    parser.add_argument(
        "--json",
        nargs="?",
        const="-",
        metavar="FILE",
        help="every reading as JSON: to FILE beside the table, or without one instead of the table",
    )
    parser.add_argument("--models", type=Path, metavar="FOLDER", help="where built models are kept")
    parser.set_defaults(scale=Scale.SMALL)
    return parser.parse_args(list(argv))


def positive(text: str) -> int:
    """A whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def setting_of(asked: argparse.Namespace) -> Setting:
    """Where and how to measure."""
    folders = find_folders()
    return Setting(
        runner=Runner(core=first_core()),
        folders=folders,
        models=(asked.models or folders.caches / "bench").absolute(),
        scale=asked.scale,
        pairs=asked.pairs or (2 if asked.scale is Scale.TINY else 5),
        peer_only=asked.peer,
        say=lambda line: print(line, file=sys.stderr, flush=True),
    )


def measure(names: Sequence[str], setting: Setting) -> tuple[list[Finding], dict[str, str]]:
    """What was found, and why for each bench that could not be measured: the others go on."""
    findings: list[Finding] = []
    failures: dict[str, str] = {}
    for name in names:
        try:
            findings += BENCHES[name](setting)
        except NotMeasured as error:
            failures[name] = str(error)
    return findings, failures


def settings_json(asked: argparse.Namespace, setting: Setting) -> dict[str, object]:
    """What was asked, as JSON values."""
    return {
        "bench": asked.bench,
        "scale": setting.scale.value,
        "pairs": setting.pairs,
        "peer_only": setting.peer_only,
        "core": setting.runner.core,
    }


def show(where: str | None, data: object, table: str, about: dict[str, object]) -> None:
    """Print the table, the JSON, or both."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    if where == "-":
        print(text)
        return
    if where is not None:
        Path(where).write_text(text + "\n", encoding="utf-8")
    print(
        f"{about['processor']}, {about['cores']} cores,"
        f" load {about['load']} before, {about['load_after']} after"
    )
    print(f"flags: {' '.join(machine.flags()) or 'unknown'}\n")
    print(table)
