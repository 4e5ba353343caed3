"""Tiny models as single files, and the configurations that fit them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tiny_models import build_tiny


@pytest.fixture(scope="session")
def tiny_source(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``tiny_source(kind)``: a tiny model in diffusers layout and fp16; do not change it."""
    root = tmp_path_factory.mktemp("sources")
    return lambda kind: build_tiny(kind, root / kind, dtype="float16")


@pytest.fixture(scope="session")
def tiny_resources(
    tiny_source: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """``tiny_resources(kind)``: as ``resources``, with configurations of the tiny model's size."""
    root = tmp_path_factory.mktemp("resources")

    def made(kind: str) -> Path:
        resources = root / kind
        if resources.is_dir():
            return resources
        source = tiny_source(kind)
        configs = resources / "configs"
        leave = shutil.ignore_patterns("*.safetensors", "tokenizer.json")
        shutil.copytree(source, configs / kind, ignore=leave)
        words = json.loads((source / "tokenizer" / "tokenizer.json").read_text())["model"]
        (configs / "clip").mkdir()
        (configs / "clip" / "vocab.json").write_text(json.dumps(words["vocab"]))
        merges = [m if isinstance(m, str) else " ".join(m) for m in words["merges"]]
        (configs / "clip" / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
        return resources

    return made
