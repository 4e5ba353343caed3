"""Looks an Easel.app over before anybody gets it. Works on a Mac and on Linux.

    python packaging/check_bundle.py Easel.app

Prints one line a fault and exits 1; nothing found is exit 0. It reads the seal as codesign made it
(structures: Apple's TN3126, "Inside Code Signing: Hashes"), and does not say who signed.
"""

from __future__ import annotations

import argparse
import hashlib
import plistlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import freeze_config as config
import mach_o

ENTITLEMENTS = (
    "com.apple.security.cs.allow-jit",
    "com.apple.security.cs.allow-unsigned-executable-memory",
    "com.apple.security.cs.disable-library-validation",
)
SHIPPED = (
    "resources/licenses/CreativeML-OpenRAIL-M.txt",
    "resources/third-party/LGPL-3.0.txt",
    "models/starter/model_index.json",
    "models/starter/unet/diffusion_pytorch_model.safetensors",
    "models/catalog/starter.toml",
    "NOTICE",
    "LICENSE",
)
LIBRARIES = ("libcoremlpython.so", "libmilstoragepython.so", "libmodelpackage.so")
"""coremltools' own: without them it installs and imports, and can do nothing."""

_PLIST: Mapping[str, object] = {
    "CFBundleIdentifier": config.IDENTIFIER,
    "CFBundleName": config.NAME,
    "LSMinimumSystemVersion": config.MINIMUM_MACOS,
    "NSHighResolutionCapable": True,
    "NSRequiresAquaSystemAppearance": False,
}


def faults(app: Path) -> Iterator[str]:
    """Every fault of the bundle ``app``, in words."""
    contents = app / "Contents"
    if not (contents / "Info.plist").is_file():
        yield "Contents/Info.plist is missing: this is no bundle"
        return
    plist = plistlib.loads((contents / "Info.plist").read_bytes())
    executable = contents / "MacOS" / str(plist.get("CFBundleExecutable", ""))
    yield from _faults_of_plist(plist)
    yield from _faults_of_links(app)
    binaries = [file for file in _files(app) if mach_o.is_mach_o(file)]
    yield from _faults_of_binaries(app, binaries)
    yield from _faults_of_program(executable)
    yield from _faults_of_seal(contents, executable)
    yield from _faults_of_load(contents, binaries)


def faults_of_binary(file: Path, name: str) -> Iterator[str]:
    """What keeps the Mach-O ``file``, called ``name``, from running on the oldest Mac."""
    floor = mach_o.version(config.MINIMUM_MACOS)
    facts = mach_o.slices(file).get("arm64")
    if facts is None:
        yield f"{name} has no arm64 code"
        return
    if facts.minimum > floor and not mach_o.allowed_later(file.name, facts):
        yield f"{name} needs macOS {_dotted(facts.minimum)}; the floor is {config.MINIMUM_MACOS}"
    for symbol, since in facts.late_symbols.items():
        if since > floor:
            yield f"{name} needs {symbol}, which came with macOS {_dotted(since)}"
    for library in facts.foreign:
        yield f"{name} wants {library}, which is on no other Mac"


def is_openmp(name: str) -> bool:
    """Whether a file of that name is an OpenMP runtime: LLVM's, Intel's or GNU's."""
    return name.startswith(("libomp", "libiomp", "libgomp"))


# --- Info.plist, links, binaries ------------------------------------------------------------


def _faults_of_plist(plist: Mapping[str, object]) -> Iterator[str]:
    for key, value in _PLIST.items():
        found = plist.get(key)
        if found != value or type(found) is not type(value):
            yield f"Info.plist: {key} is {found!r}, not {value!r}"
    for key in ("CFBundleShortVersionString", "CFBundleVersion", "CFBundleExecutable"):
        if not plist.get(key):
            yield f"Info.plist: {key} is missing"


def _faults_of_links(app: Path) -> Iterator[str]:
    inside = app.resolve()
    for path in sorted(app.rglob("*")):
        if path.is_symlink():
            if not path.exists():
                yield f"{path.relative_to(app)} is a link to nothing"
            elif not path.resolve().is_relative_to(inside):
                yield f"{path.relative_to(app)} is a link out of the bundle"


