"""The command line as a whole: help, version, models, doctor, selftest."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from app import __version__
from app.cli.arguments import VERBS
from app.core.errors import SettingsDamaged
from app.core.events import Cancelled, Finished, Pixels, Task
from app.engine.contract import Engine, IsCancelled, Report
from tests.cli.conftest import Run
from tests.cli.numpy_easel import NumpyEasel
from tests.engine.numpy_engine import NumpyEngine

ROOT = Path(__file__).resolve().parents[2]


def test_version_is_said_on_one_line(run: Run) -> None:
    ran = run("--version")
    assert (ran.code, ran.out, ran.err) == (0, f"Easel {__version__}\n", "")


def test_help_names_every_command(run: Run) -> None:
    ran = run("--help")
    assert ran.code == 0
    assert all(verb in ran.out for verb in VERBS)


def test_help_of_generate_names_every_option(run: Run) -> None:
    ran = run("generate", "--help")
    assert ran.code == 0
    for option in (
        "-o", "--negative", "--seed", "--steps", "--guidance", "--size", "--scheduler", "--count",
        "--model", "--start", "--strength", "--mask", "--json",
    ):  # fmt: skip
        assert option in ran.out
    assert "DPM++ 2M Karras" in ran.out


def test_help_composes_nothing_and_imports_nothing_heavy() -> None:
    script = (
        "import sys; from app.cli import main\n"
        "assert main(['generate', '--help'], None) == 0\n"
        "heavy = {'torch', 'numpy', 'PIL', 'PySide6', 'diffusers', 'transformers', 'tokenizers'}\n"
        "sys.stderr.write(str(sorted(heavy & set(sys.modules))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr == "[]"


def test_models_lists_id_title_family_size_and_folder(run: Run, easel: NumpyEasel) -> None:
    (Path(easel.models()[0].folder) / "weights").write_bytes(bytes(1_234_000))
    ran = run("models")
    head, line = ran.out.splitlines()
    assert head.split() == ["ID", "TITLE", "FAMILY", "SIZE", "FOLDER"]
    assert line.split() == ["numpy", "Numpy", "sd1", "1.2", "MB", easel.models()[0].folder]
    (data,) = json.loads(run("models", "--json").out)
    assert data["bytes"] == 1_234_000
    assert (data["id"], data["folder"]) == ("numpy", easel.models()[0].folder)
    assert data["size"] == [64, 64]


def test_the_doctor_finds_placements_folders_and_packages(run: Run, easel: NumpyEasel) -> None:
    ran = run("doctor", "--json")
    data = json.loads(ran.out)
    checks = {check["name"]: check for check in data["checks"]}
    assert (ran.code, data["ok"]) == (0, True), ran.out
    assert checks["Draws on"]["detail"] == "CPU"
    assert checks["pillow"]["ok"]
    assert str(easel.folders.pictures) in checks["Pictures folder"]["detail"]
    assert "free" in checks["Memory"]["detail"]
    assert not list(easel.folders.pictures.iterdir())
    assert run("doctor").out.endswith("The doctor has found no fault.\n")


def test_the_doctor_finds_what_is_wrong(run: Run, easel: NumpyEasel) -> None:
    easel.folders.pictures.write_text("a file")
    easel.settings_problem = SettingsDamaged("/s/settings.json", "")
    ran = run("doctor")
    assert ran.code == 1
    assert "FAIL Pictures folder: The folder cannot be written to." in ran.out
    assert "FAIL Settings: The settings could not be read." in ran.out
    assert ran.out.endswith("The doctor has found 2 faults.\n")


def _cannot_start() -> Engine:
    raise OSError("no such library")


def test_the_doctor_says_when_nothing_can_draw(run: Run, tmp_path: Path) -> None:
    ran = run("doctor", easel=NumpyEasel(tmp_path / "broken", _cannot_start))
    assert ran.code == 1
    assert "FAIL Draws on" in ran.out


def test_the_self_test_draws_and_checks_every_part(run: Run) -> None:
    ran = run("selftest")
    assert ran.code == 0, ran.out
    assert ran.out.count("ok   ") == 10
    assert "FAIL" not in ran.out
    data = json.loads(run("selftest", "--json").out)
    assert data["ok"]
    assert len(data["checks"]) == 10


class _Unsteady(NumpyEngine):
    """Draws another picture each time, whatever the seed."""

    def draw(self, task: Task, report: Report, cancelled: IsCancelled) -> Finished | Cancelled:
        ending = super().draw(task, report, cancelled)
        if isinstance(ending, Cancelled):
            return ending
        size = task.recipe.size
        noise = secrets.token_bytes(size.width * size.height * 3)
        return Finished(
            task.job, Pixels(size.width, size.height, noise), ending.placement, ending.seconds
        )


class _Grey(NumpyEngine):
    """Draws nothing at all, in half the size."""

    def draw(self, task: Task, report: Report, cancelled: IsCancelled) -> Finished | Cancelled:
        ending = super().draw(task, report, cancelled)
        if isinstance(ending, Cancelled):
            return ending
        return Finished(task.job, Pixels(32, 32, bytes(32 * 32 * 3)), ending.placement, 0.0)


@pytest.mark.parametrize(
    ("engine", "failed"),
    [
        (_Unsteady, ["The same seed gives the same picture"]),
        (_Grey, ["The picture has the size that was asked for", "The picture is not empty"]),
        (_cannot_start, ["Drawing"]),
    ],
)
def test_the_self_test_finds_an_engine_that_is_wrong(
    run: Run, tmp_path: Path, engine: type[Engine], failed: list[str]
) -> None:
    ran = run("selftest", "--json", easel=NumpyEasel(tmp_path / "wrong", engine))
    checks = json.loads(ran.out)["checks"]
    assert ran.code == 1
    assert [check["name"] for check in checks if not check["ok"]] == failed
