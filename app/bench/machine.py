"""What the numbers were measured on: versions, processor, load."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from pathlib import Path

PACKAGES = (
    "PySide6_Essentials",
    "torch",
    "diffusers",
    "transformers",
    "tokenizers",
    "numpy",
    "pillow",
)
TELLING_FLAGS = (
    "avx2",
    "avx512f",
    "avx512_bf16",
    "avx512_fp16",
    "amx_bf16",
    "amx_int8",
    "asimd",
    "bf16",
)
LOADED = 0.5
"""Load average for each core above which times by the wall are not printed."""


def describe() -> dict[str, object]:
    """Versions, processor, cores, memory in bytes and load averages, as JSON values."""
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "system": f"{platform.system()} {platform.release()}",
        "processor": processor(),
        "cores": os.cpu_count() or 0,
        "cores_allowed": _allowed(),
        "flags": list(flags()),
        "memory": memory(),
        "load": list(load()),
    }


def processor() -> str:
    """The processor's name, as well as the system says it."""
    for line in _cpuinfo():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def flags() -> tuple[str, ...]:
    """Those of the processor's flags that decide how fast the networks run (Linux)."""
    for line in _cpuinfo():
        if line.startswith(("flags", "Features")):
            held = set(line.partition(":")[2].split())
            return tuple(flag for flag in TELLING_FLAGS if flag in held)
    return ()


def memory() -> int:
    """Physical memory in bytes; 0 where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0


def load() -> tuple[float, ...]:
    """Load averages over 1, 5 and 15 minutes; empty where the system does not say."""
    try:
        return tuple(round(value, 2) for value in os.getloadavg())
    except (OSError, AttributeError):
        return ()


def is_quiet() -> bool:
    """Whether the machine is idle enough for times by the wall to mean something."""
    now = load()
    return bool(now) and now[0] <= LOADED * (os.cpu_count() or 1)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _cpuinfo() -> list[str]:
    if sys.platform != "linux":
        return []
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _allowed() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 0
