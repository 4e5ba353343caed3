"""Looks over the macOS wheels of the lock, on any system.

    python packaging/check_wheels.py [--download] [FOLDER]          (build/wheels)

``--download`` first fetches what is locked and not there yet (about 320 MB) by pip, which checks
the hashes. Every Mach-O file that the frozen program would take is opened: is there arm64 code,
does it run on the oldest macOS that Easel supports, does it want libraries of somebody else's Mac,
is there one OpenMP, has coremltools its native part. One line a fault, and exit 1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import check_bundle
import freeze_config as config
import mach_o

HERE = Path(__file__).resolve().parent
LOCK = HERE / "requirements-macos-arm64.txt"
PYTHON = "3.11"
WHEELS = HERE.parent / "build" / "wheels"

TOOLS = (
    "apple_platform_py",
    "grimp",
    "import_linter",
    "lief",
    "mypy",
    "psutil",
    "pytest",
    "ruff",
    "ast_serialize",
    "librt",
    "pyinstaller",
)
"""Wheels of the lock that only test or build: nothing of them goes into the bundle."""


def platforms(minimum: str) -> list[str]:
    """Tags of wheels that run on an Apple-silicon Mac with macOS ``minimum``, newest first."""
    major = int(minimum.split(".")[0])
    found = []
    for number in range(major, 10, -1):
        found += [f"macosx_{number}_0_arm64", f"macosx_{number}_0_universal2"]
    return found + [f"macosx_10_{minor}_universal2" for minor in range(16, 8, -1)]


def download(folder: Path) -> None:
    """Fetch what is locked into ``folder``. Raises subprocess.CalledProcessError."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(LOCK)]
    command += ["--python-version", PYTHON, "--implementation", "cp", "-d", str(folder)]
    for tag in platforms(config.MINIMUM_MACOS):
        command += ["--platform", tag]
    subprocess.run(command, check=True)


def locked(lock: Path = LOCK) -> dict[str, str]:
    """Versions by distribution, its name as wheels write it."""
    pins = {}
    for line in lock.read_text("utf-8").splitlines():
        name, equal, rest = line.partition("==")
        if equal and not line.startswith((" ", "#")):
            pins[name.lower().replace("-", "_").replace(".", "_")] = rest.split()[0]
    return pins


def faults(folder: Path) -> Iterator[str]:
    """Every fault of the wheels in ``folder``, in words."""
    wheels = {_named(file): file for file in sorted(folder.glob("*.whl"))}
    for name, version in locked().items():
        if (name, version) not in wheels:
            yield f"{name} {version} of the lock is not in {folder}"
    with tempfile.TemporaryDirectory() as work:
        openmp: list[str] = []
        natives: set[str] = set()
        for (name, _version), file in wheels.items():
            if name in TOOLS:
                continue
            for binary, inside in _binaries(file, Path(work)):
                yield from check_bundle.faults_of_binary(binary, f"{file.name}: {inside}")
                natives.add(binary.name)
                if check_bundle.is_openmp(binary.name):
                    openmp.append(f"{name}: {inside}")
                binary.unlink()
        if len(openmp) != 1:
            yield f"there is to be one OpenMP, and there are {len(openmp)}: {', '.join(openmp)}"
        for library in check_bundle.LIBRARIES:
            if library not in natives:
                yield f"coremltools' {library} is in no wheel"


def _named(wheel: Path) -> tuple[str, str]:
    name, version = wheel.name.split("-")[:2]
    return name.lower().replace(".", "_"), version


def _binaries(wheel: Path, work: Path) -> Iterator[tuple[Path, str]]:
    """Each Mach-O file that the bundle would have of the wheel, unpacked, and its name inside."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            inside = PurePosixPath(entry.filename)
            if entry.is_dir() or not _goes_in(str(inside)):
                continue
            with archive.open(entry) as opened:
                if opened.read(4) not in mach_o.MAGIC:
                    continue
            file = work / inside.name
            with archive.open(entry) as opened, file.open("wb") as made:
                while part := opened.read(1 << 20):
                    made.write(part)
            if mach_o.is_mach_o(file):
                yield file, str(inside)


def _goes_in(inside: str) -> bool:
    modules = (name.replace(".", "/") for name in config.EXCLUDES)
    return config.keeps(inside) and not inside.startswith(
        tuple(f"{module}{end}" for module in modules for end in ("/", "."))
    )


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=WHEELS)
    parser.add_argument("--download", action="store_true")
    asked = parser.parse_args(arguments)
    if asked.download:
        download(asked.folder)
    found = list(faults(asked.folder))
    for fault in found:
        print(fault, file=sys.stderr)
    if not found:
        print(f"{len(locked())} wheels, macOS {config.MINIMUM_MACOS}, arm64: no fault")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
