"""What a self-test tries with child processes: end one, lose one, and convert in a limited one."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path

from app.convert.coreml.verifying import Compared
from app.jobs.child import ENGINE
from app.jobs.limited_child import Bounds, Work, run_limited

WAIT_S = 120.0
"""Seconds a child gets to start: the first time after an installation it is slow."""

Convert = Callable[[Path, Callable[[object], None], Callable[[], bool]], tuple[Compared, ...]]
"""Called in the child with the folder, ``report`` and ``cancelled``."""


def _deaf(report: Callable[[object], None], cancelled: Callable[[], bool]) -> None:  # noqa: ARG001
    report(os.getpid())
    while True:
        time.sleep(1.0)


def _convert(
    folder: Path,
    report: Callable[[object], None],  # noqa: ARG001
    cancelled: Callable[[], bool],  # noqa: ARG001
) -> tuple[Compared, ...]:
    from app.convert.coreml.toy import run_toy, write_toy

    write_toy(folder)
    return run_toy(folder)


def end_a_deaf_child(work: Work[None] = _deaf) -> bool:
    """Start a child that never looks at Stop, and stop it; blocks. Whether it is gone then.

    ``work`` reports its process id first. Raises ImportRefused where no child comes up.
    """
    heard: list[int] = []
    bounds = Bounds(memory=0, cpu_s=0, wall_s=WAIT_S, grace_s=0.1)
    run_limited(work, "", bounds, heard.append, lambda: bool(heard))
    return bool(heard) and not _is_there(heard[0])


def lose_engines() -> int:
    """Kill the processes that draw for this one, as a crash would; how many there were."""
    engines = [child for child in multiprocessing.active_children() if child.name == ENGINE]
    for engine in engines:
        engine.kill()
    return len(engines)


def convert_toy(folder: Path, convert: Convert = _convert) -> tuple[Compared, ...]:
    """Convert a toy network into ``folder`` and run the package, in a limited child; blocks.

    How near its answers come to torch's. Raises ImportRefused, ModelError, Bug.
    """
    bounds = Bounds.for_conversion(0)
    work = functools.partial(convert, folder)
    made = run_limited(work, str(folder), bounds, _ignore, _never)
    assert made is not None  # nobody stops it
    return made


def _is_there(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def _ignore(event: object) -> None:
    del event


def _never() -> bool:
    return False
