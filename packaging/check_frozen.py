"""Looks over the program that was frozen on Linux: its size, and how soon its window is there.

    python packaging/check_frozen.py [dist/Easel]

Its self-test is build_dmg.sh's. The window is opened on a screen in memory (Xvfb) and timed until
it is to be seen, against the checkout's, in turns. One line a fault, and exit 1.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import freeze_config as config

ROOT = Path(__file__).resolve().parent.parent
MOST_BYTES = 860_000_000
"""Without models. What is frozen on Linux; the Mac's has no OpenBLAS and no ICU."""
MOST_TIMES = 1.5
ROUNDS = 5
WAIT_S = 120


def size(folder: Path) -> int:
    """Bytes of the files in ``folder``; models are not counted, and a link is nothing."""
    return sum(
        file.stat().st_size
        for file in folder.rglob("*")
        if file.is_file() and not file.is_symlink() and "models/starter" not in file.as_posix()
    )


@contextmanager
def screen() -> Iterator[str]:
    """A screen in memory; its DISPLAY."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1440x900x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as said:
            yield f":{said.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


def seconds_to_window(command: list[str], display: str) -> float:
    """From the start of ``command`` until its window is visible. Raises TimeoutExpired."""
    with tempfile.TemporaryDirectory(prefix="easel-window-") as home:
        environ = {"PATH": os.environ["PATH"], "HOME": home, "EASEL_HOME": home, "DISPLAY": display}
        began = time.monotonic()
        program = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.DEVNULL)
        try:
            search = ["xdotool", "search", "--sync", "--onlyvisible", "--name", config.NAME]
            subprocess.run(
                search, env=environ, check=True, timeout=WAIT_S, stdout=subprocess.DEVNULL
            )
            return time.monotonic() - began
        finally:
            program.terminate()
            program.wait()


def faults(folder: Path) -> Iterator[str]:
    """What is wrong with the frozen program in ``folder``, in words."""
    found = size(folder)
    print(f"{found / 1e6:.0f} MB without models (at most {MOST_BYTES / 1e6:.0f})")
    if found > MOST_BYTES:
        yield f"{folder} is too big: {found / 1e6:.0f} MB"
    frozen, checkout = [str(folder.resolve() / config.NAME)], [sys.executable, "-m", "app"]
    times: dict[str, list[float]] = {"frozen": [], "checkout": []}
    with screen() as display:
        for command in (frozen, checkout):
            seconds_to_window(command, display)  # the first reads from the disk
        for _ in range(ROUNDS):
            times["frozen"].append(seconds_to_window(frozen, display))
            times["checkout"].append(seconds_to_window(checkout, display))
    # The quickest of each: what else the machine does only ever adds.
    ours, theirs = min(times["frozen"]), min(times["checkout"])
    print(f"window after {ours:.2f} s frozen, {theirs:.2f} s from the checkout")
    if ours > MOST_TIMES * theirs:
        yield f"the frozen window takes {ours / theirs:.2f} times as long (at most {MOST_TIMES})"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "dist" / config.NAME)
    found = list(faults(parser.parse_args(arguments).folder))
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
