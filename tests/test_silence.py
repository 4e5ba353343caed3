"""The wire is silent: a whole session in a namespace without a network, and every call traced.

The hook of ``jobs.offline`` only sees Python. Here the kernel says what was asked of it: strace
follows the program and all its children, and a namespace of its own has no network to reach.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app.compose import Easel, compose
from app.weights import receipts
from app.weights.receipts import Installed
from tests.jobs.shelves import install, served_files
from tests.tiny_models import build_tiny

ROOT = Path(__file__).resolve().parents[1]
TRACED = "trace=connect,sendto,sendmsg,sendmmsg"
REACHED_OUT = re.compile(r"AF_INET6?\b")

WINDOW = """
import sys
from PySide6.QtCore import QTimer
from app.compose import compose
from app.jobs.events import Saved
from app.ui.main_window import MainWindow
from app.ui.theme import Theme
from app.ui.window_app import make_app

if __name__ == "__main__":
    app, easel = make_app(), compose()
    window = MainWindow(easel, Theme(app, easel.settings.theme))

    def begin():
        # Everything that shows models, licences and connections is looked at first
        models = window.getting.open_models()
        window.getting.show_connections()
        window.getting.show_licences()
        QTimer.singleShot(2_000, lambda: draw(models))

    def draw(models):
        models.close()
        window.studio.heard.connect(listen)
        window.prompt.set_text("a red apple")
        window.inspector.fill(steps=3)
        window.generate()

    def listen(event):
        if isinstance(event, Saved):
            assert event.picture.recipe.model == sys.argv[1]
            window.close()
            app.exit(0)

    window.begun.connect(begin)
    QTimer.singleShot(200_000, lambda: app.exit(3))
    window.show()
    sys.exit(app.exec())
"""

pytestmark = [pytest.mark.slow, pytest.mark.linux]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]])},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def traced(log: Path, *command: str) -> list[str]:
    """The connects and sends to an internet address that ``command`` and its children asked for."""
    done = run("strace", "-f", "-qq", "-e", TRACED, "-o", str(log), *command)
    assert done.returncode == 0, done.stderr
    return [line for line in log.read_text("utf-8").splitlines() if REACHED_OUT.search(line)]


@pytest.fixture
def easel() -> Easel:
    """What a person's own Easel finds, in the folders of this test."""
    return compose()


@pytest.fixture
def installed(easel: Easel, tmp_path: Path) -> Installed:
    """A model of the form of Stable Diffusion 1.5, and the one that is drawn with."""
    model = install(easel.folders, served_files(tmp_path / "tiny"))
    easel.change_settings(replace(easel.settings, model="tiny"))
    return model


def alone() -> tuple[str, ...]:
    """What a command runs behind to have no network at all."""
    command = ("unshare", "--net", "--map-root-user")
    if run(*command, "true").returncode != 0:
        pytest.skip("this system gives no network namespaces")
    return command


def generate(picture: Path, *more: str) -> tuple[str, ...]:
    easel = (sys.executable, "-m", "app", "generate", "a red apple")
    return (*easel, "--steps", "3", "-o", str(picture), *more)


INSTALLED = ("--model", "tiny", "--size", "128x128")


def test_the_starter_draws_where_there_is_no_network(tmp_path: Path) -> None:
    done = run(*alone(), *generate(tmp_path / "apple.png"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "apple.png").exists()


@pytest.mark.usefixtures("installed")
def test_an_installed_model_draws_where_there_is_no_network(tmp_path: Path) -> None:
    done = run(*alone(), *generate(tmp_path / "apple.png", *INSTALLED))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "apple.png").exists()


def test_drawing_with_the_starter_asks_the_kernel_for_no_connection(tmp_path: Path) -> None:
    assert traced(tmp_path / "calls", *generate(tmp_path / "apple.png")) == []
    assert (tmp_path / "apple.png").exists()


def test_drawing_with_an_installed_model_asks_the_kernel_for_no_connection(
    installed: Installed, easel: Easel, tmp_path: Path
) -> None:
    command = generate(tmp_path / "apple.png", *INSTALLED)
    assert traced(tmp_path / "calls", *command) == []
    assert (tmp_path / "apple.png").exists()
    receipts.check(installed.folder, installed.receipt)
    assert easel.shelf.ledger.connections() == ()


def test_drawing_with_a_folder_asks_the_kernel_for_no_connection(tmp_path: Path) -> None:
    model = build_tiny("sd1", tmp_path / "tiny")
    command = generate(tmp_path / "apple.png", "--model", str(model), "--size", "128x128")
    assert traced(tmp_path / "calls", *command) == []
    assert (tmp_path / "apple.png").exists()


@pytest.mark.parametrize("model", ["starter", "tiny"])
def test_a_session_in_the_window_asks_the_kernel_for_no_connection(
    model: str, request: pytest.FixtureRequest, easel: Easel, tmp_path: Path
) -> None:
    """Also with the windows of models, licences and connections open."""
    if model == "tiny":
        request.getfixturevalue("installed")
    script = tmp_path / "session.py"
    script.write_text(WINDOW, "utf-8")
    assert traced(tmp_path / "calls", sys.executable, str(script), model) == []
    assert list(tmp_path.rglob("*apple*.png"))
    assert easel.shelf.ledger.connections() == ()


def test_a_connection_would_be_seen(tmp_path: Path) -> None:
    """The trace is not blind: a datagram to the loopback address shows up in it."""
    code = "import _socket as s; s.socket(s.AF_INET, s.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))"
    log = tmp_path / "calls"
    assert len(traced(log, sys.executable, "-I", "-S", "-c", code)) == 1
