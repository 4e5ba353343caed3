"""Models move whole or not at all, on one disk and to another."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.compose import Easel, compose
from app.core.card import CardFile
from app.core.errors import FolderNotWritable, ModelDamaged, ModelIncomplete, NoSpace
from app.weights import receipts
from app.weights.events import Checking
from app.weights.moving import copy_models
from app.weights.receipts import Installed, folder_of
from tests.weights.receipt_examples import CONTENT, LICENCE, RECEIPT, put_files

WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def easel(easel_home: Path) -> Easel:
    made = compose({"EASEL_HOME": str(easel_home)})
    receipts.write(put_files(folder_of(made.folders.installed, "tiny", "main")), RECEIPT, LICENCE)
    return made


@pytest.fixture
def model(easel: Easel) -> Installed:
    return easel.shelf.find("tiny")


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, where the system lets us have one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place))
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no mounting here")
    yield place
    subprocess.run(("umount", "-l", str(place)), check=True)


def never() -> bool:
    return False


def silent(_: Checking) -> None:
    pass


def assert_whole(folder: Path) -> None:
    assert receipts.read(folder) == RECEIPT
    assert {path: (folder / path).read_bytes() for path in CONTENT} == CONTENT


def test_moved_models_are_found_there_now_and_by_the_next_start(
    easel: Easel, easel_home: Path, model: Installed, tmp_path: Path
) -> None:
    target = tmp_path / "elsewhere"
    assert easel.move_models(target, silent, never)
    assert_whole(easel.shelf.find("tiny").folder)
    assert easel.shelf.find("tiny").folder.is_relative_to(target)
    assert not model.folder.exists()
    again = compose({"EASEL_HOME": str(easel_home)})
    assert again.shelf.find("tiny").folder.is_relative_to(target)


def test_moving_to_where_they_are_changes_nothing(easel: Easel, model: Installed) -> None:
    assert easel.move_models(easel.folders.installed, silent, never)
    assert_whole(model.folder)


def test_a_stop_leaves_everything_where_it_was(
    easel: Easel, model: Installed, tmp_path: Path
) -> None:
    target = tmp_path / "elsewhere"
    assert not easel.move_models(target, silent, lambda: True)
    assert_whole(model.folder)
    assert list(target.iterdir()) == []
    assert easel.shelf.find("tiny") == model


def test_an_incomplete_model_does_not_move(easel: Easel, model: Installed, tmp_path: Path) -> None:
    (model.folder / WEIGHTS).unlink()
    with pytest.raises(ModelIncomplete):
        easel.move_models(tmp_path / "elsewhere", silent, never)
    assert easel.settings.models_folder is None


@pytest.mark.parametrize("place", ["inside", "file"])
def test_a_place_that_cannot_be_is_refused(
    easel: Easel, model: Installed, tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").write_text("in the way")
    target = model.folder / "inside" if place == "inside" else tmp_path / "file"
    with pytest.raises(FolderNotWritable):
        easel.move_models(target, silent, never)
    assert_whole(model.folder)


def test_what_is_damaged_over_there_does_not_take_the_place_of_the_good_one(
    easel: Easel, tmp_path: Path
) -> None:
    target = tmp_path / "elsewhere"
    receipts.write(put_files(folder_of(target, "tiny", "main")), RECEIPT, LICENCE)
    (folder_of(target, "tiny", "main") / WEIGHTS).unlink()
    assert easel.move_models(target, silent, never)
    assert_whole(folder_of(target, "tiny", "main"))


def test_a_half_downloaded_one_over_there_makes_room(easel: Easel, tmp_path: Path) -> None:
    place = folder_of(tmp_path / "elsewhere", "tiny", "main")
    place.mkdir(parents=True)
    (place / "weights.part").write_bytes(b"half")
    assert easel.move_models(tmp_path / "elsewhere", silent, never)
    assert_whole(place)


def test_another_model_of_the_same_name_over_there_keeps_both(
    easel: Easel, model: Installed, tmp_path: Path
) -> None:
    place = put_files(folder_of(tmp_path / "elsewhere", "tiny", "main"))
    (place / WEIGHTS).write_bytes(b"quite another model")
    other = replace(RECEIPT, files=(CardFile(WEIGHTS, 19, "0" * 64),))
    receipts.write(place, other, LICENCE)
    with pytest.raises(FolderNotWritable):
        easel.move_models(tmp_path / "elsewhere", silent, never)
    assert_whole(model.folder)
    assert receipts.read(place) == other


@pytest.mark.linux
def test_another_disk_without_room_is_refused_before_anything_is_written(
    model: Installed, other_disk: Path
) -> None:
    with pytest.raises(NoSpace):  # a GiB has to stay free
        copy_models((model,), other_disk, silent, never)
    assert list(other_disk.iterdir()) == []


def test_without_hard_links_every_hash_is_proven(
    model: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(1, "not here")

    monkeypatch.setattr(os, "link", no_links)
    told: list[Checking] = []
    assert copy_models((model,), tmp_path / "a", told.append, never)
    assert_whole(folder_of(tmp_path / "a", "tiny", "main"))
    assert told[-1].done == told[-1].total == RECEIPT.disk
    damaged = bytearray((model.folder / WEIGHTS).read_bytes())
    damaged[7] ^= 1
    (model.folder / WEIGHTS).write_bytes(bytes(damaged))
    with pytest.raises(ModelDamaged):
        copy_models((model,), tmp_path / "b", silent, never)
    assert list((tmp_path / "b").iterdir()) == []


def test_a_disk_that_is_not_plugged_in_shows_no_models_and_breaks_nothing(
    easel: Easel, easel_home: Path, tmp_path: Path
) -> None:
    easel.change_settings(replace(easel.settings, models_folder=str(tmp_path / "unplugged")))
    again = compose({"EASEL_HOME": str(easel_home)})
    assert again.shelf.installed() == ()
    assert [one.id for one in again.models()] == ["starter"]
    assert not (tmp_path / "unplugged").exists()
