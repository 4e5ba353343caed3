"""The guard against connections, in a Python of its own: a hook cannot be taken off again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.jobs.offline import SWITCHES, set_switches

ROOT = Path(__file__).parents[2]
PREPARE = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
import socket
from app.jobs.offline import refuse_connections
refuse_connections()
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-c", PREPARE + code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.socket().connect(('127.0.0.1', 9))",
        "socket.socket().connect_ex(('127.0.0.1', 9))",
        "socket.socket(socket.AF_INET6).connect(('::1', 9))",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('127.0.0.1', 9))",
        "socket.create_connection(('127.0.0.1', 9))",
        "socket.getaddrinfo('localhost', 80)",
        "socket.gethostbyname('localhost')",
        "socket.gethostbyaddr('127.0.0.1')",
        "socket.getnameinfo(('127.0.0.1', 80), 0)",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')",
    ],
)
def test_whatever_reaches_out_is_refused(attempt: str) -> None:
    done = run(attempt)
    assert done.returncode == 1
    assert "Easel is offline here" in done.stderr


@pytest.mark.parametrize(
    "harmless",
    [
        "a, b = socket.socketpair(); a.send(b'x'); assert b.recv(1) == b'x'",
        "socket.socket().bind(('127.0.0.1', 0))",
        "import urllib3",
        "import multiprocessing as m; a, b = m.Pipe(); a.send(1); assert b.recv() == 1",
    ],
)
def test_what_stays_on_this_machine_is_not(harmless: str) -> None:
    done = run(harmless)
    assert done.returncode == 0, done.stderr


def test_the_switches_are_on_whatever_they_were() -> None:
    environ = {"HF_HUB_OFFLINE": "0", "OTHER": "1"}
    set_switches(environ)
    assert environ == {"OTHER": "1", **SWITCHES}
