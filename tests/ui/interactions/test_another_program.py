"""A picture goes from the real window into programs that are not ours.

On an X server in memory the mouse drags it into PCManFM (GTK), which writes the file, and xclip
reads it off the clipboard.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.xvfb

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 60.0
NEEDED = ("Xvfb", "xdotool", "pcmanfm", "xclip")


@dataclass(frozen=True)
class Screen:
    """The window with its picture, the other program's folder, and the mouse between them."""

    env: dict[str, str]
    places: dict[str, list[int]]
    file: Path
    folder: Path

    def xdotool(self, *words: object) -> str:
        done = subprocess.run(
            ["xdotool", *(str(word) for word in words)],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        return done.stdout

    def drag(self, begin: list[int], end: list[int]) -> None:
        """Press at ``begin``, move as a hand does, let go at ``end``."""
        self.xdotool("mousemove", *begin, "mousedown", 1)
        for part in (0.02, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 1.0):
            x, y = (round(a + (b - a) * part) for a, b in zip(begin, end, strict=True))
            self.xdotool("mousemove", x, y)
            time.sleep(0.1)
        self.xdotool("mouseup", 1)


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    missing = [name for name in NEEDED if shutil.which(name) is None]
    assert not missing, f"apt-get install xvfb xdotool pcmanfm xclip (missing: {missing})"
    base = tmp_path_factory.mktemp("screen")
    folder, home = base / "folder", base / "home"
    folder.mkdir()
    home.mkdir()
    started: list[subprocess.Popen[str]] = []
    try:
        # 1. A screen of its own
        server = _start(
            ["Xvfb", "-displayfd", "1", "-screen", "0", "1600x900x24", "-nolisten", "tcp"],
            dict(os.environ),
            started,
        )
        env = {
            **os.environ,
            "DISPLAY": f":{_line(server)}",
            "QT_QPA_PLATFORM": "xcb",
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "DBUS_SESSION_BUS_ADDRESS": "disabled:",
            "EASEL_HOME": str(home / "easel"),
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]]),
        }
        # 2. The other program, beside where our window will be
        _start(["pcmanfm", "--no-desktop", str(folder)], env, started)
        # 3. Our window, which draws a picture
        ours = [sys.executable, "-m", "tests.ui.interactions.window_with_a_picture"]
        said = base / "said.txt"
        with said.open("w") as errors:
            window = _start(ours, env, started, cwd=base, errors=errors.fileno())
        line = _line(window)
        assert line, said.read_text(errors="replace")
        places = json.loads(line)
        made = Screen(env, places, Path(places.pop("file")), folder)
        _place_other_window(made)
        yield made
        assert window.stdin is not None
        window.stdin.close()
        assert window.wait(PATIENCE_S) == 0
    finally:
        for process in reversed(started):
            _end(process)


def _start(
    command: list[str],
    env: dict[str, str],
    started: list[subprocess.Popen[str]],
    cwd: Path | None = None,
    errors: int = subprocess.DEVNULL,
) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        start_new_session=True,
    )
    started.append(process)
    return process


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], PATIENCE_S)
    assert ready, f"{process.args} said nothing"
    return process.stdout.readline().strip()


def _end(process: subprocess.Popen[str]) -> None:
    """End what ``process`` started, too: a file manager brings a menu server along."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            continue
    process.wait(3)
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def _place_other_window(screen: Screen) -> None:
    def found() -> list[str]:
        return screen.xdotool("search", "--onlyvisible", "--class", "pcmanfm").split()

    _until(lambda: bool(found()), "the other program opened no window")
    number = found()[-1]
    screen.xdotool("windowmove", number, 920, 40)
    screen.xdotool("windowsize", number, 600, 500)
    time.sleep(0.5)


def _until(what: Callable[[], bool], else_: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end, else_
        time.sleep(0.05)


def test_a_copied_picture_can_be_pasted_into_another_program(screen: Screen) -> None:
    # Before the drags: after a drop on a GTK program Qt's idea of the X server's time runs ahead,
    # and the server then ignores who says that the clipboard is theirs.
    screen.xdotool("mousemove", *screen.places["copy"], "click", 1)
    expected = screen.file.read_bytes()

    def pasted() -> bool:
        command = ["xclip", "-selection", "clipboard", "-target", "image/png", "-out"]
        done = subprocess.run(
            command, env=screen.env, capture_output=True, timeout=PATIENCE_S, check=False
        )
        return done.stdout == expected

    _until(pasted, "the clipboard holds no picture")


@pytest.mark.parametrize("source", ["canvas", "filmstrip", "handle"])
def test_a_picture_dragged_into_another_program_is_written_there_whole(
    screen: Screen, source: str
) -> None:
    target = screen.folder / screen.file.name
    target.unlink(missing_ok=True)
    screen.drag(screen.places[source], [1340, 330])
    _until(
        lambda: target.exists() and target.stat().st_size == screen.file.stat().st_size,
        f"nothing arrived from the {source}",
    )
    assert target.read_bytes() == screen.file.read_bytes()
    assert screen.file.exists(), "a drag copies, it never moves"


def test_with_alt_held_the_copy_leaves_without_its_recipe(screen: Screen) -> None:
    target = screen.folder / screen.file.name
    target.unlink(missing_ok=True)
    screen.xdotool("keydown", "alt")
    try:
        screen.drag(screen.places["canvas"], [1340, 330])
    finally:
        screen.xdotool("keyup", "alt")
    _until(lambda: target.exists() and target.stat().st_size > 0, "nothing arrived")
    _until(lambda: target.read_bytes().endswith(b"IEND\xaeB`\x82"), "only a part arrived")
    assert b"red apple" in screen.file.read_bytes()
    assert b"red apple" not in target.read_bytes()
    assert b"trainedAlgorithmicMedia" in target.read_bytes()
