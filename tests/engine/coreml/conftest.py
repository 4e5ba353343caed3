"""Core ML folders of the tiny models, each made once a session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.model import Model
from app.core.recipe import Size
from app.engine.coreml.model import read_coreml_model
from tests.engine.coreml.torch_runtime import write_folder

SIZES = (Size(64, 64), Size(64, 96))

TinyCoreML = Callable[..., Model]


@pytest.fixture(scope="session")
def tiny_coreml(
    tiny_folder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> TinyCoreML:
    """``tiny_coreml(kind, batches=(1, 2))``: a tiny model as a Core ML folder; do not change it."""
    root = tmp_path_factory.mktemp("coreml")

    def model(kind: str, batches: tuple[int, ...] = (1, 2)) -> Model:
        folder = root / f"{kind}-{'-'.join(map(str, batches))}"
        if not folder.is_dir():
            write_folder(tiny_folder(kind), folder, SIZES, batches)
        return read_coreml_model(folder)

    return model
