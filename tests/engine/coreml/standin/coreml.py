"""The classes of Core ML that the runtime meets; what models answer comes from the ``World``."""

from __future__ import annotations

import math
import shutil
import tempfile
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np

from tests.engine.coreml.standin.foundation import NSURL, NSMutableDictionary
from tests.engine.coreml.standin.messages import TABLE, Fault, NSObject

CONSTANTS: dict[str, int] = TABLE["constants"]
DTYPES = {
    CONSTANTS["MLMultiArrayDataTypeFloat16"]: "float16",
    CONSTANTS["MLMultiArrayDataTypeFloat32"]: "float32",
    CONSTANTS["MLMultiArrayDataTypeDouble"]: "float64",
    CONSTANTS["MLMultiArrayDataTypeInt32"]: "int32",
}
CODES = {name: code for code, name in DTYPES.items()}
NOT_FINITE = 0xFF
"""Freed memory is filled with it: as float16 and float32 it is NaN, as int32 -1."""


class Memory:
    """What ``dataPointer`` gives: memory of Objective-C's whose length Python cannot know."""

    def __init__(self, data: bytearray) -> None:
        self._data = data

    def as_buffer(self, count: int) -> memoryview:
        if count > len(self._data):
            raise AssertionError("read past the end of Core ML's memory")
        return memoryview(self._data)[:count]


def _free(data: bytearray, dangling: list[int]) -> None:
    """Write down whether somebody could still read or write it."""
    try:
        data.append(NOT_FINITE)
    except BufferError:
        dangling.append(len(data))
    data[:] = bytes([NOT_FINITE]) * len(data)


class MLMultiArray(NSObject):
    """Its last rows are ``World.padding`` items longer than they say."""

    _shape: Any
    _dtype: int
    _data: bytearray

    def initWithShape_dataType_error_(self, shape: Any, dtype: int) -> MLMultiArray:  # noqa: N802
        if not isinstance(shape, self.world.classes["NSArray"]):
            raise AssertionError("a list of Python's: Core ML would read it through Python's lock")
        if self.world.no_memory:
            raise Fault("com.apple.CoreML", 0, "could not allocate")
        self._shape, self._dtype = shape, dtype
        items = math.prod(tuple(shape)[:-1]) * (tuple(shape)[-1] + self.world.padding)
        self._data = bytearray(items * np.dtype(DTYPES[dtype]).itemsize)
        weakref.finalize(self, _free, self._data, self.world.dangling).atexit = False
        self.world.arrays.add(self)
        return self

    def shape(self) -> Any:
        return self._shape

    def strides(self) -> Any:
        rows = [1]
        for size in reversed(tuple(self._shape)[1:]):
            rows.append(rows[-1] * (size + self.world.padding * (len(rows) == 1)))
        return self.world.array(tuple(reversed(rows)))

    def dataType(self) -> int:  # noqa: N802
        return self._dtype

    def dataPointer(self) -> Memory:  # noqa: N802
        return Memory(self._data)

    def _values(self) -> Any:
        """The numbers, as Core ML itself sees them."""
        dtype = np.dtype(DTYPES[self._dtype])
        strides = [items * dtype.itemsize for items in self.strides()]
        return np.ndarray(tuple(self._shape), dtype, self._data, 0, strides)


class MLMultiArrayConstraint(NSObject):
    _about: tuple[tuple[int, ...], str]

    def shape(self) -> Any:
        return self.world.array(self._about[0])

    def dataType(self) -> int:  # noqa: N802
        return CODES[self._about[1]]


class MLFeatureDescription(NSObject):
    """Of a picture where its dtype is ""."""

    _about: tuple[tuple[int, ...], str]

    def multiArrayConstraint(self) -> Any:  # noqa: N802
        if not self._about[1]:
            return None
        made = self.world.classes["MLMultiArrayConstraint"].alloc()
        made._about = self._about
        return made


class MLModelDescription(NSObject):
    _takes: dict[str, tuple[tuple[int, ...], str]]
    _gives: dict[str, tuple[tuple[int, ...], str]]

    def inputDescriptionsByName(self) -> Any:  # noqa: N802
        return self._described(self._takes)

    def outputDescriptionsByName(self) -> Any:  # noqa: N802
        return self._described(self._gives)

    def _described(self, features: dict[str, tuple[tuple[int, ...], str]]) -> Any:
        rows = {}
        for name, about in features.items():
            rows[name] = self.world.classes["MLFeatureDescription"].alloc()
            rows[name]._about = about
        return self.world.classes["NSMutableDictionary"]._of(rows)


class MLFeatureValue(NSObject):
    _array: Any

    @classmethod
    def featureValueWithMultiArray_(cls, array: MLMultiArray) -> MLFeatureValue:  # noqa: N802
        made = cls.__new__(cls)
        made._array = array
        return made

    def multiArrayValue(self) -> Any:  # noqa: N802
        return self._array


class MLDictionaryFeatureProvider(NSObject):
    _values: dict[str, MLFeatureValue]

    def initWithDictionary_error_(self, rows: Any) -> MLDictionaryFeatureProvider:  # noqa: N802
        if not isinstance(rows, self.world.classes["NSMutableDictionary"]):
            raise AssertionError("a dict of Python's: Core ML would read it through Python's lock")
        if self.world.no_provider:
            raise Fault("com.apple.CoreML", 0, "no provider today")
        self._values = dict(rows.items())
        return self

    def featureValueForName_(self, name: str) -> Any:  # noqa: N802
        return self._values.get(name)


class MLModelConfiguration(NSObject):
    _units: int | None = None
    _function: str = ""

    def setComputeUnits_(self, units: int) -> None:  # noqa: N802
        self._units = units

    def setFunctionName_(self, name: str) -> None:  # noqa: N802
        self._function = name


