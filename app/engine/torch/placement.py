"""Where PyTorch can draw on this machine, and with what numbers."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

from app.core.errors import PlacementUnavailable
from app.core.placement import Placement

_DEVICES = {Placement.MPS: "mps", Placement.CUDA: "cuda", Placement.CPU: "cpu"}
_FAST_BFLOAT16 = frozenset({"amx_bf16", "avx512_bf16"})
_FILE_DTYPES = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32}


def placements() -> tuple[Placement, ...]:
    """What works here, best first; the CPU always does."""
    found = []
    if torch.backends.mps.is_available():
        found.append(Placement.MPS)
    if torch.cuda.is_available():
        found.append(Placement.CUDA)
    return (*found, Placement.CPU)


def device_of(placement: Placement) -> torch.device:
    """The torch device of ``placement``. Raises PlacementUnavailable where it is not here."""
    if placement not in placements():
        raise PlacementUnavailable(placement.value, "not on this machine")
    return torch.device(_DEVICES[placement])


def dtype_for(device: torch.device, file_dtype: str) -> torch.dtype:
    """The numbers to compute with, given those in the weight file ("F16", "F32", ...).

    On a GPU those of the file: nothing is converted, so loading costs nothing. On a CPU bfloat16
    where it multiplies natively (measured on AVX512-bf16: 0.48 of float32's time for SD 1.5's upper
    levels, 0.63 for a starter-sized UNet; on AMX 0.28), else float32, for float16 is slower there
    than either.
    """
    if device.type != "cpu":
        return _FILE_DTYPES.get(file_dtype, torch.float16)
    return torch.bfloat16 if has_fast_bfloat16(cpu_flags()) else torch.float32


def has_fast_bfloat16(flags: frozenset[str]) -> bool:
    """Whether a CPU with these flags (as Linux names them) multiplies bfloat16 natively."""
    return not _FAST_BFLOAT16.isdisjoint(flags)


def cpu_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """The CPU's flags as Linux tells them; none elsewhere."""
    if platform.system() != "Linux":
        return frozenset()
    try:
        text = cpuinfo.read_text("ascii", "replace")
    except OSError:
        return frozenset()
    line = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return frozenset(line.partition(":")[2].split())


def free_memory(device: torch.device, meminfo: Path = Path("/proc/meminfo")) -> int:
    """Bytes that can be taken without swapping; 0 where the system does not say."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        most = torch.mps.recommended_max_memory()
        return max(0, int(most - torch.mps.driver_allocated_memory()))
    try:
        lines = meminfo.read_text("ascii").splitlines()
        line = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError, StopIteration):
        return 0
