"""Asks macOS what this Mac is made of; standard library only, a few milliseconds."""

from __future__ import annotations

import ctypes
import platform
import re
import subprocess
import sys
from collections.abc import Callable

from app.core.mac import Mac

IOREG_S = 5.0
_GPU_CORES = re.compile(rb'"gpu-core-count"\s*=\s*(\d+)')

Ask = Callable[[str], bytes | None]
"""The bytes of a value of sysctl by its name; None where there is none."""


def this_mac() -> Mac | None:
    """None on any other system."""
    if sys.platform != "darwin":
        return None
    return read_mac(ask_sysctl, ask_ioreg, platform.mac_ver()[0])


def read_mac(ask: Ask, accelerators: Callable[[], bytes], version: str) -> Mac:
    """``accelerators``: ioreg's words on them; ``version``: of macOS, "14.5.1"."""
    numbers = [int(part) for part in re.findall(r"\d+", version)[:2]]
    major, minor = (*numbers, 0, 0)[:2]
    found = _GPU_CORES.search(accelerators())
    return Mac(
        chip=_text(ask("machdep.cpu.brand_string")),
        performance_cores=_number(ask("hw.perflevel0.physicalcpu")),
        gpu_cores=int(found[1]) if found else 0,
        memory=_number(ask("hw.memsize")),
        macos=(major, minor),
        build=_text(ask("kern.osversion")),
        apple_silicon=_number(ask("hw.optional.arm64")) == 1,
    )


def ask_sysctl(name: str) -> bytes | None:
    """sysctlbyname(3), in two calls: how long the value is, and the value."""
    library = ctypes.CDLL(None)
    size = ctypes.c_size_t()
    if library.sysctlbyname(name.encode(), None, ctypes.byref(size), None, ctypes.c_size_t(0)):
        return None
    value = ctypes.create_string_buffer(size.value)
    if library.sysctlbyname(name.encode(), value, ctypes.byref(size), None, ctypes.c_size_t(0)):
        return None
    return value.raw[: size.value]


def ask_ioreg() -> bytes:
    """No sysctl has the number of GPU cores. Empty where ioreg does not answer."""
    command = ["/usr/sbin/ioreg", "-rd1", "-c", "AGXAccelerator"]
    try:
        return subprocess.run(command, capture_output=True, timeout=IOREG_S, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return b""


def _text(value: bytes | None) -> str:
    return (value or b"").rstrip(b"\0").decode("utf-8", "replace")


def _number(value: bytes | None) -> int:
    return int.from_bytes(value or b"", "little")
