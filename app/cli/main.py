"""Reads the command line, runs one command, and turns what goes wrong into words and a code."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from app.cli.arguments import UsageError, parser
from app.cli.stopping import interrupt, on_stop
from app.cli.terminal import Terminal
from app.core.errors import Bug, EaselError, RecipeProblem
from app.messages import Message, describe, shown

if TYPE_CHECKING:
    from pathlib import Path

    from app.cli.program import Program

DONE, WENT_WRONG, CANNOT_BE = 0, 1, 2


def main(argv: Sequence[str], compose: Callable[[], Program]) -> int:
    """Run ``easel ARGV...`` and return its exit code.

    0: done; 1: the world or a fault of Easel's was in the way, or it was stopped; 2: what was
    asked cannot be. ``compose`` is called at most once, when a command needs the program.
    """
    terminal = Terminal(sys.stdout, sys.stderr, "--json" in argv)
    program: Program | None = None

    def composed() -> Program:
        nonlocal program
        program = program or compose()
        return program

    try:
        with on_stop(interrupt):
            return _run(argv, composed, terminal)
    except SystemExit as ended:  # argparse, after --help and --version
        return int(ended.code or 0)
    except UsageError as error:
        terminal.problem(Message("That cannot be understood", shown(error), ""))
        return CANNOT_BE
    except EaselError as error:
        terminal.problem(describe(error), error)
        return code_of(error)
    except KeyboardInterrupt:
        terminal.note("Stopped.")
        terminal.event("stopped")
        return WENT_WRONG
    except BrokenPipeError:  # whoever read our output has left: easel models | head -1
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return WENT_WRONG
    except Exception as error:
        bug = Bug.of(error)
        terminal.problem(describe(bug, write_down(bug, program)), bug)
        return WENT_WRONG


def code_of(error: EaselError) -> int:
    """The exit code that goes with ``error``."""
    return CANNOT_BE if isinstance(error, RecipeProblem) else WENT_WRONG


def write_down(bug: Bug, program: Program | None) -> Path | None:
    """Put the traceback where the words say it is; on stderr where that is not possible."""
    try:
        if program is None:
            raise FileNotFoundError
        file = program.folders.logs / "easel.log"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8", errors="backslashreplace") as lines:
            lines.write(bug.traceback)
    except OSError:
        sys.stderr.write(bug.traceback)
        return None
    return file


def _run(argv: Sequence[str], compose: Callable[[], Program], terminal: Terminal) -> int:
    """The commands are imported only when asked for: --help answers at once."""
    if argv[:1] == ["bench"]:
        from app import bench

        return int(bench.main(list(argv[1:])))
    asked = parser().parse_args(argv)
    command = importlib.import_module(f"app.cli.{asked.verb}")
    return int(command.run(asked, compose(), terminal))
