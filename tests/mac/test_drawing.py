"""The starter, drawn wherever a Mac can draw: the CPU's picture each time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import compare_placements
import pytest

from app.core.placement import Placement

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.mac, pytest.mark.slow]

DRAW = """
import sys
from pathlib import Path
from app.core.events import Finished, Task
from app.core.placement import Placement
from app.core.recipe import Draft
from app.core.resolve import resolve
from app.engine.coreml.model import read_coreml_model
from app.jobs.engines import on_this_mac
folder = Path(sys.argv[1])
model = read_coreml_model(folder / "starter-coreml")
engine = on_this_mac(folder / "compiled")
(recipe,) = resolve(Draft("a red apple", steps=2, seed=7), model)
task = Task("job", recipe, model, Placement.COREML_GPU)
assert isinstance(engine.draw(task, lambda _: None, lambda: False), Finished)
heavy = ("torch", "diffusers", "transformers", "coremltools")
print([name for name in heavy if name in sys.modules])
"""


def test_each_placement_draws_the_picture_of_the_cpu(converted: Path) -> None:
    rows = {row["placement"]: row for row in compare_placements.compare(converted)}

    assert {
        f"torch, {Placement.CPU}",
        f"torch, {Placement.MPS}",
        f"Core ML's engine, {Placement.COREML_GPU}",
        f"Core ML's engine, {Placement.COREML_NEURAL_ENGINE}",
    } <= rows.keys()
    assert all(row["ok"] for row in rows.values()), rows


def test_the_process_that_draws_through_core_ml_has_no_torch(converted: Path) -> None:
    """As a process of its own: this one has had torch for long."""
    done = subprocess.run(
        [sys.executable, "-c", DRAW, str(converted)],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.stdout.strip() == "[]", done.stderr
