"""Writes selectors.json: what PyObjC's own metadata says of the selectors that the stand-in has.

    python tests/engine/coreml/standin/extract.py WHEEL...

with the macOS wheels of pyobjc-framework-CoreML and pyobjc-framework-Cocoa, which any system can
download (``pip download --no-deps --only-binary=:all: --platform macosx_10_9_universal2
--python-version 3.11 pyobjc-framework-CoreML==12.2.2 pyobjc-framework-Cocoa==12.2.2``).

Metadata tells what a bridge cannot see in Objective-C's own type strings: which arguments are
errors that come back, which are blocks, which results are memory. A selector without any of these
is in no metadata: its row says "headers", which are Apple's, and the number of its colons is all
that is to be known of it.
"""

from __future__ import annotations

import json
import re
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("selectors.json")

SELECTORS = {
    "MLModel": (
        "+modelWithContentsOfURL:configuration:error:",
        "+compileModelAtURL:error:",
        "-predictionFromFeatures:error:",
        "-modelDescription",
    ),
    "MLModelConfiguration": ("-setComputeUnits:", "-setFunctionName:"),
    "MLModelDescription": ("-inputDescriptionsByName", "-outputDescriptionsByName"),
    "MLFeatureDescription": ("-multiArrayConstraint",),
    "MLMultiArrayConstraint": ("-shape", "-dataType"),
    "MLMultiArray": (
        "-initWithShape:dataType:error:",
        "-shape",
        "-strides",
        "-dataType",
        "-dataPointer",
    ),
    "MLFeatureValue": ("+featureValueWithMultiArray:", "-multiArrayValue"),
    "MLDictionaryFeatureProvider": ("-initWithDictionary:error:", "-featureValueForName:"),
    "MLComputePlan": (
        "+loadContentsOfURL:configuration:completionHandler:",
        "-modelStructure",
        "-computeDeviceUsageForMLProgramOperation:",
        "-estimatedCostOfMLProgramOperation:",
    ),
    "MLModelStructure": ("-program",),
    "MLModelStructureProgram": ("-functions",),
    "MLModelStructureProgramFunction": ("-block",),
    "MLModelStructureProgramBlock": ("-operations",),
    "MLModelStructureProgramOperation": (),
    "MLComputePlanDeviceUsage": ("-preferredComputeDevice",),
    "MLComputePlanCost": ("-weight",),
    "MLNeuralEngineComputeDevice": (),
    "MLGPUComputeDevice": (),
    "MLCPUComputeDevice": (),
    "NSObject": ("+alloc", "-init", "-isKindOfClass:"),
    "NSURL": ("+fileURLWithPath:", "-path"),
    "NSError": ("-domain", "-code", "-localizedDescription"),
    "NSMutableDictionary": ("+dictionary", "-setObject:forKey:", "-objectForKey:"),
    "NSArray": (),
}
CONSTANTS = (
    "MLComputeUnitsCPUOnly",
    "MLComputeUnitsCPUAndGPU",
    "MLComputeUnitsAll",
    "MLComputeUnitsCPUAndNeuralEngine",
    "MLMultiArrayDataTypeFloat16",
    "MLMultiArrayDataTypeFloat32",
    "MLMultiArrayDataTypeDouble",
    "MLMultiArrayDataTypeInt32",
    "MLModelErrorGeneric",
    "MLModelErrorIO",
)
NAMES = ("MLModelErrorDomain", "NSPOSIXErrorDomain")
"""Constants that are strings: the metadata lists them without their values."""


class Recorder(types.ModuleType):
    """An ``objc`` that writes down what a framework's metadata registers."""

    def __init__(self) -> None:
        super().__init__("objc")
        self.arch = "arm64"
        self.found: dict[tuple[str, str], dict[str, Any]] = {}

    def registerMetaDataForSelector(self, cls: bytes, selector: bytes, data: Any) -> None:  # noqa: N802
        self.found[cls.decode(), selector.decode()] = data

    def __getattr__(self, _name: str) -> Any:
        return lambda *_, **__: None


def read(wheel: Path) -> tuple[Recorder, dict[str, int], set[str]]:
    """The selectors, numbers and names in the metadata of one framework's wheel."""
    recorder = Recorder()
    with zipfile.ZipFile(wheel) as opened:
        wanted = r"(CoreML|Foundation)/_metadata\.py"
        file = next(name for name in opened.namelist() if re.fullmatch(wanted, name))
        code = opened.read(file).decode("utf-8")
    space: dict[str, Any] = {}
    sys.modules["objc"] = recorder
    exec(compile(code, file, "exec"), space)
    numbers = dict(re.findall(r"\$(\w+)@(-?\d+)", space["enums"]))
    names = {name.split("@")[0] for name in space["constants"].split("$")}
    return recorder, {name: int(value) for name, value in numbers.items()}, names


def row(data: dict[str, Any] | None) -> dict[str, Any]:
    """What the table keeps of one selector; arguments are counted from 0, without self and _cmd."""
    if data is None:
        return {"from": "headers"}
    arguments = data.get("arguments", {})
    out = [at - 2 for at, about in arguments.items() if about.get("type_modifier") == b"o"]
    blocks = [at - 2 for at, about in arguments.items() if "callable" in about]
    kept: dict[str, Any] = {"from": "wheel", "out": out, "blocks": blocks}
    if data.get("retval", {}).get("c_array_of_variable_length"):
        kept["result"] = "memory of unknown length"
    return kept


def main(wheels: list[Path]) -> None:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    numbers: dict[str, int] = {}
    names: set[str] = set()
    for wheel in wheels:
        recorder, values, strings = read(wheel)
        found |= recorder.found
        numbers |= values
        names |= strings
    missing = [name for name in NAMES if name not in names]
    if missing:
        raise SystemExit(f"not in the metadata: {missing}")
    table = {
        "origin": [wheel.name for wheel in wheels],
        "constants": {name: numbers[name] for name in CONSTANTS},
        "names": list(NAMES),
        "selectors": {
            cls: {one: row(found.get((cls, one[1:]))) for one in selectors}
            for cls, selectors in SELECTORS.items()
        },
    }
    for cls, rows in table["selectors"].items():
        for selector, about in rows.items():
            if selector.endswith("rror:") and not about.get("out"):
                raise SystemExit(f"{cls} {selector}: the metadata knows no error to come back")
    TABLE.write_text(json.dumps(table, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
