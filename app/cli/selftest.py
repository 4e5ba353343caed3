"""``easel selftest``: one real picture, start to finish, and a look at every part on the way."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue

from app.cli.checks import Checks
from app.cli.main import write_down
from app.cli.program import Program
from app.cli.terminal import Terminal
from app.core.errors import Bug, EaselError
from app.core.events import Cancelled, Failed
from app.core.model import Model
from app.core.recipe import Draft
from app.engine import model_folder
from app.jobs.events import Saved, SessionEvent
from app.library.library import Library, read_picture
from app.library.xmp import GENERATED
from app.messages import describe

STEPS = 4
PICTURE_S = 600.0


def run(asked: argparse.Namespace, program: Program, terminal: Terminal) -> int:
    """Print each check as it is made. Returns 0 when all went well, else 1."""
    checks = Checks(terminal)
    if asked.coreml:
        from app.cli import coreml  # numpy comes with it

        coreml.test(checks, coreml.system_of(program.folders), program.models())
        return checks.finish("The self-test")
    try:
        model = _starter(program)
        checks.check("The built-in model is whole", True, model.folder)
        with tempfile.TemporaryDirectory(prefix="easel-selftest-") as folder:
            _draw(checks, program, model, Path(folder))
    except EaselError as error:
        log = write_down(error, program) if isinstance(error, Bug) else None
        checks.check("Drawing", False, str(describe(error, log)))
    return checks.finish("The self-test")


def _starter(program: Program) -> Model:
    """Raises what is wrong with it."""
    for model in program.models():
        if model.built_in:
            return model
    return model_folder.starter(program.folders)


def _draw(checks: Checks, program: Program, model: Model, folder: Path) -> None:
    """Two pictures with one seed, in a fresh child process. Raises what went wrong."""
    events: SimpleQueue[SessionEvent] = SimpleQueue()
    session = program.open_session(Library(folder, folder), checked=True)
    session.listen(events.put)
    draft = Draft("a red apple", steps=STEPS, seed=17)
    try:
        first = _wait(events, session.submit(draft, model)[0].id)
        checks.check("The drawing libraries are real", True)
        checks.check("A picture is drawn and saved", True, f"{first.picture.seconds:.2f} s")
        again = _wait(events, session.submit(draft, model)[0].id)
    finally:
        session.close()
    _look(checks, first, again, folder)


def _look(checks: Checks, first: Saved, again: Saved, folder: Path) -> None:
    """Read back what was written."""
    picture = first.picture
    checks.check("The same seed gives the same picture", first.pixels == again.pixels)
    checks.check("No picture replaces another", picture.file != again.picture.file)
    read = read_picture(picture.file)
    checks.check("The picture holds its recipe", replace(read, fell_back=None) == picture)
    size = first.pixels.width, first.pixels.height
    checks.check(
        "The picture has the size that was asked for",
        size == (picture.recipe.size.width, picture.recipe.size.height),
    )
    checks.check(
        "The picture is marked as generated", GENERATED.encode() in picture.file.read_bytes()
    )
    colours = len(set(zip(*[iter(first.pixels.rgb)] * 3, strict=True)))
    checks.check("The picture is not empty", colours > 16, f"{colours} colours")
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    checks.check("Nothing else is left behind", len(files) == 2, f"{len(files)} files")


def _wait(events: SimpleQueue[SessionEvent], job_id: str) -> Saved:
    """The ending of that job. Raises what made it fail."""
    try:
        while True:
            event = events.get(timeout=PICTURE_S)
            if isinstance(event, Saved) and event.job.id == job_id:
                return event
            if isinstance(event, Failed) and event.job == job_id:
                raise event.error
            if isinstance(event, Cancelled) and event.job == job_id:
                raise Bug("the drawing was cancelled, and nobody had asked for it\n")
    except Empty:
        raise Bug(f"no picture after {PICTURE_S:.0f} seconds\n") from None
