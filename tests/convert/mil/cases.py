"""One operation at a time: written by coremltools, run by the interpreter, known from elsewhere.

A case is an operation in coremltools' words, the same in torch's (or written out by hand where the
interpreter itself calls torch's function), and its inputs. Where coremltools can compute the
operation on constants itself, its answer is a second opinion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from app.convert.mil.interpreter import Interpreter, Mode
from tests.convert.mil.programs import write

Ops = dict[str, tuple[Callable[..., Any], Callable[..., Any]]]
"""By name: ``mil(mb, name, *inputs)``, ``torch(*inputs)``."""

NUMPY = {"fp32": np.float32, "fp16": np.float16, "int32": np.int32, "bool": np.bool_}


def like(variable: Any, value: Any) -> Any:
    """``value`` as a constant of the element type of ``variable``, which MIL asks for."""
    return np.asarray(value).astype("float16" if "16" in variable.dtype.__name__ else "float32")[()]


@dataclass
class Written:
    """What a package of several operations should give."""

    path: Path
    results: dict[str, list[str]] = field(default_factory=dict)
    constant: dict[str, list[str]] = field(default_factory=dict)
    second: dict[str, list[Any]] = field(default_factory=dict)


def wrong(
    folder: Path,
    ops: Ops,
    inputs: Sequence[torch.Tensor],
    dtypes: Sequence[str],
    mode: Mode,
    target: str = "iOS17",
    alone: Sequence[str] = (),
) -> dict[str, str]:
    """What is wrong with which operation; empty where all is well.

    ``alone``: operations that coremltools computes wrongly, or not at all, on constants.

    ``inputs`` may hold more numbers than fp16: they are rounded to ``dtypes`` first.
    """
    given = [_rounded(one, kind) for one, kind in zip(inputs, dtypes, strict=True)]
    written = _write(folder / "ops.mlpackage", ops, given, dtypes, target, alone)
    interpreter = Interpreter.open(written.path, mode=mode)
    found = interpreter.run(dict(zip(interpreter.function.inputs, given, strict=True)))
    half = "fp16" in dtypes and mode == "typed"
    faults = {}
    for name, (_, reference) in ops.items():
        expected = reference(*[one.float() if one.dtype == torch.half else one for one in given])
        expected = expected if isinstance(expected, tuple | list) else [expected]
        results = [found[one] for one in written.results[name]]
        again = [found[one] for one in written.constant.get(name, written.results[name])]
        for result, twice, right in zip(results, again, expected, strict=True):
            if not torch.equal(result.nan_to_num(), twice.nan_to_num()):
                faults[name] = f"constants change it: {result} {twice}"
            if difference := _difference(result, right, half):
                faults[name] = difference
        for result, right in zip(results, written.second.get(name, []), strict=False):
            if difference := _difference(
                result, torch.from_numpy(np.array(right)), "fp16" in dtypes
            ):
                faults[name] = f"coremltools says: {difference}"
    return faults


def _rounded(value: torch.Tensor, kind: str) -> torch.Tensor:
    return value.half() if kind == "fp16" else value.float() if kind == "fp32" else value


def _write(
    path: Path,
    ops: Ops,
    given: Sequence[torch.Tensor],
    dtypes: Sequence[str],
    target: str,
    alone: Sequence[str],
) -> Written:
    written = Written(path)

    def body(mb: Any, *inputs: Any) -> Any:
        outputs = []
        for name, (mil, _) in ops.items():
            constants = [
                mb.const(val=value.numpy().astype(NUMPY[kind]), name=f"{name}_in{at}")
                for at, (value, kind) in enumerate(zip(given, dtypes, strict=True))
            ]
            for into, values, suffix in (
                (written.results, inputs, ""),
                (written.constant, constants, "_of_constants"),
            ):
                if suffix and name in alone:
                    continue
                made = mil(mb, name + suffix, *values)
                made = list(made) if isinstance(made, tuple | list) else [made]
                into[name] = [one.name for one in made]
                outputs += made
                if suffix and all(one.val is not None for one in made):
                    written.second[name] = [one.val for one in made]
        return tuple(outputs)

    write(path, body, [one.shape for one in given], dtypes, target)
    return written


def _difference(found: torch.Tensor, right: torch.Tensor, half: bool) -> str:
    if tuple(found.shape) != tuple(right.shape):
        return f"shape {list(found.shape)}, not {list(right.shape)}"
    if not found.is_floating_point():
        return "" if torch.equal(found.long(), right.long()) else f"{found} is not {right}"
    tolerance = 2e-3 if half else 2e-5
    near = torch.allclose(
        found.double(), right.double(), rtol=tolerance, atol=tolerance, equal_nan=True
    )
    return "" if near else f"{found} is not {right}"
