"""Each guard of conftest.py bites: planted faults in a run of pytest of their own."""

from __future__ import annotations

import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent

PLANTED = """
import socket, subprocess, sys, threading, time, warnings
from contextlib import suppress
from pathlib import Path
import os
import pytest

ASK = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"

def connect(host):
    with suppress(OSError), socket.socket() as found:
        found.settimeout(1)
        found.connect((host, 9))

def test_clean():
    thread = threading.Thread(target=time.sleep, args=(0.01,))
    thread.start()
    subprocess.run([sys.executable, "-c", "pass"], check=True)

def test_folders(tmp_path):
    assert Path(os.environ["EASEL_HOME"]).parent == tmp_path
    assert Path.home().name == "home0"
    assert os.environ["QT_QPA_PLATFORM"] == "offscreen"

def test_unix_sockets():
    one, other = socket.socketpair()
    one.sendall(b"x")
    assert other.recv(1) == b"x"
    one.close(), other.close()

@pytest.mark.loopback
def test_marked_loopback():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()

@pytest.mark.mac
def test_for_a_mac():
    assert sys.platform == "darwin"

def test_planted_thread():
    threading.Thread(target=time.sleep, args=(8,), name="planted one", daemon=True).start()

def test_planted_process():
    subprocess.Popen(["sleep", "30"])

def test_planted_zombie(kept=[]):
    kept.append(subprocess.Popen(["true"]))

def test_planted_loopback():
    connect("127.0.0.1")

@pytest.mark.loopback
def test_planted_connection():
    connect("192.0.2.1")

def test_planted_look_up():
    with suppress(OSError):
        socket.getaddrinfo("example.invalid", 80)

def test_planted_datagram():
    with suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as found:
        found.sendto(b"x", ("2001:db8::1", 9))

def test_planted_connection_of_a_child():
    subprocess.run([sys.executable, "-c", ASK], stderr=subprocess.DEVNULL)

def test_planted_warning():
    warnings.warn("planted", DeprecationWarning)

def test_planted_unclosed_file():
    open(__file__)

def test_planted_qt_warning():
    from PySide6.QtCore import qWarning
    qWarning("planted")
"""

EXPECTED = {
    "test_planted_thread": "left behind: thread 'planted one'",
    "test_planted_process": "left behind: process 'sleep 30'",
    "test_planted_zombie": "ended, not waited for",
    "test_planted_loopback": "tried to reach the network: socket.connect 127.0.0.1",
    "test_planted_connection": "tried to reach the network: socket.connect 192.0.2.1",
    "test_planted_look_up": "tried to reach the network: socket.getaddrinfo example.invalid",
    "test_planted_datagram": "tried to reach the network: socket.sendto 2001:db8::1",
    "test_planted_connection_of_a_child": "the network: socket.getaddrinfo 192.0.2.1",
    "test_planted_warning": "DeprecationWarning: planted",
    "test_planted_unclosed_file": "ResourceWarning: unclosed file",
    "test_planted_qt_warning": "QtWarningMsg: planted",
}


def test_each_planted_fault_fails_its_test_and_only_its_test(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The inner run brings its own guards: ours would count its refusals as this test's.
    monkeypatch.delenv("PYTHONPATH")
    monkeypatch.delenv("EASEL_TESTS_REFUSED")
    house = tomllib.loads((TESTS.parent / "pyproject.toml").read_text("utf-8"))
    settings = house["tool"]["pytest"]["ini_options"]
    pytester.makeini(_as_ini({key: settings[key] for key in settings if key != "testpaths"}))
    conftest = (TESTS / "conftest.py").read_text("utf-8")
    pytester.makeconftest(conftest.replace("GRACE_S = 3.0", "GRACE_S = 0.3"))
    shutil.copytree(TESTS / "children", pytester.path / "children")
    pytester.makepyfile(test_planted=PLANTED)

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-rA", "--color=no")

    said = result.stdout.str()
    failed = set(re.findall(r"^(?:FAILED|ERROR) \S+::(\w+)", said, re.MULTILINE))
    assert failed == set(EXPECTED), said
    passed = set(re.findall(r"^PASSED \S+::(\w+)", said, re.MULTILINE))
    clean = {"test_clean", "test_folders", "test_unix_sockets", "test_marked_loopback"}
    assert clean <= passed, said
    mac = "PASSED" if sys.platform == "darwin" else "SKIPPED"
    assert re.search(rf"^{mac} .*(?:test_for_a_mac|needs a Mac)$", said, re.MULTILINE), said
    for name, words in EXPECTED.items():
        assert words in _section(said, name), f"{name}: {said}"


def _as_ini(settings: dict[str, object]) -> str:
    lines = ["[pytest]"]
    for key, value in settings.items():
        many = isinstance(value, list)
        shown = "\n    ".join(["", *value]) if many else str(value)  # type: ignore[misc]
        lines.append(f"{key} = {shown}")
    return "\n".join(lines)


def _section(said: str, name: str) -> str:
    """What the report says about one test: from its heading to the next one."""
    parts = re.split(r"^_{3,} (?:ERROR at teardown of )?(\w+) _{3,}$", said, flags=re.MULTILINE)
    return "\n".join(
        body for head, body in zip(parts[1::2], parts[2::2], strict=True) if head == name
    )
