"""Core ML through PyObjC, which lets other threads run during every message that it sends.

The calls are those of PyObjC's own metadata (pyobjc-framework-CoreML 12.2.2): an ``error``
argument is given None and comes back beside the result. All memory that Core ML reads or writes is
allocated by Objective-C, so that nothing of Python's is freed on a queue of Core ML's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from app.core.coreml_manifest import FeatureSpec, Units
from app.core.errors import (
    ModelIncomplete,
    ModelUnsupported,
    OutOfMemory,
    PredictionFailed,
)
from app.engine.coreml import compiled
from app.engine.coreml.bridge import Bridge
from app.engine.coreml.compute_plan import Shares, shares
from app.engine.coreml.part_names import part_of
from app.engine.coreml.runtime import Array

MAIN = "main"
_UNITS = {
    Units.CPU: "MLComputeUnitsCPUOnly",
    Units.CPU_AND_GPU: "MLComputeUnitsCPUAndGPU",
    Units.ALL: "MLComputeUnitsAll",
    Units.CPU_AND_NEURAL_ENGINE: "MLComputeUnitsCPUAndNeuralEngine",
}
_TYPES = {
    "float16": "MLMultiArrayDataTypeFloat16",
    "float32": "MLMultiArrayDataTypeFloat32",
    "int32": "MLMultiArrayDataTypeInt32",
}


class CoreMLRuntime:
    """``cache``: the folder of compiled packages. For one thread, and not the window's."""

    def __init__(self, bridge: Bridge, cache: Path) -> None:
        self._bridge = bridge
        self._cache = cache

    def open(self, path: Path, units: Units, function: str = MAIN) -> CoreMLModel:
        """As ``Runtime.open``. A package is compiled first, unless it is already.

        The first time on a unit and an OS build, macOS works for minutes here, and now and then
        it never comes back: see ``app.jobs.preparing``.
        """
        place = self.compile(path)
        part = part_of(path)
        with self._bridge.asking(part):
            loaded, error = self._bridge.coreml.MLModel.modelWithContentsOfURL_configuration_error_(
                self._bridge.url(place), self._configuration(path, units, function), None
            )
            if loaded is None:
                raise self._bridge.failure(part, path, error)
            return CoreMLModel(self._bridge, path, loaded)

    def compile(self, path: Path) -> Path:
        """The compiled form of ``path``, at its fixed place; made where it is not there yet.

        Raises ModelIncomplete, ModelDamaged, OutOfMemory, PredictionFailed("compile"), NoSpace,
        FolderNotWritable.
        """
        if not path.is_dir():
            raise ModelIncomplete(str(path.parent), (path.name,))
        if path.suffix == compiled.COMPILED:
            return path
        place = compiled.place_of(path, self._cache)
        if place.is_dir():
            return place
        part = part_of(path)
        with self._bridge.asking(part):
            made, error = self._bridge.coreml.MLModel.compileModelAtURL_error_(
                self._bridge.url(path), None
            )
            if made is None:
                failure = self._bridge.failure(part, path, error)
                if isinstance(failure, PredictionFailed):
                    raise PredictionFailed(part, "compile") from failure
                raise failure
            compiled.move_in(Path(str(made.path())), place)
        return place

    def plan(self, path: Path, units: Units, function: str = MAIN) -> Shares | None:
        """Which device does how much of the work; None where macOS does not say."""
        place = self.compile(path)
        with self._bridge.asking(part_of(path)):
            configuration = self._configuration(path, units, function)
            return shares(self._bridge, self._bridge.url(place), configuration, function)

    def _configuration(self, path: Path, units: Units, function: str) -> Any:
        coreml = self._bridge.coreml
        configuration = coreml.MLModelConfiguration.alloc().init()
        configuration.setComputeUnits_(getattr(coreml, _UNITS[units]))
        if function != MAIN:
            if not hasattr(configuration, "setFunctionName_"):
                raise ModelUnsupported(str(path), f"function {function} before macOS 15")
            configuration.setFunctionName_(function)
        return configuration


