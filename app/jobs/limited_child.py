"""Runs one function on something untrusted in a child process with limits, and can end it.

The child may not use more memory, processor time or wall time than it was given, opens no
connection and dies with its parent. Whatever happens to it, the caller gets a typed answer.
"""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import pickle
import resource
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, TypeVar, cast

from app.core.errors import Bug, EaselError, HubUnreachable, ImportRefused
from app.jobs import serve
from app.jobs.offline import allow_the_hub, refuse_connections

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Result = TypeVar("Result")
Work = Callable[[Callable[[object], None], Callable[[], bool]], Result]
"""Called with ``report`` and ``cancelled``; picklable (a ``functools.partial`` of a function)."""

LOOK_S = 0.05
"""How often the person's Stop is looked at."""
REAP_S = 5.0
_GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Bounds:
    """``memory`` is address space in bytes, the others are seconds.

    ``grace_s`` is what a stopped child gets to put things away before it is killed. ``memory`` and
    ``cpu_s`` of 0 are no limit. ``online`` is for the one child that may open connections.
    """

    memory: int
    cpu_s: int
    wall_s: float
    grace_s: float = 1.0
    online: bool = False

    @classmethod
    def for_transfer(cls) -> Bounds:
        """A download takes as long as it takes. It gets two seconds to put down what came."""
        return cls(memory=0, cpu_s=0, wall_s=math.inf, grace_s=2.0, online=True)

    @classmethod
    def for_file(cls, size: int) -> Bounds:
        """What importing a sound file of ``size`` bytes stays well below.

        Torch and diffusers take 0.8 GiB of addresses; the file is mapped, and no more than it is
        held beside that. A slow disk reads 20 MB a second. (sd-v1-4.ckpt, 4.3 GB: 15 s of
        processor time and 34 s in all on two busy cores.)
        """
        seconds = 60 + size // 20_000_000
        return cls(memory=3 * _GIB + 2 * size, cpu_s=seconds, wall_s=2.0 * seconds)

    @classmethod
    def for_conversion(cls, size: int, functions: int = 1) -> Bounds:
        """What converting ``size`` bytes of weights to ``functions`` shapes stays well below.

        Stable Diffusion 1.5 (2.1 GB) takes 7 GiB of addresses, and some minutes on two cores; a
        machine that has too little memory swaps, which is slow and no fault. Between two looks at
        Stop a converter may be busy for a minute: it is killed, and leaves only its folder.
        """
        seconds = 900 + functions * (size // 1_000_000)
        return cls(memory=8 * _GIB + 6 * size, cpu_s=seconds, wall_s=6.0 * seconds, grace_s=2.0)


def run_limited(
    work: Work[Result],
    file: str,
    bounds: Bounds,
    report: Callable[[Any], None],
    cancelled: Callable[[], bool],
) -> Result | None:
    """What ``work`` returns in the child; None when it was stopped. Blocks.

    Its events go to ``report``, in this thread.

    Raises the EaselError that ``work`` raised; of ``file``, ImportRefused("too much memory"),
    ("too slow") or, when native code fell over it, ("damaged"); Bug for what nobody expected.
    """
    resource_tracker.ensure_running()
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(
        target=_main,
        args=(theirs, pickle.dumps(work), file, bounds, os.getpid()),
        name="easel-limited",
        daemon=True,
    )
    try:
        process.start()
        theirs.close()
        answer = _listen(ours, process.kill, file, bounds, report, cancelled)
        if answer is None:  # it is gone without a word
            process.join(REAP_S)
            raise _death(file, process.exitcode, bounds)
    finally:
        theirs.close()
        ours.close()
        _end(process, bounds.grace_s)
    if isinstance(answer, EaselError):
        raise answer
    return cast("Result | None", answer.value)


@dataclass(frozen=True, slots=True)
class _Event:
    event: object


@dataclass(frozen=True, slots=True)
class _Returned:
    value: object


def _listen(
    pipe: Connection[Any, Any],
    kill: Callable[[], None],
    file: str,
    bounds: Bounds,
    report: Callable[[Any], None],
    cancelled: Callable[[], bool],
) -> _Returned | EaselError | None:
    """The child's answer: a value, an error, or None when the pipe broke.

    One that was told to stop is heard to its end, for what it did is to be accounted for.
    """
    until, stopped = time.monotonic() + bounds.wall_s, False
    while True:
        if not stopped and cancelled():
            stopped, until = True, time.monotonic() + bounds.grace_s
            with contextlib.suppress(OSError):
                pipe.send("stop")
        if time.monotonic() > until:
            kill()
            return _Returned(None) if stopped else ImportRefused(file, "too slow")
        try:
            if not pipe.poll(LOOK_S):
                continue
            said = pipe.recv()
        except (EOFError, OSError):
            return _Returned(None) if stopped else None
        if isinstance(said, _Event):
            report(said.event)
        else:
            return _Returned(None) if stopped else cast("_Returned | EaselError", said)


def _end(process: Any, grace_s: float) -> None:
    if process.pid is None:
        return  # it never started
    process.join(grace_s)
    if process.exitcode is None:
        process.kill()
        process.join(REAP_S)
    if process.exitcode is not None:
        process.close()


def _death(file: str, exit_code: int | None, bounds: Bounds) -> EaselError:
    """SIGXCPU is the processor's limit; the system and the allocator kill for want of memory."""
    if bounds.online:
        return HubUnreachable(file, "broken off")
    if exit_code == -signal.SIGXCPU:
        return ImportRefused(file, "too slow")
    if exit_code in (-signal.SIGKILL, -signal.SIGABRT, OUT_OF_MEMORY):
        return ImportRefused(file, "too much memory")
    return ImportRefused(file, "damaged")


# --- in the child ---------------------------------------------------------------------------

OUT_OF_MEMORY = 93
"""Exit code of a child that had not even the memory to say so."""


_NO_MEMORY = ("allocate memory", "failed to map segment")
"""What torch, the system and the loader of libraries say."""


def _main(pipe: Connection[Any, Any], work: bytes, file: str, bounds: Bounds, parent: int) -> None:
    """Leaves by ``os._exit``: there is nothing to keep."""
    serve.settle(parent)
    if bounds.online:
        allow_the_hub(os.environ)
    else:
        refuse_connections()
    _limit(bounds)
    try:
        answer: object = _Returned(_done(pipe, work))
    except EaselError as error:
        answer = error
    except MemoryError:
        answer = ImportRefused(file, "too much memory")
    except BaseException as error:
        memory = any(words in str(error) for words in _NO_MEMORY)
        answer = ImportRefused(file, "too much memory") if memory else Bug.of(error)
    try:
        pipe.send(answer)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except OSError:
        os._exit(1)
    os._exit(0)


def _done(pipe: Connection[Any, Any], work: bytes) -> object:
    stopped = False

    def cancelled() -> bool:
        nonlocal stopped
        try:
            stopped = stopped or (pipe.poll() and pipe.recv() == "stop")
        except (EOFError, OSError):
            stopped = True  # nobody is waiting for the answer any more
        return stopped

    function: Work[object] = pickle.loads(work)
    return function(lambda event: pipe.send(_Event(event)), cancelled)


def _limit(bounds: Bounds) -> None:
    """macOS has no limit on addresses that it holds to; processor time it does hold to."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if bounds.cpu_s:
        _lower(resource.RLIMIT_CPU, bounds.cpu_s, bounds.cpu_s + 5)
    if bounds.memory and sys.platform == "linux":
        _lower(resource.RLIMIT_AS, bounds.memory, bounds.memory)


def _lower(which: int, soft: int, hard: int) -> None:
    """Set a limit, never above the one that is already there."""
    _, ceiling = resource.getrlimit(which)
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(which, (soft, hard))
