"""What a fresh interpreter has loaded: the window's process stays light, the engine's has no Qt."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"torch", "diffusers", "transformers", "coremltools", "numpy"}
LOADED = "import json, sys; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"

OPEN_THE_WINDOW = """
import sys
from PySide6.QtCore import QTimer
from app.compose import compose
from app.ui.main_window import MainWindow
from app.ui.theme import Theme
from app.ui.window_app import make_app
application = make_app()
easel = compose()
window = MainWindow(easel, Theme(application, easel.settings.theme))
def end():
    global at_the_end
    at_the_end = set(sys.modules)
    window.close()
window.begun.connect(lambda: QTimer.singleShot(0, end))
window.show()
assert application.exec() == 0
assert "app.ui.interactions" in at_the_end
assert not {"app.ui.models_window", "app.jobs.deliveries"} & at_the_end
for name in set(sys.modules) - at_the_end:
    del sys.modules[name]
"""


@pytest.mark.parametrize(
    "statement",
    [
        "import app.__main__",
        "import app.compose; app.compose.compose()",
        "import app.cli",
        "import app.jobs.session, app.jobs.child_host",
        "import app.jobs.converting, app.cli.convert",
        "import app.ui.window_app, app.ui.main_window",
    ],
)
def test_the_window_s_process_imports_nothing_heavy(statement: str) -> None:
    assert not modules_after(statement) & HEAVY


def test_a_window_with_all_its_parts_has_loaded_nothing_heavy() -> None:
    loaded = modules_after(OPEN_THE_WINDOW)

    assert "PySide6" in loaded
    assert not loaded & HEAVY


def test_the_engine_s_process_has_no_qt() -> None:
    loaded = modules_after("import app.engine.torch.engine, app.jobs.serve")

    assert "torch" in loaded
    assert not loaded & {"PySide6", "shiboken6"}


def test_commands_have_no_qt() -> None:
    assert "PySide6" not in modules_after("import app.cli, app.cli.main, app.cli.generate")


@pytest.mark.parametrize("room", ["core", "places", "messages"])
def test_light_rooms_need_the_standard_library_only(room: str) -> None:
    loaded = modules_after(f"import pkgutil, app.{room}")

    assert loaded - {"app", "platformdirs"} <= set(sys.stdlib_module_names) | at_start()


def at_start() -> set[str]:
    """What an interpreter has loaded before it does anything (site, its .pth files)."""
    return modules_after("pass")


def modules_after(statements: str) -> set[str]:
    """The top-level modules in a fresh interpreter after these statements."""
    run = subprocess.run(
        [sys.executable, "-c", f"{statements}\n{LOADED}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found: list[str] = json.loads(run.stdout.splitlines()[-1])
    return set(found)
