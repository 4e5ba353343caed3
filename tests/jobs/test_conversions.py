"""What models were converted to: listed, made one at a time, taken away alone and with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.compose import Easel, compose
from app.convert.coreml.converting import ConversionOptions
from app.core.errors import ModelInUse, ModelMissing
from app.core.recipe import Scheduler
from app.jobs.conversions import PREFIX, conversions, convert, find, remove, title_of
from app.weights.alone import alone
from tests.engine.coreml.tiny_models import tiny_folder
from tests.jobs.shelves import install, served_files
from tests.jobs.tiny_conversions import write_source


@pytest.fixture
def easel(easel_home: Path) -> Easel:
    return compose({"EASEL_HOME": str(easel_home)})


@pytest.fixture
def root(easel: Easel) -> Path:
    return easel.folders.installed


def test_they_are_listed_with_what_they_take(root: Path) -> None:
    assert conversions(root, "tiny") == ()
    folder = tiny_folder(root / "tiny" / "coreml-split_einsum-6")
    (root / "tiny" / ".converting-1").mkdir()
    (root / "tiny" / "file").mkdir()
    (one,) = conversions(root, "tiny")
    assert (one.id, one.source, one.folder) == ("tiny.coreml-split_einsum-6", "tiny", folder)
    assert one.title == "Core ML (Neural Engine, 6-bit)"
    assert one.disk == sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) > 0
    assert find(root, one.id) == one


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("coreml-sdpa-16", "Core ML (GPU, 16-bit)"),
        ("coreml-split_einsum-6-fast", "Core ML (Neural Engine, 6-bit, fast)"),
        ("coreml-split_einsum_v2-4", "Core ML (Neural Engine, version 2, 4-bit)"),
        ("coreml-of_mine", "Core ML (of mine)"),
    ],
)
def test_what_they_are_called(name: str, title: str) -> None:
    assert title_of(Path(name)) == title


@pytest.mark.parametrize("id", ["", "tiny", "tiny.coreml-none", "../x.coreml-sdpa-16", ".coreml-x"])
def test_what_is_no_conversion_is_not_found(id: str, root: Path) -> None:
    tiny_folder(root / "tiny" / "coreml-sdpa-16")
    with pytest.raises(ModelMissing):
        find(root, id)


def test_one_is_removed_alone(root: Path, easel: Easel) -> None:
    tiny_folder(root / "starter" / "coreml-sdpa-16")
    tiny_folder(root / "starter" / "coreml-split_einsum-6")
    remove(find(root, "starter.coreml-sdpa-16"))
    assert [model.id for model in easel.models()] == ["starter", "starter.coreml-split_einsum-6"]
    last = find(root, "starter.coreml-split_einsum-6")
    remove(last)
    assert not (root / "starter").exists()
    with pytest.raises(ModelMissing):
        remove(last)


def test_they_go_with_their_model(root: Path, easel: Easel, tmp_path: Path) -> None:
    model = install(easel.folders, served_files(tmp_path / "tiny"))
    tiny_folder(root / "tiny" / "coreml-sdpa-16")
    tiny_folder(root / "starter" / "coreml-sdpa-16")
    easel.shelf.remove(model)
    assert [model.id for model in easel.models()] == ["starter", "starter.coreml-sdpa-16"]
    assert not (root / "tiny").exists()


def test_nothing_is_taken_away_while_another_easel_works_on_it(
    root: Path, easel: Easel, tmp_path: Path
) -> None:
    model = install(easel.folders, served_files(tmp_path / "tiny"))
    one = find(root, f"tiny.{tiny_folder(root / 'tiny' / f'{PREFIX}sdpa-16').name}")
    with alone(root / "tiny", "Tiny"):
        with pytest.raises(ModelInUse):
            remove(one)
        with pytest.raises(ModelInUse):
            easel.shelf.remove(model)
    assert one.folder.is_dir()
    assert model.folder.is_dir()


def test_they_move_with_the_models(root: Path, easel: Easel, tmp_path: Path) -> None:
    install(easel.folders, served_files(tmp_path / "tiny"))
    for source in ("tiny", "starter"):
        tiny_folder(root / source / "coreml-sdpa-16")
    target = tmp_path / "other disk"
    assert easel.move_models(target, lambda _: None, lambda: False)
    wanted = {"starter", "starter.coreml-sdpa-16", "tiny", "tiny.coreml-sdpa-16"}
    assert {model.id for model in easel.models()} == wanted
    assert all(Path(model.folder).is_relative_to(target) for model in easel.models() if model.twin)
    assert list(root.rglob("*.json")) == []


def test_what_a_model_is_best_drawn_with_holds_for_its_conversion(root: Path, easel: Easel) -> None:
    tiny_folder(root / "starter" / "coreml-sdpa-16")
    converted, starter = easel.model("starter.coreml-sdpa-16"), easel.model("starter")
    ours, theirs = converted.limits, starter.limits
    assert (ours.guidance, ours.steps, ours.scheduler) == (4.0, 20, Scheduler.DPMPP_2M_KARRAS)
    assert (ours.max_guidance, ours.fine_steps) == (theirs.max_guidance, theirs.fine_steps)
    assert ours.shapes_only
    assert ours.shapes != theirs.shapes
    assert easel.vocabulary(converted) == easel.vocabulary(starter)
    assert easel.vocabulary(converted).nouns


OPTIONS = ConversionOptions(bits=16)


@pytest.mark.slow
def test_a_conversion_replaces_the_one_before_and_leaves_nothing(
    root: Path, easel: Easel, tmp_path: Path
) -> None:
    source = replace(write_source("starter", tmp_path / "source"), id="tiny", title="Tiny")
    first = convert(source, root, OPTIONS, lambda _: None, lambda: False)
    assert first is not None
    assert first.id == "tiny.coreml-split_einsum-16"
    (first.folder / "mark").touch()
    with alone(root / "tiny", "Tiny"), pytest.raises(ModelInUse):
        convert(source, root, OPTIONS, lambda _: None, lambda: False)
    assert convert(source, root, OPTIONS, lambda _: None, lambda: True) is None
    assert (first.folder / "mark").exists()
    assert convert(source, root, OPTIONS, lambda _: None, lambda: False) is not None
    assert not (first.folder / "mark").exists()
    assert [path.name for path in (root / "tiny").iterdir()] == [first.folder.name]
    del easel
