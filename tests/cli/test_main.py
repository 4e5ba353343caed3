"""The command line as a whole: help, version, models, doctor."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from app import __version__
from app.cli.arguments import VERBS
from app.core.errors import SettingsDamaged
from app.engine.contract import Engine
from tests.cli.conftest import Run
from tests.cli.numpy_easel import NumpyEasel

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
