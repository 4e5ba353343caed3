"""What this computer and this installation have, found out without starting anything heavy."""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import os
import platform
import sys
from pathlib import Path

PACKAGES = (
    "torch",
    "diffusers",
    "transformers",
    "tokenizers",
    "safetensors",
    "huggingface_hub",
    "numpy",
    "pillow",
    "PySide6_Essentials",
    "platformdirs",
    "coremltools",
)


def versions() -> dict[str, str | None]:
    """The version of each package Easel uses; None where it is not installed."""
    names = [*PACKAGES, "pyobjc-framework-CoreML"] if sys.platform == "darwin" else PACKAGES
    return {name: _version(name) for name in names}


def system() -> str:
    """ "macOS 14.5, arm64" or "Linux 6.1, x86_64"."""
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}, {platform.machine()}"
    return f"{platform.system()} {platform.release()}, {platform.machine()}"


def memory() -> tuple[int, int | None]:
    """Bytes of memory in all, and free for a new program (None where the system does not say)."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:
        return total, None
    free = [line for line in lines if line.startswith("MemAvailable:")]
    return total, int(free[0].split()[1]) * 1024 if free else None


def cores() -> int:
    """The processor cores this program may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def screen() -> str | None:
    """The display a window would open on; None where there is none."""
    if sys.platform == "darwin":
        return "this Mac's"
    return os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY") or None


def qt_problem() -> str | None:
    """Why a window could not open for want of a library; None when all are there.

    Loads the shared libraries as Qt would, and nothing of Python's.
    """
    try:
        found = importlib.util.find_spec("PySide6")
    except (ImportError, ValueError):
        found = None
    if found is None or not found.submodule_search_locations:
        return "PySide6 is not installed"
    if sys.platform == "darwin":
        return None
    qt = Path(found.submodule_search_locations[0]) / "Qt"
    for name in ("lib/libQt6Widgets.so.6", "plugins/platforms/libqxcb.so"):
        try:
            ctypes.CDLL(str(qt / name))
        except OSError as error:
            return str(error)
    return None


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