class CoreMLModel:
    """As ``Model``: one loaded MLModel, and the memory of its inputs."""

    def __init__(self, bridge: Bridge, path: Path, loaded: Any) -> None:
        self._bridge = bridge
        self._path = path
        self._part = part_of(path)
        self._types = {getattr(bridge.coreml, name): dtype for dtype, name in _TYPES.items()}
        description = loaded.modelDescription()
        takes = description.inputDescriptionsByName()
        self.inputs: Mapping[str, FeatureSpec] = self._specs(takes)
        self.outputs: Mapping[str, FeatureSpec] = self._specs(
            description.outputDescriptionsByName()
        )
        self._memory: dict[str, Array] = {}
        self._provider: Any = self._make_provider(takes)
        self._loaded: Any = loaded

    def predict(self, values: Mapping[str, Array]) -> dict[str, Array]:
        """As ``Model.predict``."""
        if self._loaded is None:
            raise RuntimeError("the model is closed")
        self._write(values)
        with self._bridge.asking(self._part):
            answers, error = self._loaded.predictionFromFeatures_error_(self._provider, None)
            if answers is None:
                raise self._bridge.failure(self._part, self._path, error)
            return {name: self._read(answers, spec) for name, spec in self.outputs.items()}

    def close(self) -> None:
        """As ``Model.close``."""
        with self._bridge.asking(self._part):
            self._memory.clear()
            self._provider = None
            self._loaded = None

    def _specs(self, descriptions: Any) -> dict[str, FeatureSpec]:
        """An output may say no shape: then its spec has ()."""
        specs = {}
        for key, about in descriptions.items():
            name, constraint = str(key), about.multiArrayConstraint()
            dtype = None if constraint is None else self._types.get(constraint.dataType())
            if constraint is None or dtype is None:
                raise ModelUnsupported(str(self._path), f"{name} is no array of numbers")
            shape = tuple(int(size) for size in constraint.shape())
            specs[name] = FeatureSpec(name, shape, dtype)
        return specs

    def _make_provider(self, descriptions: Any) -> Any:
        """The inputs' memory, allocated once, and what hands it to every prediction.

        Names and shapes are the objects that Core ML gave, not Python's: it reads them while it
        predicts, and would take Python's lock for ours.
        """
        coreml = self._bridge.coreml
        features = self._bridge.foundation.NSMutableDictionary.dictionary()
        for key, about in descriptions.items():
            spec, constraint = self.inputs[str(key)], about.multiArrayConstraint()
            array, _ = coreml.MLMultiArray.alloc().initWithShape_dataType_error_(
                constraint.shape(), constraint.dataType(), None
            )
            if array is None:
                raise OutOfMemory(_bytes(spec))
            features.setObject_forKey_(
                coreml.MLFeatureValue.featureValueWithMultiArray_(array), key
            )
            self._memory[spec.name] = _view(array, np.dtype(spec.dtype))
        provider, error = coreml.MLDictionaryFeatureProvider.alloc().initWithDictionary_error_(
            features, None
        )
        if provider is None:
            raise self._bridge.failure(self._part, self._path, error)
        return provider

    def _write(self, values: Mapping[str, Array]) -> None:
        """Raises PredictionFailed("input") before anything is written."""
        if values.keys() != self.inputs.keys():
            raise PredictionFailed(self._part, "input")
        for name, spec in self.inputs.items():
            if values[name].shape != spec.shape or values[name].dtype.kind not in "fiub":
                raise PredictionFailed(self._part, "input")
        with np.errstate(over="ignore", invalid="ignore"):  # the engine looks at what comes out
            for name, memory in self._memory.items():
                memory[...] = values[name]

    def _read(self, answers: Any, spec: FeatureSpec) -> Array:
        """A copy: the memory is Core ML's and goes with the autorelease pool."""
        value = answers.featureValueForName_(spec.name)
        array = None if value is None else value.multiArrayValue()
        dtype = None if array is None else self._types.get(array.dataType())
        if dtype is None:
            raise PredictionFailed(self._part, "output")
        there = _view(array, np.dtype(dtype))
        if spec.shape and there.shape != spec.shape:
            raise PredictionFailed(self._part, "output")
        return np.array(there, np.float32, order="C")


def _view(array: Any, dtype: np.dtype[Any]) -> Array:
    """The memory of an MLMultiArray as it lies there: rows may be padded. It stays Core ML's."""
    shape = [int(size) for size in array.shape()]
    strides = [int(items) for items in array.strides()]
    span = 1 + sum((size - 1) * items for size, items in zip(shape, strides, strict=True))
    memory = array.dataPointer().as_buffer(span * dtype.itemsize)
    flat = np.frombuffer(memory, dtype, span)
    return as_strided(flat, shape, [items * dtype.itemsize for items in strides])


def _bytes(spec: FeatureSpec) -> int:
    return int(np.prod(spec.shape)) * np.dtype(spec.dtype).itemsize
