"""Make-believe models: a folder that says what it takes and gives, and answers by a small sum.

The answer depends on every number of every input and on where it lies, so that a row read at the
wrong place is seen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.engine.coreml.standin.world import Fault, Features

ABOUT = "about.json"

UNET: dict[str, tuple[Features, Features]] = {
    "": (
        {
            "sample": ((2, 4, 8, 8), "float16"),
            "timestep": ((2,), "float32"),
            "encoder_hidden_states": ((2, 8, 1, 7), "float16"),
        },
        {"noise_pred": ((2, 4, 8, 8), "float16")},
    )
}


def write_package(path: Path, functions: Mapping[str, tuple[Features, Features]] = UNET) -> Path:
    """A package at ``path``; the function "" is the one without a name."""
    path.mkdir(parents=True)
    (path / ABOUT).write_text(json.dumps(functions), "utf-8")
    return path


class TinyModels:
    """``Models`` of such packages, compiled or not. ``answers`` replaces what is computed."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}

    def describe(self, path: Path, function: str) -> tuple[Features, Features]:
        functions = json.loads((path / ABOUT).read_text("utf-8"))
        if function not in functions:
            raise Fault("com.apple.CoreML", 0, f"no function {function}")
        takes, gives = functions[function]
        return _features(takes), _features(gives)

    def answer(
        self, path: Path, function: str, units: int, inputs: Mapping[str, Any]
    ) -> dict[str, Any]:
        del units
        _, gives = self.describe(path, function)
        return {**{name: computed(inputs, *about) for name, about in gives.items()}, **self.answers}


def computed(inputs: Mapping[str, Any], shape: tuple[int, ...], dtype: str) -> Any:
    """A sum over all inputs, rolled by their place among them."""
    shape = shape or next(iter(inputs.values())).shape
    count = int(np.prod(shape))
    total = np.zeros(count, np.float64)
    for at, (_, values) in enumerate(sorted(inputs.items())):
        flat = np.asarray(values, np.float64).ravel()
        total += np.resize(np.roll(flat, at), count) * (at + 1)
        total += flat.mean()
    return np.sin(total).reshape(shape).astype(dtype)


def _features(rows: Mapping[str, Any]) -> Features:
    return {name: (tuple(shape), dtype) for name, (shape, dtype) in rows.items()}
