"""No picture is lost: it is saved where it should be, or where it can be."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.core.errors import FolderNotWritable, NoSpace
from app.library.library import Library, read_picture
from tests.files.test_atomic_file import disk_full_after
from tests.library.examples import AWKWARD, finished, recipe

CREATED = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)


def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "pictures", tmp_path / "fallback", lambda: CREATED)


def files(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_a_picture_lies_in_the_folder_of_its_day_under_its_words_and_seed(tmp_path: Path) -> None:
    picture = library(tmp_path).save(recipe("A red apple!", 17), finished())
    assert files(tmp_path) == ["pictures/2026-11-23/a-red-apple-17.png"]
    assert picture.file == tmp_path / "pictures/2026-11-23/a-red-apple-17.png"
    assert picture.created == CREATED
    assert picture.fell_back is None
    assert read_picture(picture.file) == picture


def test_the_same_picture_twice_is_two_files(tmp_path: Path) -> None:
    place = library(tmp_path)
    first, second = (place.save(recipe(), finished()) for _ in range(2))
    assert second.file.name == "a-red-apple-17 2.png"
    assert read_picture(first.file).recipe == read_picture(second.file).recipe


@pytest.mark.parametrize("prompt", AWKWARD)
def test_every_prompt_can_be_saved(tmp_path: Path, prompt: str) -> None:
    picture = library(tmp_path).save(recipe(prompt), finished())
    assert len(os.fsencode(picture.file.name)) <= 200
    assert read_picture(picture.file) == picture


def test_a_folder_that_cannot_be_written_falls_back_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "pictures").write_text("a file, not a folder")
    picture = library(tmp_path).save(recipe(), finished())
    assert files(tmp_path) == ["fallback/2026-11-23/a-red-apple-17.png", "pictures"]
    assert picture.fell_back == FolderNotWritable(
        str(tmp_path / "pictures/2026-11-23"), "not a folder"
    )
    assert read_picture(picture.file).recipe == picture.recipe


def test_when_both_folders_refuse_the_first_refusal_is_raised(tmp_path: Path) -> None:
    for name in ("pictures", "fallback"):
        (tmp_path / name).write_text("a file, not a folder")
    with pytest.raises(FolderNotWritable) as caught:
        library(tmp_path).save(recipe(), finished())
    assert caught.value.folder == str(tmp_path / "pictures/2026-11-23")


def test_a_full_disk_is_no_space_and_nothing_half_written(tmp_path: Path) -> None:
    place = library(tmp_path)
    with disk_full_after(4096), pytest.raises(NoSpace) as caught:
        place.save(recipe(), finished(200, 200))
    assert caught.value.folder == str(tmp_path / "pictures/2026-11-23")
    assert files(tmp_path) == []
    assert place.save(recipe(), finished(200, 200)).fell_back is None


def test_save_as_replaces_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "new" / "apple.png"
    place = library(tmp_path)
    place.save_as(recipe("a pear"), finished(), file)
    picture = place.save_as(recipe("an apple"), finished(), file)
    assert read_picture(file) == picture
    assert files(tmp_path) == ["new/apple.png"]
