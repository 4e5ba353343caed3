"""Small packages written by coremltools' own builder, and how to run them here."""

from __future__ import annotations

import gc
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from app.convert.mil.definitions import parse_model
from app.convert.mil.interpreter import Interpreter, Mode

Shape = Sequence[int]


@contextmanager
def coremltools_quiet() -> Iterator[Any]:
    """coremltools. It logs at import, leaves temporary folders and a tqdm thread behind, uses what
    torch and itself call deprecated, and collects the garbage of the whole process each time."""
    import tqdm

    log = logging.getLogger("coremltools")
    level, interval = log.level, tqdm.tqdm.monitor_interval
    log.setLevel(logging.CRITICAL)
    tqdm.tqdm.monitor_interval = 0
    with warnings.catch_warnings():
        for category in (ResourceWarning, DeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
        try:
            import coremltools

            gc.freeze()
            yield coremltools
        finally:
            gc.unfreeze()
            log.setLevel(level)
            tqdm.tqdm.monitor_interval = interval


def write(
    path: Path,
    body: Callable[..., Any],
    shapes: Sequence[Shape],
    dtypes: Sequence[str] | str = "fp32",
    target: str = "iOS16",
) -> Path:
    """A package of one function. ``body(mb, *inputs)`` gives what it returns; nothing is optimised.

    The inputs are called a, b, c... and the outputs as their operations are.
    """
    with coremltools_quiet() as ct:
        from coremltools.converters.mil.mil import Builder, types

        kinds = [dtypes] * len(shapes) if isinstance(dtypes, str) else dtypes
        specs = [
            Builder.TensorSpec(tuple(shape), getattr(types, kind))
            for shape, kind in zip(shapes, kinds, strict=True)
        ]
        mains: dict[int, Callable[..., Any]] = {
            1: lambda a: body(Builder, a),
            2: lambda a, b: body(Builder, a, b),
            3: lambda a, b, c: body(Builder, a, b, c),
            4: lambda a, b, c, d: body(Builder, a, b, c, d),
        }
        opset = getattr(ct.target, target)
        program = Builder.program(input_specs=specs, opset_version=opset)(mains[len(specs)])
        model = ct.convert(
            program,
            convert_to="mlprogram",
            compute_precision=ct.precision.FLOAT32,
            pass_pipeline=ct.PassPipeline.EMPTY,
            minimum_deployment_target=opset,
            skip_model_load=True,
        )
        model.save(str(path))
        del model
    return path


def run(path: Path, inputs: Sequence[Any], mode: Mode = "fp32") -> dict[str, torch.Tensor]:
    """The results of the package's "main" for ``inputs``, in the order of its own."""
    interpreter = Interpreter.open(path, mode=mode)
    named = zip(interpreter.function.inputs, inputs, strict=True)
    return interpreter.run({name: torch.as_tensor(value) for name, value in named})


def model_file(path: Path) -> Path:
    return path / "Data" / "com.apple.CoreML" / "model.mlmodel"


def weight_file(path: Path) -> Path:
    return path / "Data" / "com.apple.CoreML" / "weights" / "weight.bin"


@contextmanager
def edited(path: Path) -> Iterator[Any]:
    """The package's protobuf, to be changed; it is written back at the end."""
    file = model_file(path)
    spec = parse_model(file.read_bytes(), str(file))
    yield spec
    file.write_bytes(spec.SerializeToString())


def operations(spec: Any, function: str = "main") -> Any:
    """The operations in a package's protobuf."""
    body = spec.mlProgram.functions[function]
    return body.block_specializations[body.opset].operations


def kinds_of(path: Path) -> set[str]:
    """The types of operations in a package."""
    file = model_file(path)
    return {one.type for one in operations(parse_model(file.read_bytes(), str(file)))}


def numbers(*shape: int, seed: int = 0, scale: float = 1.0) -> torch.Tensor:
    """Normally distributed, rounded to what float16 can hold."""
    values = torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * scale
    return values.half().float()


def decibels(found: Any, expected: Any) -> float:
    """Peak signal to noise; 300 where they are equal."""
    found, expected = (np.asarray(one, np.float64) for one in (found, expected))
    noise = float(np.sqrt(np.mean((found - expected) ** 2)))
    return 300.0 if noise == 0 else 20 * float(np.log10(np.abs(expected).max() / noise))
