"""The real thing: the installed program, the torch engine in its child, weights from the disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from app.core.placement import Placement
from app.library.library import read_picture
from tests.tiny_models import build_tiny

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


def easel(*argv: str) -> subprocess.CompletedProcess[str]:
    """``easel ARGV``; EASEL_HOME is this test's own."""
    return subprocess.run(
        [sys.executable, "-m", "app", *argv],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def test_the_starter_draws_a_picture_and_the_same_one_again(tmp_path: Path) -> None:
    files = [tmp_path / "1.png", tmp_path / "2.png"]
    for file in files:
        argv = ["generate", "a red apple", "-o", str(file), "--seed", "17", "--steps", "4"]
        done = easel(*argv)
        assert (done.returncode, done.stdout) == (0, f"{file}\n"), done.stderr
    first, second = (read_picture(file) for file in files)
    assert first.recipe == second.recipe
    assert first.recipe.model == "starter"
    assert first.placement in set(Placement)
    with Image.open(files[0]) as one, Image.open(files[1]) as two:
        assert one.size == (first.recipe.size.width, first.recipe.size.height)
        assert one.tobytes() == two.tobytes()
        assert len(one.getcolors(10**6) or ()) > 100


def test_the_self_test_of_the_real_program_finds_no_fault() -> None:
    done = easel("selftest", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    checks = {check["name"]: check["ok"] for check in json.loads(done.stdout)["checks"]}
    assert checks["The drawing libraries are real"]
    assert checks["The loss of a drawing process is noticed"]
    assert len(checks) == 24


def test_the_doctor_finds_where_the_real_engine_draws() -> None:
    data = json.loads(easel("doctor", "--json").stdout)
    (draws,) = [check for check in data["checks"] if check["name"] == "Draws on"]
    assert draws["ok"]
    assert set(draws["detail"].split(", ")) <= {"CPU", "MPS", "CUDA"}


def test_weights_that_are_not_numbers_are_told_and_nothing_is_saved(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    model = build_tiny("starter", tmp_path / "model")
    weights = model / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = {name: torch.full_like(t, float("nan")) for name, t in load_file(weights).items()}
    save_file(tensors, weights)
    done = easel(
        "generate", "a", "--model", str(model), "-o", str(tmp_path / "a.png"), "--steps", "2"
    )
    assert done.returncode == 1
    assert "The drawing went wrong." in done.stderr or "The model is damaged." in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "a.png").exists()
