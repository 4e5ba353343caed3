"""``easel selftest``: one real picture, start to finish, and a look at every part on the way."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

from app.cli.checks import Checks, Fault
from app.cli.main import write_down
from app.cli.program import Program
from app.cli.terminal import Terminal
from app.core.errors import Bug, EaselError
from app.core.events import Cancelled, Failed, JobId, Stepped
from app.core.model import Model, ModelFormat
from app.core.recipe import Draft
from app.engine import model_folder
from app.jobs.events import EngineChanged, EngineState, Saved, SessionEvent
from app.jobs.session import Session
from app.library.library import Library, read_picture
from app.library.xmp import GENERATED
from app.messages import describe

STEPS = 4
LONG = 50
"""Steps of the drawing that is stopped: it must not be done before."""
PICTURE_S = 600.0


def run(asked: argparse.Namespace, program: Program, terminal: Terminal) -> int:
    """Print each check as it is made. Returns 0 when all went well, else 1."""
    checks = Checks(terminal)
    if asked.coreml:
        from app.cli import coreml  # numpy comes with it

        coreml.test(checks, coreml.system_of(program.folders), program.models())
        return checks.finish("The self-test")
    with tempfile.TemporaryDirectory(prefix="easel-selftest-") as folder:
        look_around(checks, program, Path(folder))
        draw(checks, program, Path(folder))
        try_children(checks, program, Path(folder))
    return checks.finish("The self-test")


def look_around(checks: Checks, program: Program, folder: Path) -> None:
    """What came with the program."""
    from app.cli import bundle

    folders, keep = program.folders, partial(write_down, program=program)
    checks.attempt("The resources are here", partial(bundle.resources, folders), keep)
    checks.attempt("Easel's licence and notices are here", partial(bundle.notices, folders), keep)
    checks.attempt("The models' licences are here", partial(bundle.licences, folders), keep)
    shelf = partial(bundle.models_to_install, folders, folder / "shipped")
    checks.attempt("The catalogue can be read", shelf, keep)
    checks.attempt("Certificates can be checked", bundle.certificates, keep)


def draw(checks: Checks, program: Program, folder: Path) -> None:
    """Pictures with the built-in model, in a fresh child process."""
    pictures = folder / "pictures"
    try:
        model = _starter(program)
        checks.check("The built-in model is whole", True, model.folder)
        first = _draw(checks, program, model, pictures)
    except EaselError as error:
        log = write_down(error, program) if isinstance(error, Bug) else None
        checks.check("Drawing", False, str(describe(error, log)))
        return
    check_forms(checks, program, first, folder)


def check_forms(checks: Checks, program: Program, saved: Saved, folder: Path) -> None:
    """The picture that was saved in each form there is."""
    from app.cli import bundle

    keep = partial(write_down, program=program)
    for name, suffix in bundle.FORMS.items():
        copy: Callable[[], str] = partial(bundle.form, saved.picture, suffix, folder / "copies")
        checks.attempt(f"{name} holds the picture and its recipe", copy, keep)


def try_children(checks: Checks, program: Program, folder: Path) -> None:
    """Processes beside the one that draws."""
    from app.cli import bundle

    keep = partial(write_down, program=program)
    checks.attempt("A child that does not listen is ended", bundle.deaf_child, keep)
    converting = folder / "converted"
    converting.mkdir()
    toy = partial(bundle.conversion, converting)
    checks.attempt("A network is converted to Core ML, and its package runs", toy, keep)


def _starter(program: Program) -> Model:
    """As PyTorch draws it, not a conversion of it. Raises what is wrong with it."""
    for model in program.models():
        if model.built_in and model.format is ModelFormat.DIFFUSERS:
            return model
    return model_folder.starter(program.folders)


def _draw(checks: Checks, program: Program, model: Model, folder: Path) -> Saved:
    """The first of three pictures with one seed. Raises what went wrong."""
    events: SimpleQueue[SessionEvent] = SimpleQueue()
    session = program.open_session(Library(folder, folder), checked=True)
    session.listen(events.put)
    draft = Draft("a red apple", steps=STEPS, seed=17)
    try:
        first = _saved(events, session.submit(draft, model)[0].id)
        checks.check("The drawing libraries are real", True)
        checks.check("A picture is drawn and saved", True, f"{first.picture.seconds:.2f} s")
        again = _saved(events, session.submit(draft, model)[0].id)
        _look(checks, first, again, folder)
        keep = partial(write_down, program=program)
        stop = partial(_stop, session, events, replace(draft, steps=LONG), model)
        checks.attempt("A drawing can be stopped", stop, keep)
        checks.attempt("The loss of a drawing process is noticed", partial(_lose, events), keep)
        after = _saved(events, session.submit(draft, model)[0].id)
        checks.check("The next picture is drawn after that", after.pixels == first.pixels)
    finally:
        session.close()
    return first


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


def _stop(session: Session, events: SimpleQueue[SessionEvent], draft: Draft, model: Model) -> str:
    """In the midst of its steps. Raises Fault, and what made the job fail."""
    job = session.submit(draft, model)[0].id
    while True:
        event = _next(events, job)
        if isinstance(event, Stepped):
            session.stop(job)
        elif isinstance(event, Cancelled):
            return ""
        elif isinstance(event, Saved):
            raise Fault("It was drawn to its end all the same.")


def _lose(events: SimpleQueue[SessionEvent]) -> str:
    """Kill the child that draws. Raises Fault."""
    from app.jobs.rehearsing import lose_engines

    if not lose_engines():
        raise Fault("There is no process that draws.")
    while True:
        event = _next(events)
        if isinstance(event, EngineChanged) and event.state is EngineState.DOWN:
            return ""


def _saved(events: SimpleQueue[SessionEvent], job: JobId) -> Saved:
    """The ending of that job. Raises what made it fail."""
    while True:
        event = _next(events, job)
        if isinstance(event, Saved):
            return event
        if isinstance(event, Cancelled):
            raise Bug("the drawing was cancelled, and nobody had asked for it\n")


def _next(events: SimpleQueue[SessionEvent], job: JobId = "") -> SessionEvent:
    """What happens next to ``job``, or to the engine. Raises what made the job fail."""
    try:
        while True:
            event = events.get(timeout=PICTURE_S)
            match event:
                case Failed(about, error) if about == job:
                    raise error
                case Saved(about) if about.id == job:
                    return event
                case Cancelled(about) | Stepped(about) if about == job:
                    return event
                case EngineChanged():
                    return event
    except Empty:
        raise Bug(f"no picture after {PICTURE_S:.0f} seconds\n") from None
