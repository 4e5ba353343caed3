"""Where to draw and with what numbers, decided from what a machine says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from app.core.errors import PlacementUnavailable
from app.core.placement import Placement
from app.engine.torch.failures import is_out_of_memory
from app.engine.torch.networks import Networks
from app.engine.torch.placement import (
    cpu_flags,
    device_of,
    dtype_for,
    free_memory,
    has_fast_bfloat16,
    placements,
)
from tests.engine.conftest import TinyModel

CPU = torch.device("cpu")


def test_the_cpu_is_always_there_and_last() -> None:
    assert placements()[-1] is Placement.CPU
    assert device_of(Placement.CPU) == CPU


def test_core_ml_is_never_torchs() -> None:
    with pytest.raises(PlacementUnavailable):
        device_of(Placement.COREML_GPU)


@pytest.mark.parametrize(
    ("flags", "fast"),
    [
        ("fpu avx2 avx512f", False),
        ("fpu avx512f avx512_bf16", True),
        ("fpu amx_tile amx_bf16", True),
        ("", False),
    ],
)
def test_bfloat16_is_used_where_the_cpu_multiplies_it_natively(
    flags: str, fast: bool, tmp_path: Path
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\nmodel name\t: x\nflags\t\t: {flags}\n\nflags\t: amx_bf16")
    assert has_fast_bfloat16(cpu_flags(cpuinfo)) is fast


def test_a_machine_that_does_not_say_gets_float32(tmp_path: Path) -> None:
    assert not has_fast_bfloat16(cpu_flags(tmp_path / "none"))


def test_a_gpu_computes_with_the_numbers_of_the_file() -> None:
    for name, dtype in (
        ("F16", torch.float16),
        ("F32", torch.float32),
        ("BF16", torch.bfloat16),
        ("F8_E4M3", torch.float16),
    ):
        assert dtype_for(torch.device("cuda"), name) is dtype
        assert dtype_for(CPU, name) in (torch.float32, torch.bfloat16)


def test_free_memory_is_read_from_the_system_or_unknown(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:  100 kB\nMemAvailable:   40 kB\n")
    assert free_memory(CPU, meminfo) == 40 * 1024
    meminfo.write_text("MemTotal:  100 kB\n")
    assert free_memory(CPU, meminfo) == 0
    assert free_memory(CPU, tmp_path / "none") == 0


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("MPS backend out of memory (MPS allocated: 8.90 GB)"),
    ],
)
def test_every_way_torch_says_that_memory_ran_out_is_understood(error: Exception) -> None:
    assert is_out_of_memory(error)
    assert not is_out_of_memory(RuntimeError("shapes cannot be multiplied"))
    assert not is_out_of_memory(ValueError("out of memory"))


@pytest.mark.parametrize(("free", "staged"), [(1 << 20, True), (1 << 40, False), (0, False)])
def test_networks_are_staged_when_memory_is_short(
    free: int, staged: bool, tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.torch.networks.free_memory", lambda _: free)
    model = tiny_model("sd1")
    assert Networks(model, CPU, "auto", None).staged is staged
    assert Networks(model, CPU, "staged", None).staged
    assert not Networks(model, CPU, "resident", None).staged
