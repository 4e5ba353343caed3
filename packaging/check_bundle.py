"""Looks an Easel.app over before anybody gets it. Works on a Mac and on Linux.

    python packaging/check_bundle.py [--skeleton] Easel.app

``--skeleton``: the program's own code is not in it (the bundle that Linux makes for its tests).
Prints one line a fault and exits 1; nothing found is exit 0.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import plistlib
import sys
from collections.abc import Iterator
from pathlib import Path

import freeze_config as config
import lief
import mach_o

ENTITLEMENTS = (
    "com.apple.security.cs.allow-jit",
    "com.apple.security.cs.allow-unsigned-executable-memory",
    "com.apple.security.cs.disable-library-validation",
)
SHIPPED = (
    "resources/licenses/CreativeML-OpenRAIL-M.txt",
    "models/starter/model_index.json",
    "models/starter/unet/diffusion_pytorch_model.safetensors",
    "models/catalog/starter.toml",
    "NOTICE",
    "LICENSE",
)
LIBRARIES = ("libcoremlpython.so", "libmilstoragepython.so", "libmodelpackage.so")
"""coremltools' own: without them it installs and imports, and can do nothing."""


def faults(app: Path, skeleton: bool = False) -> Iterator[str]:
    """Every fault of the bundle ``app``, in words."""
    contents = app / "Contents"
    if not (contents / "Info.plist").is_file():
        yield "Contents/Info.plist is missing: this is no bundle"
        return
    plist = plistlib.loads((contents / "Info.plist").read_bytes())
    executable = contents / "MacOS" / str(plist.get("CFBundleExecutable", ""))
    yield from _plist(plist)
    yield from _links(app)
    binaries = [file for file in _files(app) if mach_o.is_mach_o(file)]
    yield from _binaries(app, binaries)
    yield from _seal(app, contents)
    yield from _signature(executable)
    if not skeleton:
        yield from _shipped(contents, binaries)


def _plist(plist: dict[str, object]) -> Iterator[str]:
    wanted = {
        "CFBundleIdentifier": config.IDENTIFIER,
        "CFBundleName": config.NAME,
        "LSMinimumSystemVersion": config.MINIMUM_MACOS,
        "NSHighResolutionCapable": True,
        "NSRequiresAquaSystemAppearance": False,
    }
    for key, value in wanted.items():
        if plist.get(key) is not value and plist.get(key) != value:
            yield f"Info.plist: {key} is {plist.get(key)!r}, not {value!r}"
        elif isinstance(value, bool) and not isinstance(plist.get(key), bool):
            yield f"Info.plist: {key} is no boolean"
    for key in ("CFBundleShortVersionString", "CFBundleVersion", "CFBundleExecutable"):
        if not plist.get(key):
            yield f"Info.plist: {key} is missing"


def _files(app: Path) -> Iterator[Path]:
    return (path for path in sorted(app.rglob("*")) if path.is_file() and not path.is_symlink())


def _links(app: Path) -> Iterator[str]:
    inside = app.resolve()
    for path in sorted(app.rglob("*")):
        if path.is_symlink():
            if not path.exists():
                yield f"{path.relative_to(app)} is a link to nothing"
            elif not path.resolve().is_relative_to(inside):
                yield f"{path.relative_to(app)} is a link out of the bundle"


def _binaries(app: Path, binaries: list[Path]) -> Iterator[str]:
    floor = mach_o.version(config.MINIMUM_MACOS)
    openmp = {file.name for file in binaries if "omp" in file.stem.lower().split(".")[0]}
    runtimes = sorted(file for file in binaries if file.name.startswith(("libomp", "libiomp")))
    if len(runtimes) > 1:
        names = ", ".join(str(file.relative_to(app)) for file in runtimes)
        yield f"more than one OpenMP: {names}"
    del openmp
    for file in binaries:
        name = file.relative_to(app)
        slices = mach_o.slices(file)
        if "arm64" not in slices:
            yield f"{name} has no arm64 code"
            continue
        facts = slices["arm64"]
        if facts.minimum > floor and not mach_o.allowed_later(file.name, facts):
            least = ".".join(str(part) for part in facts.minimum)
            yield f"{name} needs macOS {least}; the floor is {config.MINIMUM_MACOS}"
        for symbol in facts.late_symbols:
            yield f"{name} needs {symbol}, which macOS {config.MINIMUM_MACOS} has not"
        for library in facts.foreign:
            yield f"{name} wants {library}, which is on no other Mac"


def _seal(app: Path, contents: Path) -> Iterator[str]:
    """Each file is what the signature's list of resources says it is."""
    listing = contents / "_CodeSignature" / "CodeResources"
    if not listing.is_file():
        yield "the bundle is not signed: Contents/_CodeSignature is missing"
        return
    listed = plistlib.loads(listing.read_bytes()).get("files2", {})
    for name, entry in listed.items():
        file = contents / name
        if not isinstance(entry, dict):
            continue
        if "symlink" in entry:
            if not file.is_symlink():
                yield f"{name} is no link any more"
        elif "hash2" in entry:
            if not file.is_file():
                yield f"{name} is missing"
            elif hashlib.sha256(file.read_bytes()).digest() != entry["hash2"]:
                yield f"{name} is not what was signed"
    sealed = set(listed)
    for file in _files(contents / "Resources"):
        name = file.relative_to(contents).as_posix()
        if name not in sealed:
            yield f"{name} was added after signing"


def _signature(executable: Path) -> Iterator[str]:
    if not executable.is_file():
        yield f"the program {executable.name!r} is missing"
        return
    signature = mach_o.signature(executable)
    if signature is None:
        yield "the program is not signed"
        return
    if not signature.hardened:
        yield "the program is not signed for the hardened runtime"
    for entitlement in ENTITLEMENTS:
        if signature.entitlements.get(entitlement) is not True:
            yield f"the entitlement {entitlement} is missing"


def _shipped(contents: Path, binaries: list[Path]) -> Iterator[str]:
    places = (contents / "Resources", contents / "Frameworks")
    for name in SHIPPED:
        if not any((place / name).exists() for place in places):
            yield f"{name} is not in the bundle"
    names = {file.name for file in binaries}
    for library in LIBRARIES:
        if library not in names:
            yield f"coremltools' {library} is not in the bundle"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("app", type=Path)
    parser.add_argument("--skeleton", action="store_true")
    asked = parser.parse_args(arguments)
    found = list(faults(asked.app, asked.skeleton))
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
