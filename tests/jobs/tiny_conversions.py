"""A tiny model and what the converter makes of it, on the disk, as they are installed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from app.convert.coreml.converting import ConversionOptions
from app.core.coreml_manifest import STEMS, Part
from app.core.model import Model
from app.engine.coreml.model import read_coreml_model
from app.engine.model_folder import read_model
from app.jobs.converting import convert
from tests.convert.coreml.tinier import write_tinier

SCHEDULE = {
    "_class_name": "DDIMScheduler",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
    "set_alpha_to_one": False,
    "prediction_type": "epsilon",
}
"""Stable Diffusion's: random weights on a steeper one leave the numbers that pictures have."""


def write_source(family: str, folder: Path) -> Model:
    """A tiny model in diffusers layout."""
    write_tinier(family, folder)
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(SCHEDULE), "utf-8")
    return read_model(folder)


def convert_source(source: Model, target: Path, bits: int = 16) -> Model:
    """``source`` as Core ML packages in the new folder ``target``, made in a child."""
    options = ConversionOptions(bits=bits, title=source.title)
    made = convert(Path(source.folder), target, options, lambda _: None, lambda: False)
    assert made is not None
    return read_coreml_model(target)


def plant_nan(folder: Path, part: Part = Part.UNET) -> None:
    """Make numbers in the middle of a package's weight file NaN."""
    inside = folder / f"{STEMS[part]}.mlpackage" / "Data" / "com.apple.CoreML" / "weights"
    weights = inside / "weight.bin"
    numbers = np.frombuffer(weights.read_bytes(), np.float16).copy()
    at = len(numbers) // 2
    numbers[at : at + 16] = np.nan
    weights.write_bytes(numbers.tobytes())
