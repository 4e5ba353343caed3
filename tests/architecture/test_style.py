"""What the house asks of every file, where no tool asks it already."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "app").rglob("*.py"))
NAMES_OF_NOTHING = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
SCRIPTS = {ROOT / "app" / "bench" / "peers", ROOT / "app" / "bench" / "probes"}
"""Not packages on purpose: each file is run by path in a process of its own and imported never."""


def names(modules: list[Path]) -> list[str]:
    return [str(module.relative_to(ROOT)) for module in modules]


@pytest.mark.parametrize("module", MODULES, ids=names(MODULES))
def test_a_module_is_short_and_says_what_it_is(module: Path) -> None:
    text = module.read_text("utf-8")

    assert len(text.splitlines()) <= 400
    assert ast.get_docstring(ast.parse(text))


def test_no_module_has_a_name_that_says_nothing() -> None:
    parts = {part for module in MODULES for part in module.relative_to(ROOT).with_suffix("").parts}

    assert not parts & NAMES_OF_NOTHING


def test_every_folder_of_modules_is_a_package() -> None:
    """import-linter does not see a folder without __init__.py."""
    folders = {module.parent for module in MODULES} - SCRIPTS

    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_committed_files_name_no_machine() -> None:
    """Absolute paths of a developer's machine have no place in the tree."""
    found = subprocess.run(
        ["git", "grep", "-nIE", "(^|[^A-Za-z0-9_.])/(home/[a-z]|Users/[A-Za-z]|root|work|farm)/"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    lines = [line for line in found.stdout.splitlines() if "test_style.py" not in line]
    assert lines == []
