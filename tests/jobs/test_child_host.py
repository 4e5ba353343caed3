"""What only a child process gives: it can be killed, it can die, and it is alone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from app.core.errors import Bug, EngineDied, EngineUnresponsive
from app.core.events import Cancelled, Failed, Finished, Stepped
from app.core.model import Model
from app.engine.contract import EngineFactory
from app.jobs.child_host import ChildHost
from app.jobs.host import Died, Ready, Starting
from tests.engine.numpy_engine import make_numpy_engine, make_slow_numpy_engine, numpy_model
from tests.jobs.engines import make_crash, make_misbehaving, make_never
from tests.jobs.hearing import PATIENCE, Heard, endings
from tests.jobs.recipes import task

Start = Callable[..., tuple[ChildHost, Heard]]


@pytest.fixture
def start() -> Iterator[Start]:
    hosts: list[ChildHost] = []

    def start(make_engine: EngineFactory, **options: float) -> tuple[ChildHost, Heard]:
        host = ChildHost(make_engine, **options)
        hosts.append(host)
        heard = Heard()
        host.start(heard)
        return host, heard

    yield start
    for host in hosts:
        host.close()


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return numpy_model(tmp_path)


def ready_pid(host: ChildHost, heard: Heard) -> int:
    heard.wait(Ready)
    assert host.pid is not None
    return host.pid


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until_gone(pid: int) -> None:
    until = time.monotonic() + PATIENCE
    while not gone(pid):
        assert time.monotonic() < until, f"process {pid} is still there"
        time.sleep(0.02)


@pytest.mark.parametrize("prompt", ["hang", "seize"])
def test_a_job_that_does_not_stop_takes_its_process_with_it(
    start: Start, model: Model, prompt: str
) -> None:
    host, heard = start(make_misbehaving, grace_s=0.2)
    first = ready_pid(host, heard)
    hung, next_one = task(model, prompt), task(model)
    host.draw(hung)
    heard.wait(Stepped)
    host.cancel(hung.job)
    assert heard.ending(hung.job) == Cancelled(hung.job)
    wait_until_gone(first)
    assert not any(isinstance(event, Died) for event in heard.events)
    host.draw(next_one)
    assert isinstance(heard.ending(next_one.job), Finished)
    assert host.pid != first


def test_a_job_that_stops_in_time_keeps_its_process(start: Start, model: Model) -> None:
    host, heard = start(make_slow_numpy_engine, grace_s=PATIENCE)
    first = ready_pid(host, heard)
    drawn = task(model, steps=150)
    host.draw(drawn)
    heard.wait(Stepped)
    host.cancel(drawn.job)
    heard.ending(drawn.job)
    assert host.pid == first


@pytest.mark.parametrize(("prompt", "code"), [("segfault", -signal.SIGSEGV), ("vanish", 7)])
def test_a_crash_while_drawing_fails_the_job_and_the_next_gets_a_new_process(
    start: Start, model: Model, prompt: str, code: int
) -> None:
    host, heard = start(make_misbehaving)
    first = ready_pid(host, heard)
    wrong, right = task(model, prompt), task(model)
    host.draw(wrong)
    assert heard.ending(wrong.job) == Failed(wrong.job, EngineDied(code))
    died = heard.events.index(Died(code, EngineDied(code)))
    assert died < heard.events.index(Failed(wrong.job, EngineDied(code)))
    host.draw(right)
    assert isinstance(heard.ending(right.job), Finished)
    assert host.pid != first


def test_a_process_killed_while_idle_is_reported_and_replaced_when_needed(
    start: Start, model: Model
) -> None:
    host, heard = start(make_numpy_engine)
    os.kill(ready_pid(host, heard), signal.SIGKILL)
    assert heard.wait(Died) == Died(-signal.SIGKILL, EngineDied(-signal.SIGKILL))
    assert host.pid is None
    drawn = task(model)
    host.draw(drawn)
    assert isinstance(heard.ending(drawn.job), Finished)


def test_a_process_that_dies_at_once_is_not_started_over_and_over(
    start: Start, model: Model
) -> None:
    host, heard = start(make_crash)
    heard.wait(Died)
    time.sleep(0.3)
    assert sum(isinstance(event, Starting) for event in heard.events) == 1
    drawn = task(model)
    host.draw(drawn)
    assert heard.ending(drawn.job) == Failed(drawn.job, EngineDied(-signal.SIGKILL))
    assert sum(isinstance(event, Starting) for event in heard.events) == 2


def test_an_engine_that_never_gets_ready_is_given_up(start: Start, model: Model) -> None:
    host, heard = start(make_never, start_s=1.0)
    drawn = task(model)
    host.draw(drawn)
    assert heard.ending(drawn.job) == Failed(drawn.job, EngineUnresponsive(1.0))
    assert host.pid is None


def test_a_cancel_while_the_engine_is_being_made_does_not_wait_for_it(
    start: Start, model: Model
) -> None:
    host, heard = start(make_never, grace_s=PATIENCE)
    drawn = task(model)
    host.draw(drawn)
    host.cancel(drawn.job)
    assert heard.ending(drawn.job) == Cancelled(drawn.job)


def test_ctrl_c_in_the_terminal_does_not_reach_the_child(start: Start, model: Model) -> None:
    host, heard = start(make_slow_numpy_engine)
    until = time.monotonic() + PATIENCE
    while host.pid is None:
        assert time.monotonic() < until
        time.sleep(0.001)
    os.kill(host.pid, signal.SIGINT)
    heard.wait(Ready)
    drawn = task(model, steps=3)
    host.draw(drawn)
    heard.wait(Stepped)
    os.kill(host.pid, signal.SIGINT)
    assert isinstance(heard.ending(drawn.job), Finished)


def test_the_child_starts_offline_deaf_to_ctrl_c_and_draws_on_its_main_thread(
    start: Start, model: Model
) -> None:
    host, heard = start(make_misbehaving)
    drawn = task(model, "environment")
    host.draw(drawn)
    assert isinstance(heard.ending(drawn.job), Finished)


@pytest.mark.loopback
@pytest.mark.parametrize("prompt", ["dial", "lookup"])
def test_the_child_cannot_reach_the_network(
    start: Start, model: Model, prompt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        monkeypatch.setenv("EASEL_TEST_PORT", str(server.getsockname()[1]))
        host, heard = start(make_misbehaving)
        drawn = task(model, prompt)
        host.draw(drawn)
        ending = heard.ending(drawn.job)
        assert isinstance(ending, Failed)
        assert isinstance(ending.error, Bug)
        assert "Easel is offline here" in ending.error.traceback
        with pytest.raises(BlockingIOError):
            server.accept()


def test_pipes_between_processes_work_in_the_child(start: Start, model: Model) -> None:
    host, heard = start(make_misbehaving)
    drawn = task(model, "local")
    host.draw(drawn)
    assert isinstance(heard.ending(drawn.job), Finished)


def test_what_a_library_prints_in_the_child_is_not_on_our_output(
    start: Start, model: Model, capfd: pytest.CaptureFixture[str]
) -> None:
    host, heard = start(make_misbehaving)
    drawn = task(model, "print")
    host.draw(drawn)
    assert isinstance(heard.ending(drawn.job), Finished)
    host.close()
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.count("on the output") == 2


def test_close_while_a_job_hangs_leaves_no_process(start: Start, model: Model) -> None:
    host, heard = start(make_misbehaving)
    pid = ready_pid(host, heard)
    hung = task(model, "seize")
    host.draw(hung)
    heard.wait(Stepped)
    host.close()
    with pytest.raises(psutil.NoSuchProcess):
        psutil.Process(pid)
    assert endings(heard.events) == []


PARENT = """
import sys, time
from pathlib import Path
from app.core.events import Stepped
from app.jobs.child_host import ChildHost
from tests.engine.numpy_engine import numpy_model
from tests.jobs.engines import make_misbehaving
from tests.jobs.recipes import task

if __name__ == "__main__":
    def tell(event):
        if isinstance(event, Stepped):
            print(host.pid, flush=True)
    host = ChildHost(make_misbehaving)
    host.start(tell)
    host.draw(task(numpy_model(Path("/")), sys.argv[1]))
    time.sleep(3600)
"""


# Where the system has no death signal, a child that never lets its reader run cannot notice.
@pytest.mark.parametrize("prompt", ["hang", "seize"] if sys.platform == "linux" else ["hang"])
def test_the_child_dies_with_its_parent(tmp_path: Path, prompt: str) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        [sys.executable, str(script), prompt],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.kill()
    wait_until_gone(pid)
