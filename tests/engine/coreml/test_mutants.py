"""No statement of what will run on a Mac can go without a test seeing it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
TESTS = [str(HERE / name) for name in ("test_pyobjc_runtime.py", "test_runtime_conformance.py")]


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("module", ["pyobjc_runtime", "bridge", "compute_plan", "compiled"])
def test_each_statement_is_needed(module: str) -> None:
    command = [sys.executable, str(HERE / "mutants.py"), f"app.engine.coreml.{module}", *TESTS]
    done = subprocess.run(
        command, cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
