"""What holds for every test: it leaves nothing behind, reaches nobody and touches no one's files.

A warning is an error and a Qt warning fails the test (both in pyproject.toml). The rest is here:
a thread or a process left behind fails the test and is named, an internet connection fails it even
when the code under test swallowed the exception, and the person's folders are temporary ones.
``tests/test_conftest.py`` shows that each of these bites.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import psutil
import pytest

pytest_plugins = ["pytester"]

CHILDREN = Path(__file__).resolve().parent / "children"
GRACE_S = 3.0
"""How long a thread or a process that is already ending may take to be gone."""

hypothesis.settings.register_profile("quick", max_examples=25, deadline=None)
hypothesis.settings.register_profile("full", max_examples=250, deadline=None)


# --- before anything is imported ------------------------------------------------------------


def pytest_configure() -> None:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    # No test reads the keychain of whoever runs it.
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "EASEL_HOME", "HF_TOKEN"):
        os.environ.pop(name, None)
    # Each Python that a test starts loads tests/children/sitecustomize.py.
    os.environ["PYTHONPATH"] = str(CHILDREN)
    spec = importlib.util.spec_from_file_location("no_connections", CHILDREN / "sitecustomize.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.refuse_connections()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """macOS has no X server and no strace: what needs one is left out and counted as deselected.
    Elsewhere what needs a Mac is skipped."""
    if sys.platform != "darwin":
        elsewhere = pytest.mark.skip(reason="needs a Mac")
        for item in items:
            if item.get_closest_marker("mac"):
                item.add_marker(elsewhere)
        return
    left_out = [
        item
        for item in items
        if item.get_closest_marker("xvfb") or item.get_closest_marker("linux")
    ]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


# --- the person's folders -------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def _home_is_temporary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """HOME and the XDG folders, so that no library writes into the real ones."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        for name in ("CONFIG", "CACHE", "DATA", "STATE"):
            patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
        patch.setenv("EASEL_HOME", str(home / "easel"))
        yield


@pytest.fixture(autouse=True)
def easel_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """EASEL_HOME: a folder of this test alone. Not made yet."""
    home = tmp_path / "easel-home"
    monkeypatch.setenv("EASEL_HOME", str(home))
    return home


# --- no connection --------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _no_connections(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    refused = tmp_path_factory.getbasetemp() / "refused.txt"
    refused.unlink(missing_ok=True)
    monkeypatch.setenv("EASEL_TESTS_REFUSED", str(refused))
    loopback = request.node.get_closest_marker("loopback") is not None
    monkeypatch.setenv("EASEL_TESTS_LOOPBACK", "1" if loopback else "0")
    yield
    if refused.exists():
        asked = refused.read_text(encoding="utf-8").strip()
        pytest.fail(f"tried to reach the network: {asked}", pytrace=False)


# --- nothing left behind --------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _test_leaves_nothing() -> Iterator[None]:
    with _nothing_left_behind():
        yield


@pytest.fixture(scope="module", autouse=True)
def _module_leaves_nothing() -> Iterator[None]:
    with _nothing_left_behind():
        yield


@pytest.fixture(scope="session", autouse=True)
def _session_leaves_nothing() -> Iterator[None]:
    with _nothing_left_behind():
        yield


@contextmanager
def _nothing_left_behind() -> Iterator[None]:
    threads, processes = set(_threads()), set(_processes())
    yield
    until = time.monotonic() + GRACE_S
    while True:
        left_threads = [thread for thread in _threads() if thread not in threads]
        left_processes = [process for process in _processes() if process not in processes]
        if not left_threads and not left_processes:
            return
        if time.monotonic() > until:
            break
        time.sleep(0.02)
    names = [f"thread {thread.name!r}" for thread in left_threads]
    names += [f"process {_command(process)!r}" for process in left_processes]
    for process in left_processes:  # the next test is not to suffer from it
        process.kill()
    psutil.wait_procs(left_processes, timeout=GRACE_S)
    pytest.fail(f"left behind: {', '.join(names)}", pytrace=False)


def _threads() -> list[threading.Thread]:
    """Python's living threads. It keeps a dummy for a foreign thread even after that has ended."""
    found = threading.enumerate()
    if not any(isinstance(thread, threading._DummyThread) for thread in found):
        return found
    living = {thread.id for thread in psutil.Process().threads()}
    return [
        thread
        for thread in found
        if not isinstance(thread, threading._DummyThread) or thread.native_id in living
    ]


def _processes() -> list[psutil.Process]:
    """Children and theirs, ended ones that nobody waited for included."""
    multiprocessing.active_children()  # waits for those of its own that have ended
    children = psutil.Process().children(recursive=True)
    return [process for process in children if not _is_resource_tracker(process)]


def _is_resource_tracker(process: psutil.Process) -> bool:
    """multiprocessing starts one for each interpreter and keeps it until that ends."""
    try:
        return any("multiprocessing.resource_tracker" in part for part in process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()) or process.name()
    except psutil.ZombieProcess:
        return f"{process.name()} (ended, not waited for)"
    except psutil.NoSuchProcess:
        return f"{process.pid} (just gone)"
