"""A question to each model with a known answer: does this unit compute what it should?

Answers that came with a model are of the network it was made from. Others are made here by a run on
the CPU alone, which computes in the declared types and is what other units are held to.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from app.core.coreml_manifest import FeatureSpec, FunctionSpec, Units
from app.core.errors import ModelDamaged
from app.engine.coreml.runtime import Array
from app.engine.coreml.verdicts import HALF
from app.files.atomic_file import world_error

ANSWER = "out:"
"""Before the names of answers in an .npz."""
TIMESTEP = 961.37
_IDS = 1000
"""Token ids below it are words in the vocabulary of every family."""

LEAST: Mapping[Units, float] = {
    Units.CPU: 0.9999,
    Units.CPU_AND_GPU: 0.999,
    Units.ALL: 0.99,
    Units.CPU_AND_NEURAL_ENGINE: 0.99,
}
"""Cosine with the known answer that a unit has to reach. Published: 0.997 on the Neural Engine,
0.9999996 on the GPU."""

_BROKEN = (zipfile.BadZipFile, zlib.error)


def read_golden(file: Path) -> tuple[dict[str, Array], dict[str, Array]]:
    """Inputs and answers. Raises ModelDamaged."""
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, TypeError, EOFError, KeyError, *_BROKEN) as error:
        raise ModelDamaged(str(file), "mismatch") from error
    answers = {n.removeprefix(ANSWER): a for n, a in found.items() if n.startswith(ANSWER)}
    inputs = {n: a for n, a in found.items() if not n.startswith(ANSWER)}
    return inputs, answers


def write_golden(file: Path, inputs: Mapping[str, Array], answers: Mapping[str, Array]) -> None:
    """Raises FolderNotWritable, NoSpace; then nothing is left of it."""
    part = file.with_name(f"{file.stem}{HALF}")
    named = {**inputs, **{ANSWER + name: answer for name, answer in answers.items()}}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(part, **named)  # type: ignore[arg-type]
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        size = sum(array.nbytes for array in named.values())
        raise world_error(error, file.parent, size) from error


def question(inputs: Mapping[str, FeatureSpec]) -> dict[str, Array]:
    """Inputs such as drawing has them; the same for the same names and shapes."""
    return {name: _values(name, spec) for name, spec in inputs.items()}


def function_for(functions: tuple[FunctionSpec, ...], inputs: Mapping[str, Array]) -> FunctionSpec:
    """The function that takes these inputs. Raises ValueError."""
    for function in functions:
        if {one.name: one.shape for one in function.inputs} == {
            name: value.shape for name, value in inputs.items()
        }:
            return function
    raise ValueError("no function takes this")


def cosine(found: Mapping[str, Array], expected: Mapping[str, Array]) -> float:
    """The least over all answers of the cosine between both; NaN where a number is not finite."""
    return min(
        (_cosine(found[name], answer) for name, answer in expected.items()),
        key=lambda value: -np.inf if np.isnan(value) else value,
    )


def _cosine(one: Array, other: Array) -> float:
    a, b = one.astype(np.float64).ravel(), other.astype(np.float64).ravel()
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("nan")
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    if length == 0.0:
        return 1.0 if np.array_equal(a, b) else 0.0
    return float(a @ b) / length


def _values(name: str, spec: FeatureSpec) -> Array:
    draw = np.random.default_rng(zlib.crc32(name.encode()))
    if name == "timestep":
        return np.full(spec.shape, TIMESTEP, np.float32)
    if name == "input_ids":
        return draw.integers(0, _IDS, spec.shape).astype(np.int32)
    values = draw.standard_normal(spec.shape).astype(np.float32)
    return np.tanh(values) if name == "x" else values
