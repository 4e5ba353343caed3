"""The way in: what opens a window, what runs a command, and what is loaded until then."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.__main__ import has_screen

ROOT = Path(__file__).parents[1]
HEAVY = (
    "PySide6",
    "numpy",
    "torch",
    "diffusers",
    "transformers",
    "coremltools",
    "PIL",
    "multiprocessing",
    "socket",
    "sqlite3",
)


def run(*command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A fresh Python in the checkout, without a screen."""
    kept = {name: text for name, text in os.environ.items() if name != "QT_QPA_PLATFORM"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**kept, **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


if sys.platform.startswith("linux"):  # a Mac always has a screen

    def test_without_a_screen_it_says_so_and_names_the_command_that_works() -> None:
        done = run("-m", "app")
        assert done.returncode == 2
        assert done.stdout == ""
        assert "no screen" in done.stderr
        assert 'easel generate "a red apple" -o apple.png' in done.stderr


@pytest.mark.parametrize(
    ("platform", "environ", "screen"),
    [
        ("darwin", {}, True),
        ("linux", {}, False),
        ("linux", {"DISPLAY": ""}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"QT_QPA_PLATFORM": "offscreen"}, True),
        ("linux", {"QT_QPA_PLATFORM": "minimal:size=800x600"}, True),
        ("linux", {"QT_QPA_PLATFORM": "xcb"}, False),
    ],
)
def test_a_screen_is_known_by_its_server(
    platform: str, environ: dict[str, str], screen: bool
) -> None:
    assert has_screen(platform, environ) is screen


def test_an_argument_is_a_command() -> None:
    done = run("-m", "app", "--version")
    assert done.returncode == 0
    assert "asel" in done.stdout


def test_what_cannot_be_understood_ends_with_two() -> None:
    assert run("-m", "app", "no-such-command").returncode == 2


@pytest.mark.parametrize(
    "code",
    [
        "import app.__main__, app.jobs.offline",
        "import app.jobs.session, app.jobs.child_host, app.jobs.thread_host",
        "from app.compose import compose; e = compose(); e.models(); e.make_session().close()",
    ],
)
def test_what_a_window_is_built_from_is_light_to_import(code: str, easel_home: Path) -> None:
    shown = f"import sys; {code}; print([n for n in {HEAVY!r} if n in sys.modules])"
    # -I leaves out the tests' own guard, which imports socket.
    alone = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {shown}"
    done = run("-I", "-c", alone, EASEL_HOME=str(easel_home))
    assert done.stdout.strip() == "[]", done.stderr


def test_the_whole_program_is_offline(easel_home: Path) -> None:
    """As a process of its own, for the guard cannot be taken off again."""
    code = (
        f"import sys, os; sys.path.insert(0, {str(ROOT)!r}); sys.argv = ['easel', '--version']\n"
        "import app.__main__\n"
        "try: app.__main__.main()\n"
        "except SystemExit: pass\n"
        "assert os.environ['HF_HUB_OFFLINE'] == '1'\n"
        "import socket; socket.create_connection(('127.0.0.1', 9))\n"
    )
    done = run("-I", "-c", code, EASEL_HOME=str(easel_home))
    assert "Easel is offline here" in done.stderr
