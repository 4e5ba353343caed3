"""Makes the skeleton of an Easel.app on any system: all of a bundle but the program's own code.

    python packaging/skeleton.py [--wheels FOLDER] Easel.app

Layout, Info.plist, icon, resources, a framework with its links, libraries, and an ad-hoc signature
for the hardened runtime with the entitlements: enough to try the checks and the disk image with,
where no Mac is. It never starts. With the macOS wheels of the lock in FOLDER (build/wheels, by
``make package-wheels``) the program is PyInstaller's real Darwin bootloader and the libraries are
the real ones; without them small Mach-O files stand in, and it says so.
"""

from __future__ import annotations

import argparse
import plistlib
import shutil
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import apple_platform
import check_bundle
import freeze_config as config
import info_plist
import mach_o
import synthetic
from apple_platform.models import PathSettings

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WHEELS = ROOT / "build" / "wheels"
BOOTLOADER = "PyInstaller/bootloader/Darwin-64bit/runw"
FRAMEWORK = "QtCore"
_FRAMEWORK = f"PySide6/Qt/lib/{FRAMEWORK}.framework/Versions/A/{FRAMEWORK}"


def build(app: Path, root: Path = ROOT, wheels: Path = WHEELS) -> str:
    """Make and sign ``app`` from the checkout ``root``; one sentence on what its code is."""
    contents = app / "Contents"
    shutil.rmtree(app, ignore_errors=True)
    (contents / "MacOS").mkdir(parents=True)
    real = _real_code(wheels)
    _put_program(contents, real)
    _put_framework(contents / "Frameworks", real)
    _put_libraries(contents / "Frameworks", real)
    _put_resources(contents, root)
    sign(app)
    if real:
        return "the bootloader and the libraries are those of the macOS wheels"
    return f"small Mach-O files stand in for code: there are no macOS wheels in {wheels}"


def sign(app: Path, entitlements: Path = HERE / "entitlements.plist", runtime: bool = True) -> None:
    """Sign ad hoc, from the inside out. ``runtime``: for the hardened runtime."""
    flags = ["runtime"] if runtime else []
    frameworks = app / "Contents" / "Frameworks"
    inner = list(frameworks.glob("*.framework"))
    for file in frameworks.rglob("*"):
        if file.is_file() and not file.is_symlink() and mach_o.is_mach_o(file):
            inner.append(file)
    paths = {str(path.relative_to(app)): PathSettings(code_signature_flags=flags) for path in inner}
    main = PathSettings(code_signature_flags=flags, entitlements_xml_file=entitlements)
    apple_platform.sign(app, paths={"@main": main, **paths})


def _real_code(wheels: Path) -> Mapping[str, bytes]:
    """The Mach-O files of the wheels by their names inside; empty unless all are there."""
    wanted = {BOOTLOADER, _FRAMEWORK, *(f"coremltools/{name}" for name in check_bundle.LIBRARIES)}
    found: dict[str, bytes] = {}
    for wheel in sorted(wheels.glob("*.whl")):
        if wheel.name.lower().startswith(("pyinstaller-", "pyside6_essentials-", "coremltools-")):
            with zipfile.ZipFile(wheel) as archive:
                for name in wanted.intersection(archive.namelist()):
                    found[name] = archive.read(name)
    return found if found.keys() == wanted else {}


def _put_program(contents: Path, real: Mapping[str, bytes]) -> None:
    plist = {
        "CFBundleExecutable": config.NAME,
        "CFBundleIconFile": "icon.icns",
        "CFBundleIdentifier": config.IDENTIFIER,
        "CFBundleInfoDictionaryVersion": "6.0",
        "CFBundleName": config.NAME,
        "CFBundlePackageType": "APPL",
        **info_plist.info_plist(ROOT),
    }
    (contents / "Info.plist").write_bytes(plistlib.dumps(plist))
    program = contents / "MacOS" / config.NAME
    program.write_bytes(real.get(BOOTLOADER) or synthetic.mach_o())
    program.chmod(0o755)


def _put_framework(frameworks: Path, real: Mapping[str, bytes]) -> None:
    """As Apple lays one out: the code in Versions/A, links to it beside."""
    framework = frameworks / f"{FRAMEWORK}.framework"
    version = framework / "Versions" / "A"
    (version / "Resources").mkdir(parents=True)
    plist = {
        "CFBundleExecutable": FRAMEWORK,
        "CFBundleIdentifier": f"org.qt-project.{FRAMEWORK}",
        "CFBundleName": FRAMEWORK,
        "CFBundlePackageType": "FMWK",
        "CFBundleShortVersionString": "6",
        "CFBundleVersion": "6",
    }
    (version / "Resources" / "Info.plist").write_bytes(plistlib.dumps(plist))
    name = f"@rpath/{FRAMEWORK}.framework/Versions/A/{FRAMEWORK}"
    code = version / FRAMEWORK
    code.write_bytes(real.get(_FRAMEWORK) or synthetic.mach_o((13, 0), install_name=name))
    code.chmod(0o755)
    (framework / "Versions" / "Current").symlink_to("A")
    for link in (FRAMEWORK, "Resources"):
        (framework / link).symlink_to(f"Versions/Current/{link}")


def _put_libraries(frameworks: Path, real: Mapping[str, bytes]) -> None:
    for name in check_bundle.LIBRARIES:
        library = frameworks / "coremltools" / name
        library.parent.mkdir(exist_ok=True)
        library.write_bytes(
            real.get(f"coremltools/{name}")
            or synthetic.mach_o((12, 3), install_name=f"@rpath/{name}")
        )
    openmp = synthetic.mach_o((11, 0), install_name="@rpath/libomp.dylib")
    (frameworks / "libomp.dylib").write_bytes(openmp)


def _put_resources(contents: Path, root: Path) -> None:
    """Data lies in Resources, and links in Frameworks lead to it, as PyInstaller has it."""
    resources = contents / "Resources"
    resources.mkdir()
    shutil.copy(HERE / "icon.icns", resources / "icon.icns")
    for name in config.SHIPPED:
        source, target = root / name, resources / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    for top in sorted({Path(name).parts[0] for name in config.SHIPPED}):
        (contents / "Frameworks" / top).symlink_to(f"../Resources/{top}")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("app", type=Path)
    parser.add_argument("--wheels", type=Path, default=WHEELS)
    asked = parser.parse_args(arguments)
    print(f"{asked.app}: {build(asked.app, wheels=asked.wheels)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
