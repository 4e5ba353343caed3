"""Where the folders are: in a checkout, in a frozen bundle, on a person's machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app import places
from app.places import find_folders, find_shipped

ROOT = Path(__file__).resolve().parents[2]


def test_a_checkout_finds_resources_and_models_beside_app() -> None:
    assert find_shipped() == ROOT


def test_a_frozen_bundle_finds_them_where_it_unpacks_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "resources").mkdir()
    (tmp_path / "models").mkdir()
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)

    assert find_shipped() == tmp_path


def test_a_frozen_bundle_without_models_does_not_take_an_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "resources").mkdir()
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)

    assert find_shipped() == ROOT


def test_folders_that_are_nowhere_are_named_in_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages" / "app"
    package.mkdir(parents=True)
    monkeypatch.setattr(places, "__file__", str(package / "places.py"))

    with pytest.raises(FileNotFoundError, match="site-packages"):
        find_shipped()


def test_easel_home_replaces_every_folder_of_the_person(tmp_path: Path) -> None:
    folders = find_folders({"EASEL_HOME": str(tmp_path)})

    mine = (folders.pictures, folders.support, folders.caches, folders.logs)
    assert all(folder.is_relative_to(tmp_path) for folder in mine)
    assert len(set(mine)) == 4


def test_easel_home_may_be_relative_or_start_with_a_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))

    assert find_folders({"EASEL_HOME": "here"}).support == tmp_path / "here"
    assert find_folders({"EASEL_HOME": "~/there"}).support == tmp_path / "me" / "there"


@pytest.mark.parametrize("environ", [{}, {"EASEL_HOME": ""}])
def test_without_easel_home_the_system_s_own_folders_are_used(environ: dict[str, str]) -> None:
    folders = find_folders(environ)

    assert folders.pictures.name == "Easel"
    assert all(folder.is_absolute() for folder in (folders.support, folders.caches, folders.logs))
    assert folders.support != folders.caches


def test_finding_folders_makes_none(tmp_path: Path) -> None:
    find_folders({"EASEL_HOME": str(tmp_path / "new")})

    assert not (tmp_path / "new").exists()