class MLModel(NSObject):
    _path: Path
    _units: int
    _function: str

    @classmethod
    def compileModelAtURL_error_(cls, url: NSURL) -> Any:  # noqa: N802
        """Into the temporary folder, as Core ML does; what it finds there it copies."""
        package = Path(url.path())
        cls.world.refuse("compile")
        made = Path(tempfile.mkdtemp(dir=cls.world.temporary)) / f"{package.stem}.mlmodelc"
        shutil.copytree(package, made)
        cls.world.made += [file.stat().st_ino for file in made.iterdir()]
        return cls.world.classes["NSURL"].fileURLWithPath_(str(made))

    @classmethod
    def modelWithContentsOfURL_configuration_error_(cls, url: NSURL, how: Any) -> Any:  # noqa: N802
        if not url.path().endswith(".mlmodelc"):
            raise Fault("com.apple.CoreML", 3, "not a compiled model")
        cls.world.refuse("load")
        cls.world.models.describe(Path(url.path()), how._function)
        made = cls.__new__(cls)
        made._path, made._units, made._function = Path(url.path()), how._units, how._function
        cls.world.loaded.append((made._path, how._units, how._function))
        cls.world.living.add(made)
        return made

    def modelDescription(self) -> Any:  # noqa: N802
        made = self.world.classes["MLModelDescription"].alloc()
        made._takes, made._gives = self.world.models.describe(self._path, self._function)
        return made

    def predictionFromFeatures_error_(self, provider: Any) -> Any:  # noqa: N802
        self.world.refuse("predict")
        takes, _ = self.world.models.describe(self._path, self._function)
        inputs = {n: provider.featureValueForName_(n).multiArrayValue()._values() for n in takes}
        answers = self.world.models.answer(self._path, self._function, self._units, inputs)
        rows = self.world.classes["NSMutableDictionary"]._of({})
        for name, values in answers.items():
            rows.setObject_forKey_(self._feature(values), name)
        kind = self.world.classes["MLDictionaryFeatureProvider"]
        return kind.alloc().initWithDictionary_error_(rows, None)[0]

    def _feature(self, values: Any) -> Any:
        classes = self.world.classes
        if values is None:
            array = None
        else:
            shape = self.world.array(values.shape)
            code = CODES[str(values.dtype)]
            array = (
                classes["MLMultiArray"].alloc().initWithShape_dataType_error_(shape, code, None)[0]
            )
            array._values()[...] = values
        return classes["MLFeatureValue"].featureValueWithMultiArray_(array)


class MLComputePlan(NSObject):
    """Its operations are (device or None, cost or None) as ``World.plan`` has them."""

    _functions: dict[str, list[tuple[str | None, float | None]]]

    @classmethod
    def loadContentsOfURL_configuration_completionHandler_(  # noqa: N802
        cls, url: NSURL, how: Any, handler: Any
    ) -> None:
        cls.world.planned.append((Path(url.path()), how._units, how._function))
        if cls.world.plan is None:
            handler(None, cls.world.classes["NSError"]._of(Fault("com.apple.CoreML", 0, "none")))
            return
        made = cls.__new__(cls)
        made._functions = cls.world.plan
        if cls.world.plan_in_time:
            later = threading.Timer(0.01, handler, (made, None))
            later.start()

    def modelStructure(self) -> Any:  # noqa: N802
        return self._made("MLModelStructure", self._functions)

    def computeDeviceUsageForMLProgramOperation_(self, operation: Any) -> Any:  # noqa: N802
        device = operation._about[0]
        return None if device is None else self._made("MLComputePlanDeviceUsage", device)

    def estimatedCostOfMLProgramOperation_(self, operation: Any) -> Any:  # noqa: N802
        cost = operation._about[1]
        return None if cost is None else self._made("MLComputePlanCost", cost)

    def _made(self, kind: str, about: Any) -> Any:
        made = self.world.classes[kind].alloc()
        made._about = about
        return made


class MLModelStructure(NSObject):
    """Of no program where the world's plan is {}: a neural network, or a pipeline."""

    _about: dict[str, Any]

    def program(self) -> Any:
        if not self._about:
            return None
        made = self.world.classes["MLModelStructureProgram"].alloc()
        made._about = self._about
        return made


class MLModelStructureProgram(NSObject):
    _about: dict[str, Any]

    def functions(self) -> NSMutableDictionary:
        rows = {}
        for name, operations in self._about.items():
            rows[name] = self.world.classes["MLModelStructureProgramFunction"].alloc()
            rows[name]._about = operations
        return self.world.classes["NSMutableDictionary"]._of(rows)  # type: ignore[no-any-return]


class MLModelStructureProgramFunction(NSObject):
    _about: list[Any]

    def block(self) -> Any:
        made = self.world.classes["MLModelStructureProgramBlock"].alloc()
        made._about = self._about
        return made


class MLModelStructureProgramBlock(NSObject):
    _about: list[Any]

    def operations(self) -> Any:
        made = []
        for about in self._about:
            made.append(self.world.classes["MLModelStructureProgramOperation"].alloc())
            made[-1]._about = about
        return self.world.array(tuple(made))


class MLModelStructureProgramOperation(NSObject):
    _about: tuple[str | None, float | None]


class MLComputePlanDeviceUsage(NSObject):
    _about: str

    def preferredComputeDevice(self) -> Any:  # noqa: N802
        return self.world.classes[self._about].alloc() if self._about else None


class MLComputePlanCost(NSObject):
    _about: float

    def weight(self) -> float:
        return self._about


class MLNeuralEngineComputeDevice(NSObject):
    pass


class MLGPUComputeDevice(NSObject):
    pass


class MLCPUComputeDevice(NSObject):
    pass
