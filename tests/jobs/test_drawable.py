"""What there is to draw with: the starter, installed models, and what they were converted to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.compose import compose
from app.core.coreml_manifest import FILE_NAME
from app.core.errors import ModelMissing
from app.core.folders import Folders
from app.core.model import ModelFormat
from app.jobs.drawable import drawable, read_any
from tests.engine.coreml.tiny_models import tiny_folder
from tests.jobs.shelves import TITLE, install, served_files


@pytest.fixture
def folders(easel_home: Path) -> Folders:
    return compose({"EASEL_HOME": str(easel_home)}).folders


def ids(folders: Folders, mac: bool, *opened: str) -> list[str]:
    return [model.id for model in drawable(folders, opened, mac)]


def test_the_starters_conversion_is_listed_before_it_on_a_mac_and_after_it_elsewhere(
    folders: Folders,
) -> None:
    tiny_folder(folders.installed / "starter" / "coreml-split_einsum-6")
    assert ids(folders, True) == ["starter.coreml-split_einsum-6", "starter"]
    assert ids(folders, False) == ["starter", "starter.coreml-split_einsum-6"]


def test_a_conversion_knows_what_it_was_made_from(folders: Folders) -> None:
    folder = tiny_folder(folders.installed / "starter" / "coreml-split_einsum-6")
    converted, starter = drawable(folders, (), True)
    assert converted.format is ModelFormat.COREML
    assert converted.folder == str(folder)
    assert converted.twin == starter
    assert converted.built_in
    assert converted.title == f"{starter.title}, Core ML (Neural Engine, 6-bit)"


def test_each_installed_model_has_its_own(folders: Folders, tmp_path: Path) -> None:
    install(folders, served_files(tmp_path / "tiny"))
    tiny_folder(folders.installed / "tiny" / "coreml-sdpa-16")
    tiny_folder(folders.installed / "tiny" / "coreml-sdpa-16-fast")
    assert ids(folders, True) == [
        "starter",
        "tiny.coreml-sdpa-16",
        "tiny.coreml-sdpa-16-fast",
        "tiny",
    ]
    models = {model.id: model for model in drawable(folders, (), True)}
    twin = models["tiny.coreml-sdpa-16"].twin
    assert twin is not None
    assert (twin.id, twin.title, twin.format) == ("tiny", TITLE, ModelFormat.DIFFUSERS)


@pytest.mark.parametrize("damage", ["no unet", "not JSON", "another format", "no tokenizer"])
def test_a_damaged_conversion_is_left_out(damage: str, folders: Folders) -> None:
    whole = tiny_folder(folders.installed / "starter" / "coreml-sdpa-16")
    folder = tiny_folder(folders.installed / "starter" / "coreml-split_einsum-6")
    match damage:
        case "no unet":
            (folder / "Unet.mlpackage").rename(folder / "elsewhere")
        case "not JSON":
            (folder / FILE_NAME).write_text("{", "utf-8")
        case "another format":
            (folder / FILE_NAME).write_text('{"format": 99}', "utf-8")
        case "no tokenizer":
            (folder / "tokenizer" / "vocab.json").unlink()
    assert ids(folders, True) == [f"starter.{whole.name}", "starter"]


def test_a_conversion_whose_model_is_gone_is_not_offered(folders: Folders) -> None:
    tiny_folder(folders.installed / "tiny" / "coreml-sdpa-16")
    assert ids(folders, True) == ["starter"]


def test_a_folder_that_was_opened_may_be_of_either_engine(folders: Folders, tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "opened")
    assert ids(folders, True, str(folder)) == ["starter", str(folder)]
    assert read_any(folder).format is ModelFormat.COREML
    assert read_any(folders.starter.absolute()).format is ModelFormat.DIFFUSERS
    with pytest.raises(ModelMissing):
        read_any(tmp_path / "nowhere")


def test_without_the_starter_its_conversions_are_not_offered(
    folders: Folders, tmp_path: Path
) -> None:
    tiny_folder(folders.installed / "starter" / "coreml-sdpa-16")
    assert ids(replace(folders, shipped=tmp_path), True) == []
