"""``easel doctor``: what is installed, and what may be wrong."""

from __future__ import annotations

import argparse
import platform
from dataclasses import asdict
from pathlib import Path
from queue import Empty, SimpleQueue

from app import __version__
from app.cli import machine
from app.cli.checks import Checks
from app.cli.main import DONE
from app.cli.models import folder_bytes
from app.cli.program import Program
from app.cli.terminal import Terminal
from app.core.errors import EaselError
from app.files.atomic_file import check_writable, free_bytes
from app.jobs.events import EngineChanged, EngineState, SessionEvent
from app.messages import describe, shown, size_text

ENGINE_S = 300.0
"""Seconds the engine gets to start: the first time after an installation it is slow."""


def run(asked: argparse.Namespace, program: Program, terminal: Terminal) -> int:
    """Print what was found. Returns 0 when Easel can draw here, else 1."""
    if asked.connections:
        return _list_connections(program, terminal)
    checks = Checks(terminal)
    if asked.coreml:
        from app.cli import coreml  # numpy comes with it

        coreml.look(checks, coreml.system_of(program.folders), program.models())
        return checks.finish("The doctor")
    _look_at_versions(checks)
    _look_at_machine(checks)
    _look_at_folders(checks, program)
    _look_at_models(checks, program)
    _look_at_engine(checks, program)
    return checks.finish("The doctor")


def _list_connections(program: Program, terminal: Terminal) -> int:
    """Print the ledger: every connection that Easel ever made, oldest first."""
    rows = program.shelf.ledger.connections()
    if terminal.as_json:
        terminal.results([asdict(row) for row in rows])
        return DONE
    for row in rows:
        terminal.result(
            f"{row.when}  {shown(row.host)}  {size_text(row.received)}  {shown(row.why)}"
        )
    if not rows:
        terminal.note("Easel has never made a connection.")
    return DONE


def _look_at_versions(checks: Checks) -> None:
    checks.fact("Easel", __version__)
    checks.fact("Python", platform.python_version())
    for package, version in machine.versions().items():
        checks.check(package, version is not None, version or "not installed")


def _look_at_machine(checks: Checks) -> None:
    checks.fact("System", machine.system())
    checks.fact("Processor cores", str(machine.cores()))
    total, free = machine.memory()
    left = "" if free is None else f", {size_text(free)} free"
    checks.fact("Memory", f"{size_text(total)}{left}")
    screen = machine.screen()
    checks.fact("Screen", screen or "none; easel generate works without one")
    problem = machine.qt_problem()
    if problem is None:
        checks.check("Window libraries", True)
    elif screen is None:
        checks.fact("Window libraries", f"{problem}; not needed without a screen")
    else:
        checks.check("Window libraries", False, problem)


def _look_at_folders(checks: Checks, program: Program) -> None:
    problem = program.settings_problem
    checks.check("Settings", problem is None, str(describe(problem)) if problem else "")
    folders = program.folders
    places = {
        "Pictures folder": program.library.folder,
        "Support folder": folders.support,
        "Caches folder": folders.caches,
        "Logs folder": folders.logs,
    }
    for name, folder in places.items():
        try:
            check_writable(folder)
        except EaselError as error:
            checks.check(name, False, str(describe(error)))
        else:
            checks.check(name, True, f"{folder}, {size_text(free_bytes(folder))} free")


def _look_at_models(checks: Checks, program: Program) -> None:
    try:
        program.model()
    except EaselError as error:
        checks.check("Built-in model", False, str(describe(error)))
    for model in program.models():
        size = size_text(folder_bytes(Path(model.folder)))
        checks.check(f"Model {model.id}", True, f"{model.title}, {size}, {model.folder}")


def _look_at_engine(checks: Checks, program: Program) -> None:
    """Start the drawing process and ask where it can draw."""
    events: SimpleQueue[SessionEvent] = SimpleQueue()
    session = program.open_session(program.library)
    try:
        session.listen(events.put)
        session.warm_up()
        while True:
            match events.get(timeout=ENGINE_S):
                case EngineChanged(EngineState.READY, placements):
                    names = ", ".join(placement.value for placement in placements)
                    checks.check("Draws on", True, names)
                    return
                case EngineChanged(EngineState.DOWN, _, error) if error is not None:
                    checks.check("Draws on", False, str(describe(error)))
                    return
    except Empty:
        checks.check("Draws on", False, f"the engine has not started in {ENGINE_S:.0f} seconds")
    finally:
        session.close()