def _faults_of_binaries(app: Path, binaries: list[Path]) -> Iterator[str]:
    runtimes = [str(file.relative_to(app)) for file in binaries if is_openmp(file.name)]
    if len(runtimes) > 1:
        yield f"more than one OpenMP: {', '.join(runtimes)}"
    for file in binaries:
        name = str(file.relative_to(app))
        yield from faults_of_binary(file, name)
        for processor, signature in mach_o.signatures(file).items():
            if signature is None:
                yield f"{name} is not signed ({processor})"
            elif not signature.intact:
                yield f"{name} is not what was signed ({processor})"


# --- the signature --------------------------------------------------------------------------


def _faults_of_program(executable: Path) -> Iterator[str]:
    if not executable.is_file():
        yield f"the program {executable.name!r} is missing"
        return
    signature = mach_o.signature(executable) if mach_o.is_mach_o(executable) else None
    if signature is None:
        return  # said of it as of every binary
    if not signature.hardened:
        yield "the program is not signed for the hardened runtime"
    for entitlement in ENTITLEMENTS:
        if signature.entitlements.get(entitlement) is not True:
            yield f"the entitlement {entitlement} is missing"


def _faults_of_seal(contents: Path, executable: Path) -> Iterator[str]:
    """The program's signature seals Info.plist and a list, and the list seals every other file."""
    listing = contents / "_CodeSignature" / "CodeResources"
    if not listing.is_file():
        yield "the bundle is not signed: Contents/_CodeSignature is missing"
        return
    signature = mach_o.signature(executable) if executable.is_file() else None
    if signature is not None:
        for slot, file in (
            (signature.INFO_PLIST, contents / "Info.plist"),
            (signature.RESOURCES, listing),
        ):
            if not signature.covers(slot, file.read_bytes()):
                yield f"{file.relative_to(contents)} is not what was signed"
    listed: Mapping[str, object] = plistlib.loads(listing.read_bytes()).get("files2", {})
    for name, entry in listed.items():
        yield from _faults_of_entry(contents, name, entry)
    unsealed = {contents / "Info.plist", contents / "PkgInfo", listing, executable}
    nested = {contents / name for name in listed if (contents / name).is_dir()}
    for path in sorted(contents.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        name = path.relative_to(contents).as_posix()
        if name not in listed and path not in unsealed and nested.isdisjoint(path.parents):
            yield f"{name} was added after signing"


def _faults_of_entry(contents: Path, name: str, entry: object) -> Iterator[str]:
    """A file has a digest, a link its target, and a program or framework its cdhash."""
    path = contents / name
    sealed = entry if isinstance(entry, dict) else {"hash": entry}
    if "symlink" in sealed:
        if not path.is_symlink() or str(path.readlink()) != sealed["symlink"]:
            yield f"{name} is not the link that was signed"
    elif not path.exists():
        if not sealed.get("optional"):
            yield f"{name} is missing"
    elif "cdhash" in sealed:
        code = _code_of(path)
        if code is None or sealed["cdhash"] not in _identities(code):
            yield f"{name} is not the code that was signed"
    elif "hash2" in sealed and hashlib.sha256(path.read_bytes()).digest() != sealed["hash2"]:
        yield f"{name} is not what was signed"


def _code_of(path: Path) -> Path | None:
    """The Mach-O file of a program, library, or framework."""
    if path.is_dir():
        path = path / path.stem
    return path if path.is_file() and mach_o.is_mach_o(path) else None


def _identities(code: Path) -> set[bytes]:
    found = mach_o.signatures(code).values()
    return {identity for each in found if each is not None for identity in each.identities}


# --- what it carries ------------------------------------------------------------------------


def _faults_of_load(contents: Path, binaries: list[Path]) -> Iterator[str]:
    places = (contents / "Resources", contents / "Frameworks")
    for name in SHIPPED:
        if not any((place / name).exists() for place in places):
            yield f"{name} is not in the bundle"
    names = {file.name for file in binaries}
    for library in LIBRARIES:
        if library not in names:
            yield f"coremltools' {library} is not in the bundle"


def _files(app: Path) -> Iterator[Path]:
    return (path for path in sorted(app.rglob("*")) if path.is_file() and not path.is_symlink())


def _dotted(version: mach_o.Version) -> str:
    return ".".join(str(part) for part in version)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("app", type=Path)
    asked = parser.parse_args(arguments)
    found = list(faults(asked.app))
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
