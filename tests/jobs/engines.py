"""Engines that go wrong in one way each, built on the numpy engine; factories pickle by name."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from app.core.errors import BlackResult, NotFinite, OutOfMemory
from app.core.events import Cancelled, Finished, Stepped, Task
from app.core.model import Model
from app.core.placement import Placement
from app.engine.contract import Engine, IsCancelled, Report
from tests.engine.numpy_engine import NumpyEngine


class Misbehaving(NumpyEngine):
    """Does what the first word of the prompt says after its second step; else draws."""

    def __init__(self, step_seconds: float = 0.0) -> None:
        super().__init__(step_seconds)

    def draw(self, task: Task, report: Report, cancelled: IsCancelled) -> Finished | Cancelled:
        deed = DEEDS.get(task.recipe.prompt.split()[0])
        if deed is None:
            return super().draw(task, report, cancelled)
        report(Stepped(task.job, 1, 2))
        deed()
        return super().draw(task, report, cancelled)


def _hang() -> None:
    time.sleep(3600)


def _seize() -> None:
    """Native code that holds the interpreter's lock for ever: no other thread gets to run."""
    re.match(r"(a+)+$", "a" * 60 + "b")


def _segfault() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(3600)


def _raise(error: BaseException) -> Callable[[], None]:
    def deed() -> None:
        raise error

    return deed


def _dial() -> None:
    """Try to reach a port of this machine; the test listens there and must hear nothing."""
    port = int(os.environ["EASEL_TEST_PORT"])
    with socket.socket() as caller:
        caller.connect(("127.0.0.1", port))


def _look_up() -> None:
    socket.getaddrinfo("localhost", 80)


def _leave_the_network_alone() -> None:
    """What is not going online has to work: a pair of Unix sockets, and binding."""
    left, right = socket.socketpair()
    left.send(b"x")
    assert right.recv(1) == b"x"
    left.close()
    right.close()
    with socket.socket(socket.AF_INET6 if socket.has_ipv6 else socket.AF_INET) as bound:
        bound.bind(("", 0))


def _print() -> None:
    print("on the output", flush=True)
    os.write(1, b"on the output\n")


def _check_environment() -> None:
    wanted = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY")
    wanted += ("HF_HUB_DISABLE_XET", "DIFFUSERS_DISABLE_REMOTE_CODE")
    assert all(os.environ.get(name) == "1" for name in wanted)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    assert threading.current_thread() is threading.main_thread()


DEEDS: dict[str, Callable[[], None]] = {
    "hang": _hang,
    "seize": _seize,
    "segfault": _segfault,
    "leave": lambda: sys.exit(3),
    "vanish": lambda: os._exit(7),
    "typo": _raise(KeyError("typo")),
    "memory": _raise(MemoryError()),
    "black": _raise(BlackResult()),
    "dial": _dial,
    "lookup": _look_up,
    "local": _leave_the_network_alone,
    "print": _print,
    "environment": _check_environment,
}


class TwoPlacements(NumpyEngine):
    """Offers a GPU that fails as the first word of the prompt says, and a CPU that draws."""

    def placements(self) -> tuple[Placement, ...]:
        return (Placement.CUDA, Placement.CPU)

    def draw(self, task: Task, report: Report, cancelled: IsCancelled) -> Finished | Cancelled:
        word = task.recipe.prompt.split()[0]
        if word == "everywhere":
            raise NotFinite("decoding") if task.placement is Placement.CUDA else OutOfMemory(2, 1)
        if task.placement is Placement.CPU:
            return super().draw(task, report, cancelled)
        report(Stepped(task.job, 1, 2))
        DEEDS[word]()
        raise AssertionError("the GPU should have failed")


class Warming(NumpyEngine):
    """Says in a file of the model's folder where it was asked to read its networks."""

    def warm(self, model: Model, placement: Placement, cancelled: IsCancelled) -> None:
        assert not cancelled()
        (Path(model.folder) / "warmed").write_text(placement.value)


def make_misbehaving() -> Engine:
    return Misbehaving()


def make_two_placements() -> Engine:
    return TwoPlacements()


def make_warming() -> Engine:
    return Warming()


def make_none() -> Engine:
    raise BlackResult()


def make_crash() -> Engine:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("not reached")


def make_never() -> Engine:
    time.sleep(3600)
    raise AssertionError("not reached")
