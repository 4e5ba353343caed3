"""The import contracts of pyproject.toml hold, and each of them catches what it is there for."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"

# Contract, the module that breaks it, the line that does so.
PLANTED = [
    ("layers", "app/core/planted.py", "import app.library"),
    ("layers", "app/places.py", "import app.jobs.session"),
    ("layers", "app/files/planted.py", "import app.places"),
    ("layers", "app/engine/planted.py", "from app.library import library"),
    ("layers", "app/library/planted.py", "import app.engine.contract"),
    ("layers", "app/jobs/planted.py", "import app.messages"),
    ("layers", "app/cli/planted.py", "import app.ui.window_app"),
    ("layers", "app/ui/planted.py", "import app.cli"),
    ("layers", "app/compose.py", "import app.bench"),
    ("layers", "app/cellar.py", "'a room that no layer names'"),
    ("qt", "app/jobs/planted.py", "from PySide6.QtCore import QObject"),
    ("torch", "app/engine/planted.py", "import torch"),
    ("torch", "app/jobs/planted.py", "from diffusers import DiffusionPipeline"),
    ("torch", "app/ui/planted.py", "import transformers"),
    ("coremltools", "app/engine/torch/planted.py", "import coremltools"),
    ("network", "app/ui/planted.py", "import urllib.request"),
    ("network", "app/jobs/planted.py", "import socket"),
    ("network", "app/engine/torch/planted.py", "import huggingface_hub"),
    ("network", "app/library/planted.py", "import httpx2"),
    ("keyring", "app/jobs/planted.py", "import keyring"),
    ("tokenizers", "app/ui/planted.py", "import tokenizers"),
    ("numpy", "app/ui/planted.py", "import numpy"),
    ("numpy", "app/core/planted.py", "def later():\n    import numpy"),
    ("pillow", "app/ui/planted.py", "from PIL import Image"),
    ("sd-parsers", "app/ui/planted.py", "from sd_parsers.parsers import ComfyUIParser"),
    ("sqlite", "app/jobs/planted.py", "import sqlite3"),
    ("platformdirs", "app/library/planted.py", "import platformdirs"),
    ("processes", "app/library/planted.py", "from concurrent.futures import ThreadPoolExecutor"),
    ("processes", "app/ui/planted.py", "import multiprocessing"),
]


def test_the_tree_keeps_every_contract() -> None:
    code, said = lint(ROOT)

    assert code == 0, said


@pytest.mark.parametrize(("contract", "file", "line"), PLANTED)
def test_one_planted_import_breaks_its_contract(
    contract: str, file: str, line: str, tmp_path: Path
) -> None:
    copy_the_house(tmp_path)
    planted = tmp_path / file
    before = planted.read_text("utf-8") if planted.exists() else ""
    planted.write_text(f"{before}\n{line}\n", "utf-8")

    code, said = lint(tmp_path, "--contract", contract)

    assert code == 1, said
    assert f"app.{'.'.join(planted.relative_to(tmp_path / 'app').with_suffix('').parts)}" in said


def test_every_contract_has_a_planted_import() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

    contracts = {contract["id"] for contract in settings["tool"]["importlinter"]["contracts"]}

    assert contracts == {contract for contract, _, _ in PLANTED}


def copy_the_house(to: Path) -> None:
    shutil.copytree(ROOT / "app", to / "app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", to)
    (to / "tests" / "architecture").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "architecture" / "contracts.py", to / "tests" / "architecture")


def lint(folder: Path, *arguments: str) -> tuple[int, str]:
    run = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr
