"""Finds the model inside an .mlpackage by its Manifest.json.

Layout (``MLModel`` packages, format 1.0.0)::

    Manifest.json                               {"fileFormatVersion", "rootModelIdentifier",
                                                 "itemInfoEntries": {id: {"path", ...}}}
    Data/com.apple.CoreML/model.mlmodel         a protobuf
    Data/com.apple.CoreML/weights/weight.bin    what the protobuf calls @model_path/weights/...
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from app.convert.mil.blob import WeightFile
from app.convert.mil.definitions import parse_model
from app.core.errors import ModelDamaged, ModelIncomplete, ModelMissing, ModelUnsupported

MANIFEST = "Manifest.json"
_MODEL_PATH = "@model_path"
_MAX_MANIFEST = 1 << 20
_MAX_MODEL = 256 << 20
"""Bytes; the program of SDXL's UNet, with all attention split, has 3 MB."""


@dataclass(frozen=True, slots=True)
class Package:
    """An opened package: ``spec`` is coremltools' ``Model`` message, with an ML Program in it."""

    path: Path
    model_file: Path
    spec: Any
    weights: dict[str, WeightFile]

    def weight_file(self, name: str) -> WeightFile:
        """The file that a program calls ``name``, opened once.

        Raises ModelDamaged ("mismatch": it is outside the package), ModelIncomplete.
        """
        if name not in self.weights:
            first, *rest = PurePosixPath(name).parts or ("",)
            if first != _MODEL_PATH or not rest:
                raise ModelDamaged(str(self.model_file), "mismatch")
            inside = self.path / "Data"
            file = _within(inside, self.model_file.parent.joinpath(*rest), self.model_file)
            self.weights[name] = WeightFile(file)
        return self.weights[name]


def open_package(path: Path) -> Package:
    """Raises ModelMissing, ModelIncomplete, ModelDamaged, ModelUnsupported."""
    if not path.is_dir():
        raise ModelMissing(str(path))
    manifest = path / MANIFEST
    if not manifest.is_file():
        kind = "Core ML model compiled for macOS" if (path / "coremldata.bin").exists() else ""
        if kind:
            raise ModelUnsupported(str(path), kind)
        raise ModelIncomplete(str(path), (MANIFEST,))
    file = _root_model(path, manifest)
    spec = parse_model(_read(file, _MAX_MODEL), str(file))
    found = spec.WhichOneof("Type")
    if found is None:
        raise ModelDamaged(str(file), "truncated")
    if found != "mlProgram":
        raise ModelUnsupported(str(path), f"Core ML {found}")
    return Package(path, file, spec, {})


def _root_model(path: Path, manifest: Path) -> Path:
    """The model that the manifest names as the package's own."""
    try:
        data = json.loads(_read(manifest, _MAX_MANIFEST))
    except (ValueError, RecursionError) as error:
        raise ModelDamaged(str(manifest), "not JSON") from error
    try:
        named = data["itemInfoEntries"][data["rootModelIdentifier"]]["path"]
        relative = PurePosixPath(named)
    except (KeyError, TypeError) as error:
        raise ModelDamaged(str(manifest), "mismatch") from error
    file = _within(path / "Data", path / "Data" / relative, manifest)
    if not file.is_file():
        raise ModelIncomplete(str(path), (f"Data/{relative}",))
    return file


def _within(folder: Path, file: Path, speaker: Path) -> Path:
    """``file``, if it is inside ``folder`` with every link followed; else ``speaker`` lies."""
    try:
        resolved = file.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a circle of links, a NUL in the name
        raise ModelDamaged(str(speaker), "mismatch") from error
    if not resolved.is_relative_to(folder.resolve()):
        raise ModelDamaged(str(speaker), "mismatch")
    return file


def _read(file: Path, limit: int) -> bytes:
    if file.stat().st_size > limit:
        raise ModelDamaged(str(file), "mismatch")
    return file.read_bytes()
