"""Tiny models, each built once a session, and numbers that do not depend on the machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.model import Model
from app.engine.model_folder import read_model
from tests.tiny_models import build_tiny

TinyModel = Callable[..., Model]


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``tiny_folder(kind, dtype="float32")``: the folder of a tiny model; do not change it."""
    root = tmp_path_factory.mktemp("tiny")

    def folder(kind: str, dtype: str = "float32") -> Path:
        return build_tiny(kind, root / f"{kind}-{dtype}", dtype=dtype)

    return folder


@pytest.fixture(scope="session")
def tiny_model(tiny_folder: Callable[..., Path]) -> TinyModel:
    """``tiny_model(kind, dtype="float32")``: a tiny model, read from its folder."""
    return lambda kind, dtype="float32": read_model(tiny_folder(kind, dtype))
