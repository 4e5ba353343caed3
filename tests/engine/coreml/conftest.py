"""Core ML folders of the tiny models, each made once a session."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from app.core.model import Model
from app.core.recipe import Size, Start
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


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """A starting picture with a mask over its right half and a bit."""
    folder = tmp_path_factory.mktemp("start")
    picture = Image.linear_gradient("L").resize((64, 64)).convert("RGB")
    ImageDraw.Draw(picture).ellipse((10, 10, 40, 50), "red")
    mask = Image.new("L", (64, 64), 0)
    ImageDraw.Draw(mask).rectangle((27, 0, 63, 63), 255)
    digests = []
    for name, image in (("start.png", picture), ("mask.png", mask)):
        image.save(folder / name)
        digests.append(hashlib.sha256((folder / name).read_bytes()).hexdigest())
    return Start(str(folder / "start.png"), digests[0], 0.6, str(folder / "mask.png"), digests[1])
