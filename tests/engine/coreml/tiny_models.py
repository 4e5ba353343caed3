"""A folder of make-believe models with a coreml.json, and backends that go wrong on purpose."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from app.core.coreml_manifest import (
    CoreMLManifest,
    FeatureSpec,
    FunctionSpec,
    Part,
    PartSpec,
    Units,
    to_json,
)
from app.core.model import Family
from app.engine.coreml.backend import Backend
from app.engine.coreml.chunks import ChunkedRuntime
from app.engine.coreml.pyobjc_runtime import CoreMLRuntime
from tests.engine.coreml.standin.world import Fault, Features, World
from tests.engine.coreml.tiny_packages import UNET, TinyModels, write_package

TEXT: dict[str, tuple[Features, Features]] = {
    "": ({"input_ids": ((1, 7), "int32")}, {"last_hidden_state": ((1, 7, 8), "float16")})
}
DECODER: dict[str, tuple[Features, Features]] = {
    "": ({"z": ((1, 4, 8, 8), "float16")}, {"image": ((1, 3, 64, 64), "float16")})
}
FUNCTIONS = {Part.UNET: UNET, Part.TEXT_ENCODER: TEXT, Part.VAE_DECODER: DECODER}
FILES = {
    Part.UNET: "Unet.mlpackage",
    Part.TEXT_ENCODER: "TextEncoder.mlpackage",
    Part.VAE_DECODER: "VAEDecoder.mlpackage",
}
ALL_UNITS = (Units.CPU_AND_NEURAL_ENGINE, Units.CPU_AND_GPU, Units.CPU)
PLAN: dict[str, list[tuple[str | None, float | None]]] = {
    "main": [("MLNeuralEngineComputeDevice", 94.0), ("MLCPUComputeDevice", 6.0)]
}


def tiny_folder(folder: Path, **changed: Any) -> Path:
    """``changed``: fields of the UNet's ``PartSpec`` that say something else."""
    folder.mkdir(parents=True)
    parts = {}
    for part, functions in FUNCTIONS.items():
        write_package(folder / FILES[part], functions)
        takes, gives = functions[""]
        function = FunctionSpec("main", _specs(takes), _specs(gives), 64, 64, 2)
        parts[part] = PartSpec(FILES[part], (function,), ALL_UNITS)
    if changed:
        spec = parts[Part.UNET]
        fields = {name: getattr(spec, name) for name in spec.__dataclass_fields__}
        parts[Part.UNET] = PartSpec(**{**fields, **changed})
    (folder / "tokenizer").mkdir()
    for name in ("vocab.json", "merges.txt"):
        (folder / "tokenizer" / name).write_text("{}", "utf-8")
    manifest = CoreMLManifest("Tiny", Family.SD1, parts, {}, 4, 0.18215, 8)
    (folder / "coreml.json").write_text(to_json(manifest), "utf-8")
    return folder


def _specs(features: Features) -> tuple[FeatureSpec, ...]:
    return tuple(FeatureSpec(name, shape, dtype) for name, (shape, dtype) in features.items())


class Wrong(TinyModels):
    """Models that break one thing of the UNet where ``units`` is not the CPU's."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    def answer(
        self, path: Path, function: str, units: int, inputs: Mapping[str, Any]
    ) -> dict[str, Any]:
        answers = super().answer(path, function, units, inputs)
        everywhere = self.how.startswith("everywhere ")
        if "noise_pred" not in answers or (units == 0 and not everywhere):
            return answers
        value = answers["noise_pred"]
        match self.how.removeprefix("everywhere "):
            case "nan":
                value[0, 0, 0, 0] = np.nan
            case "noise":
                value = np.random.default_rng(3).standard_normal(value.shape).astype(value.dtype)
            case "zeros":
                value = np.zeros_like(value)
            case "slightly off":  # a cosine of about 0.995
                noise = np.random.default_rng(3).standard_normal(value.shape)
                value = value + (0.1 * np.std(value) * noise).astype(value.dtype)
            case "shape":
                value = value[:, :, :4]
            case "missing":
                return {}
        return {"noise_pred": value}


def standin(cache: Path, how: str = "", *, plan: bool = False, stages: bool = False) -> Backend:
    """Picklable with ``functools.partial``: a Core ML of make-believe in whatever process."""
    temporary = Path(tempfile.mkdtemp(dir=_made(cache.parent / "temporary")))
    world = World(Wrong(how), temporary, plan=PLAN if plan else None)
    match how:
        case "compile":
            world.faults["compile"] = Fault("com.apple.CoreML", 0, "no compiler today")
        case "load":
            world.faults["load"] = Fault("com.apple.CoreML", 0, "no load today")
        case "memory":
            world.faults["load"] = Fault("NSPOSIXErrorDomain", 12, "Cannot allocate memory")
    runtime = CoreMLRuntime(world.bridge, cache)
    opened: Any = _Ending(runtime, how) if how in ("hang", "crash", "greedy") else runtime
    if stages:
        opened = _Slow(runtime)
    return Backend(ChunkedRuntime(opened), runtime)


class _Ending:
    """Does not come back from a load that is not for the CPU alone."""

    def __init__(self, runtime: CoreMLRuntime, how: str) -> None:
        self._runtime = runtime
        self._how = how

    def open(self, path: Path, units: Units, function: str = "main") -> Any:
        if units is not Units.CPU:
            if self._how == "hang":
                time.sleep(600)
            if self._how == "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            bytearray(64 << 30)
        return self._runtime.open(path, units, function)


class _Slow:
    """Takes a while to load, so that a Stop finds it at work."""

    def __init__(self, runtime: CoreMLRuntime) -> None:
        self._runtime = runtime

    def open(self, path: Path, units: Units, function: str = "main") -> Any:
        time.sleep(0.3)
        return self._runtime.open(path, units, function)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
