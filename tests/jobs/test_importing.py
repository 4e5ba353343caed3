"""Importing through the child: it comes whole, or nothing of it is left."""

from __future__ import annotations

import functools
import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from app.convert.importing import Brought, Importing, Stage, bring_in
from app.core.card import Kind
from app.core.errors import ImportRefused, NoSpace
from app.jobs.importing import import_file
from app.jobs.limited_child import Bounds, run_limited

NAME = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k"


def lora(file: Path, rows: int = 8) -> Path:
    down, up = torch.ones(rows, 768), torch.ones(1280, rows)
    save_file({f"{NAME}.lora_down.weight": down, f"{NAME}.lora_up.weight": up}, file)
    return file


def test_it_comes_whole(tmp_path: Path) -> None:
    events: list[Importing] = []
    file = lora(tmp_path / "l.safetensors")

    result = import_file(file, tmp_path / "s", tmp_path, events.append, lambda: False)

    assert result is not None
    assert result.kind is Kind.LORA
    assert [one.path for one in result.files] == ["lora.safetensors"]
    assert [event.stage for event in events] == [
        Stage.CHECKING,
        Stage.CHECKING,
        Stage.CONVERTING,
        Stage.PROVING,
    ]


def test_a_kill_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    """The child has no time to put anything away: it is killed as soon as it writes."""
    file = lora(tmp_path / "l.safetensors", rows=1024)
    staging = tmp_path / "s"
    bounds = Bounds(memory=8 << 30, cpu_s=60, wall_s=60.0, grace_s=0.0)
    began = time.monotonic()

    result = import_file(
        file, staging, tmp_path, lambda _: None, lambda: staging.exists(), bounds=bounds
    )

    assert result is None
    assert [path.name for path in tmp_path.iterdir()] == ["l.safetensors"]
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        (Bounds(memory=400 << 20, cpu_s=60, wall_s=60.0), "too much memory"),
        (Bounds(memory=8 << 30, cpu_s=60, wall_s=0.2, grace_s=0.1), "too slow"),
    ],
)
def test_a_limit_that_is_met_leaves_nothing(bounds: Bounds, reason: str, tmp_path: Path) -> None:
    file = lora(tmp_path / "l.safetensors")

    with pytest.raises(ImportRefused) as caught:
        import_file(file, tmp_path / "s", tmp_path, lambda _: None, lambda: False, bounds)

    assert caught.value == ImportRefused(str(file), reason)
    assert [path.name for path in tmp_path.iterdir()] == ["l.safetensors"]


def on_a_small_disk(
    file: Path, staging: Path, report: Callable[[object], None], cancelled: Callable[[], bool]
) -> Brought | None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    return bring_in(file, staging, file.parent, report, cancelled)


def test_a_disk_that_fills_up_is_named_and_left_as_it_was(tmp_path: Path) -> None:
    file = lora(tmp_path / "l.safetensors", rows=64)
    work = functools.partial(on_a_small_disk, file, tmp_path / "s")

    with pytest.raises(NoSpace):
        run_limited(work, str(file), Bounds.for_file(0), lambda _: None, lambda: False)

    assert [path.name for path in tmp_path.iterdir()] == ["l.safetensors"]


def test_a_folder_that_is_there_is_nobody_s_to_remove(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "mine").touch()
    with pytest.raises(FileExistsError):
        import_file(tmp_path / "x.ckpt", tmp_path / "s", tmp_path, lambda _: None, lambda: False)
    assert (tmp_path / "s" / "mine").exists()


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="missing"):
        import_file(tmp_path / "x.ckpt", tmp_path / "s", tmp_path, lambda _: None, lambda: False)
