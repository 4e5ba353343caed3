"""The limited child: it answers, it is stopped, and each way of dying has a name."""

from __future__ import annotations

import functools
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.errors import Bug, EaselError, ImportRefused, NoSpace
from app.jobs.limited_child import Bounds, run_limited

BOUNDS = Bounds(memory=1 << 30, cpu_s=20, wall_s=30.0)
Report = Callable[[object], None]
Cancelled = Callable[[], bool]


def run(work: Callable[..., object], bounds: Bounds = BOUNDS, stop_after: float = 1e9) -> object:
    until = time.monotonic() + stop_after
    return run_limited(
        functools.partial(work), "a file", bounds, print, lambda: time.monotonic() > until
    )


def counting(report: Report, _: Cancelled) -> int:
    for number in range(3):
        report(number)
    return os.getpid()


def refusing(*_: object) -> None:
    raise NoSpace("here", 2, 1)


def broken(*_: object) -> None:
    raise KeyError("nobody expected this")


def greedy(*_: object) -> int:
    return len(bytearray(8 << 30))


def spinning(*_: object) -> None:
    while True:
        pass


def sleeping(*_: object) -> None:
    time.sleep(600)


def polite(_: Report, cancelled: Cancelled, *, mark: Path) -> None:
    mark.touch()
    while not cancelled():
        time.sleep(0.01)
    mark.unlink()


def accounting(report: Report, cancelled: Cancelled) -> str:
    while not cancelled():
        time.sleep(0.01)
    report("what was done")
    return "too late"


def dying(*_: object, number: int) -> None:
    os.kill(os.getpid(), number)


def connecting(*_: object) -> None:
    with socket.socket() as asked:
        asked.connect(("192.0.2.1", 9))


def writing_to_stdout(*_: object) -> str:
    print("this belongs to nobody")
    return "done"


def test_events_come_in_order_and_the_value_last() -> None:
    events: list[object] = []

    value = run_limited(functools.partial(counting), "a file", BOUNDS, events.append, lambda: False)

    assert events == [0, 1, 2]
    assert isinstance(value, int)
    assert value != os.getpid()


def test_its_errors_are_raised_here() -> None:
    with pytest.raises(NoSpace) as caught:
        run(refusing)
    assert caught.value == NoSpace("here", 2, 1)
    with pytest.raises(Bug, match="nobody expected this"):
        run(broken)


@pytest.mark.parametrize(
    ("work", "bounds", "reason"),
    [
        (greedy, BOUNDS, "too much memory"),
        (spinning, Bounds(1 << 30, cpu_s=1, wall_s=30.0), "too slow"),
        (sleeping, Bounds(1 << 30, cpu_s=9, wall_s=0.5, grace_s=0.1), "too slow"),
        (functools.partial(dying, number=signal.SIGKILL), BOUNDS, "too much memory"),
        (functools.partial(dying, number=signal.SIGABRT), BOUNDS, "too much memory"),
        (functools.partial(dying, number=signal.SIGSEGV), BOUNDS, "damaged"),
    ],
)
def test_each_way_of_dying_has_a_name(
    work: Callable[..., object], bounds: Bounds, reason: str
) -> None:
    began = time.monotonic()
    with pytest.raises(EaselError) as caught:
        run(work, bounds)
    assert caught.value == ImportRefused("a file", reason)
    assert time.monotonic() - began < 10


def test_stop_lets_it_put_things_away(tmp_path: Path) -> None:
    assert run(functools.partial(polite, mark=tmp_path / "mark"), stop_after=1.5) is None
    assert list(tmp_path.iterdir()) == []


def test_what_it_says_after_a_stop_is_heard() -> None:
    events: list[object] = []
    until = time.monotonic() + 1.5
    stopped = run_limited(
        accounting, "a file", BOUNDS, events.append, lambda: time.monotonic() > until
    )
    assert stopped is None
    assert events == ["what was done"]


def test_stop_ends_one_that_does_not_listen() -> None:
    began = time.monotonic()
    bounds = Bounds(1 << 30, cpu_s=20, wall_s=30.0, grace_s=0.2)
    assert run(sleeping, bounds, stop_after=0.5) is None
    assert time.monotonic() - began < 3


def test_it_cannot_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH")  # without the hook that every test's child has
    with pytest.raises(Bug, match="Easel is offline here"):
        run(connecting)


def test_it_does_not_write_to_our_output(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(writing_to_stdout) == "done"
    assert capfd.readouterr().out == ""


def test_bounds_grow_with_the_file() -> None:
    small, large = Bounds.for_file(1_000), Bounds.for_file(4_265_380_512)
    assert small.memory < large.memory < 32 << 30
    assert small.wall_s == 120
