"""A command run in this process, and what it printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from tests.cli.numpy_easel import NumpyEasel


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left: its exit code and its two streams."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ran]


@pytest.fixture
def easel(tmp_path: Path) -> NumpyEasel:
    return NumpyEasel(tmp_path / "home")


@pytest.fixture
def run(easel: NumpyEasel, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*argv: str, easel: NumpyEasel = easel) -> Ran:
        code = main(argv, lambda: easel)
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return run


@pytest.fixture
def pictures(easel: NumpyEasel) -> Callable[[], list[Path]]:
    """Every file under the pictures folders, whatever it is."""

    def pictures() -> list[Path]:
        places = (easel.folders.pictures, easel.folders.rescued)
        return sorted(file for place in places for file in place.rglob("*") if file.is_file())

    return pictures
