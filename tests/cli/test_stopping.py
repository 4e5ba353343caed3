"""Ctrl-C stops a drawing cleanly: no picture, no half of one, no process left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]


def start(home: Path, *argv: str) -> subprocess.Popen[str]:
    """``easel ARGV`` in a process group of its own, with a slow engine in a child process."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-m", "tests.cli.numpy_easel", str(home), *argv],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def left_of_group(group: int) -> list[psutil.Process]:
    """Living processes of that group, once those that are ending have had their time."""
    until = time.monotonic() + 10
    while True:
        left = [process for process in psutil.process_iter() if _is_in(process, group)]
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.05)


def _is_in(process: psutil.Process, group: int) -> bool:
    try:
        return os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, PermissionError, psutil.Error):
        return False


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=lambda sent: sent.name)
def test_a_stopped_drawing_ends_with_1_and_leaves_nothing(
    tmp_path: Path, sent: signal.Signals
) -> None:
    argv = ["generate", "a", "--steps", "150", "--count", "3", "--json"]
    with start(tmp_path, *argv) as easel:
        assert easel.stdout is not None
        for line in easel.stdout:
            if json.loads(line)["event"] == "step":
                break
        if sent is signal.SIGINT:  # a terminal sends it to every process in it
            os.killpg(easel.pid, sent)
        else:
            easel.send_signal(sent)
        out, err = easel.communicate(timeout=60)
    assert easel.returncode == 1
    assert err == ""
    assert json.loads(out.splitlines()[-1]) == {"event": "stopped"}
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]
    assert not left_of_group(easel.pid)


def test_pictures_that_were_finished_before_the_stop_stay(tmp_path: Path) -> None:
    argv = ["generate", "a", "--steps", "3", "--count", "50"]
    with start(tmp_path, *argv) as easel:
        assert easel.stdout is not None
        first = easel.stdout.readline().strip()
        os.killpg(easel.pid, signal.SIGINT)
        out, err = easel.communicate(timeout=60)
    assert easel.returncode == 1
    assert err.endswith("Stopped.\n")
    assert "Traceback" not in err
    listed = {first, *out.splitlines()}
    written = {str(file) for file in tmp_path.rglob("*") if file.is_file()}
    assert written == listed
    assert len(written) < 50


def test_a_reader_that_leaves_is_no_fault(tmp_path: Path) -> None:
    with start(tmp_path, "models", "--json") as easel:
        assert easel.stdout is not None
        easel.stdout.close()
        assert easel.stderr is not None
        assert easel.stderr.read() == ""
    assert easel.returncode == 1
