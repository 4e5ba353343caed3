"""Converting through the child: the folder appears whole, or nothing of it is left."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from app.convert.coreml.converting import ConversionOptions, Converting, Stage
from app.convert.coreml.verifying import Compared
from app.core.coreml_manifest import Attention, Part
from app.core.errors import ConversionRefused, ImportRefused
from app.files.atomic_file import STALE_AFTER_S
from app.jobs.converting import (
    STAGING_PREFIX,
    convert,
    converted_folder,
    free_memory,
    verify,
)
from app.jobs.limited_child import Bounds
from tests.convert.coreml.tinier import write_tinier

OPTIONS = ConversionOptions(title="Tiny")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tinier("starter", tmp_path_factory.mktemp("model") / "starter")


def never() -> bool:
    return False


@pytest.mark.slow
def test_it_appears_whole_and_is_verified(model: Path, tmp_path: Path) -> None:
    events: list[Converting] = []
    target = tmp_path / "made" / "coreml"

    manifest = convert(model, target, OPTIONS, events.append, never)

    assert manifest is not None
    assert Part.UNET in manifest.parts
    assert [path.name for path in target.parent.iterdir()] == ["coreml"]
    assert (events[0].stage, events[-1].left) == (Stage.CHECKING, 0.0)
    compared: list[Compared] = []
    assert verify(target, compared.append, never) == tuple(compared)
    assert len(compared) == 5
    assert verify(target, compared.append, lambda: True) is None


@pytest.mark.slow
def test_a_kill_in_the_middle_leaves_nothing(model: Path, tmp_path: Path) -> None:
    """The child has no time to put anything away: it is killed while coremltools is busy."""
    reached: list[Converting] = []

    def report(event: Converting) -> None:
        if event.stage is Stage.CONVERTING:
            reached.append(event)

    bounds = Bounds(memory=32 << 30, cpu_s=300, wall_s=300.0, grace_s=0.0)
    target = tmp_path / "coreml"
    assert convert(model, target, OPTIONS, report, lambda: bool(reached), bounds) is None
    assert reached
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        (Bounds(memory=600 << 20, cpu_s=60, wall_s=60.0), "too much memory"),
        (Bounds(memory=32 << 30, cpu_s=60, wall_s=0.2, grace_s=0.1), "too slow"),
    ],
)
def test_a_limit_that_is_met_leaves_nothing(
    model: Path, tmp_path: Path, bounds: Bounds, reason: str
) -> None:
    with pytest.raises(ConversionRefused) as refused:
        convert(model, tmp_path / "coreml", OPTIONS, lambda _: None, never, bounds)
    assert refused.value == ConversionRefused("Tiny", reason)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_model_is_said_by_the_child(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(ImportRefused, match="unknown format"):
        convert(tmp_path / "none", tmp_path / "coreml", OPTIONS, lambda _: None, never)
    assert [path.name for path in tmp_path.iterdir()] == ["none"]


def test_a_folder_that_is_there_is_nobody_s_to_replace(model: Path, tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        convert(model, tmp_path, OPTIONS, lambda _: None, never)


def test_what_a_killed_easel_left_is_taken_away_when_it_is_old(tmp_path: Path) -> None:
    old, new = tmp_path / f"{STAGING_PREFIX}old", tmp_path / f"{STAGING_PREFIX}new"
    for folder in (old, new):
        (folder / ".work").mkdir(parents=True)
    before = time.time() - STALE_AFTER_S - 10
    os.utime(old, (before, before))
    options = ConversionOptions(bits=5)
    with pytest.raises(ConversionRefused, match="bits"):
        convert(tmp_path / "none", tmp_path / "coreml", options, lambda _: None, never)
    assert [path.name for path in tmp_path.iterdir()] == [new.name]


def test_each_conversion_of_a_model_has_a_folder_of_its_own() -> None:
    models = Path("/models")
    gpu = ConversionOptions.for_gpu()
    assert converted_folder(models, "sd15", OPTIONS) == Path("/models/sd15/coreml-split_einsum-6")
    assert converted_folder(models, "sd15", gpu) == Path("/models/sd15/coreml-sdpa-16")
    fast = ConversionOptions(fast=True, attention=Attention.SPLIT_EINSUM_V2)
    assert converted_folder(models, "sd15", fast).name == "coreml-split_einsum_v2-6-fast"


def test_the_memory_of_this_machine_is_known() -> None:
    assert 1 << 28 < free_memory() < 1 << 46
