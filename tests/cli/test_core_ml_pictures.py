"""``easel convert``, then ``easel generate --engine coreml``: the picture that torch draws."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.cli import main
from app.compose import compose
from app.core.settings import Settings
from app.library import settings_file
from app.library.library import read_picture
from tests.cli.conftest import Ran, Run
from tests.engine.coreml.test_parity import decibels
from tests.engine.coreml.tiny_models import tiny_folder
from tests.jobs.shelves import install
from tests.jobs.tiny_conversions import write_source

ROOT = Path(__file__).resolve().parents[2]
LEAST_DB = 35.0


@pytest.fixture
def run_real(capsys: pytest.CaptureFixture[str], easel_home: Path) -> Callable[..., Ran]:
    """Commands of the real program, in this process."""

    def run_real(*argv: str) -> Ran:
        code = main(argv, lambda: compose({"EASEL_HOME": str(easel_home)}))
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return run_real


def test_a_model_that_was_not_converted_is_refused_with_the_command_that_does_it(
    run: Run,
) -> None:
    ran = run("generate", "a red apple", "--engine", "coreml")
    assert ran.code == 2
    assert "easel convert numpy" in ran.err


def test_an_engine_that_there_is_not_is_refused(run: Run) -> None:
    ran = run("generate", "a red apple", "--engine", "onnx")
    assert ran.code == 2
    assert "--engine" in ran.err


def test_a_model_for_core_ml_alone_is_not_drawn_with_torch(
    run_real: Callable[..., Ran], easel_home: Path, tmp_path: Path
) -> None:
    folder = tiny_folder(tmp_path / "published")
    settings_file.save(
        compose({"EASEL_HOME": str(easel_home)}).folders.settings,
        Settings(opened_models=(str(folder),)),
    )
    ran = run_real("generate", "a red apple", "--model", str(folder), "--engine", "torch")
    assert ran.code == 2
    assert "Core ML only" in ran.err


def test_a_conversion_is_listed_below_its_model_and_removed_by_its_id(
    run_real: Callable[..., Ran], easel_home: Path
) -> None:
    root = compose({"EASEL_HOME": str(easel_home)}).folders.installed
    folder = tiny_folder(root / "starter" / "coreml-sdpa-16")
    lines = run_real("models").out.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["starter", "starter.coreml-sdpa-16"]
    assert lines[2].startswith("  starter.coreml-sdpa-16")
    assert "KB" in lines[2]
    data = {one["id"]: one for one in json.loads(run_real("models", "--json").out)}
    assert data["starter.coreml-sdpa-16"]["converted_from"] == "starter"
    assert data["starter"]["converted_from"] is None
    assert run_real("models", "remove", "starter.coreml-none").code == 1
    ran = run_real("models", "remove", "starter.coreml-sdpa-16")
    assert ran.code == 0
    assert "the original stays" in ran.err
    assert not folder.exists()
    assert len(run_real("models").out.splitlines()) == 2
    assert run_real("models", "remove", "starter").code == 1


# The installed program, each command in a process of its own.


def easel(*argv: str) -> str:
    """What ``easel ARGV`` printed; EASEL_HOME is this test's own."""
    done = subprocess.run(
        [sys.executable, "-m", "app", *argv],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def pictures_alike(tmp_path: Path, model: str, *more: str) -> float:
    """Decibels between the pictures of both engines, from the same words and seed."""
    pixels = []
    for engine in ("coreml", "torch"):
        file = tmp_path / f"{engine}.png"
        argv = ["generate", "a red apple", "--model", model, "--seed", "17", "--steps", "4"]
        easel(*argv, "--engine", engine, "-o", str(file), *more)
        assert read_picture(file).recipe.seed == 17
        with Image.open(file) as opened:
            pixels.append(np.asarray(opened.convert("RGB"), float))
    assert len(np.unique(pixels[0])) > 20
    return decibels(*pixels)


@pytest.mark.slow
def test_a_tiny_model_is_converted_and_drawn_as_torch_draws_it(
    easel_home: Path, tmp_path: Path
) -> None:
    source = Path(write_source("sd1", tmp_path / "source").folder)
    files = {
        file.relative_to(source).as_posix(): file.read_bytes()
        for file in source.rglob("*")
        if file.is_file() and file.name != "LICENSE.txt"  # a receipt writes its own
    }
    install(compose({"EASEL_HOME": str(easel_home)}).folders, files)
    folder = Path(easel("convert", "tiny", "--bits", "16").strip())
    assert folder.name == "coreml-split_einsum-16"
    listed = {one["id"] for one in json.loads(easel("models", "--json"))}
    assert listed == {"starter", "tiny", "tiny.coreml-split_einsum-16"}
    assert pictures_alike(tmp_path, "tiny") > LEAST_DB


@pytest.mark.slow
def test_the_starter_is_converted_and_drawn_as_torch_draws_it(tmp_path: Path) -> None:
    easel("convert", "starter", "--bits", "16")
    assert pictures_alike(tmp_path, "starter") > LEAST_DB
