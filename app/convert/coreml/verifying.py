"""Runs the packages of a converted folder, and holds what they answer against what torch did.

It executes the packages' own bytes on any system, in a limited child.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app.core.coreml_manifest import FILE_NAME, CoreMLManifest, Part, Units, from_json
from app.core.errors import ConversionRefused, ModelDamaged, ModelMissing

LEAST_COSINE = 0.999
"""As the self-test on a Mac asks of the GPU."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One answer: peak signal to noise in dB, and the cosine of the angle to what torch said."""

    part: str
    output: str
    psnr: float
    cosine: float

    @property
    def holds(self) -> bool:
        return self.cosine >= LEAST_COSINE


def verify_folder(
    folder: Path, report: Callable[[Compared], None], cancelled: Callable[[], bool]
) -> tuple[Compared, ...] | None:
    """Each answer of each part; None when it was stopped.

    Raises ModelMissing, ModelDamaged, PredictionFailed, and ConversionRefused ("failed") where an
    answer is another one.
    """
    manifest = read_manifest(folder)
    compared: list[Compared] = []
    for part, spec in manifest.parts.items():
        if cancelled():
            return None
        for found in compare(folder / spec.file, folder / spec.golden, part):
            report(found)
            compared.append(found)
    if not all(one.holds for one in compared):
        raise ConversionRefused(manifest.title, "failed")
    return tuple(compared)


def read_manifest(folder: Path) -> CoreMLManifest:
    """Raises ModelMissing, ModelDamaged."""
    file = folder / FILE_NAME
    try:
        return from_json(file.read_text("utf-8"))
    except OSError as error:
        raise ModelMissing(str(folder)) from error
    except (ValueError, TypeError, KeyError) as error:
        raise ModelDamaged(str(file), "not JSON") from error


def compare(
    package: Path, golden: Path, part: Part, mode: Literal["fp32", "typed"] = "typed"
) -> list[Compared]:
    """Each answer of ``package`` to the question in ``golden``.

    ``mode`` "fp32" proves the graph; "typed" rounds every result to its declared type. Raises
    ModelError, PredictionFailed, OutOfMemory.
    """
    import numpy as np

    from app.convert.coreml.golden import ANSWER
    from app.convert.mil.runtime import InterpretedRuntime

    with np.load(golden, allow_pickle=False) as stored:
        kept = dict(stored)
    model = InterpretedRuntime(mode).open(package, Units.CPU)
    try:
        said = model.predict({name: kept[name] for name in model.inputs})
    finally:
        model.close()
    return [
        Compared(part.value, name, *likeness(value, kept[ANSWER + name]))
        for name, value in said.items()
    ]


def likeness(found: Any, wanted: Any) -> tuple[float, float]:
    """PSNR in dB (of the largest value wanted) and cosine of two arrays of one shape."""
    import numpy as np

    one, other = found.astype(np.float64).ravel(), wanted.astype(np.float64).ravel()
    error = float(np.sqrt(np.mean((one - other) ** 2)))
    peak = float(np.abs(other).max())
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    cosine = float(one @ other) / lengths if lengths else 0.0
    if not math.isfinite(error):
        return -math.inf, 0.0
    return (20 * math.log10(peak / error) if error and peak else math.inf), cosine
