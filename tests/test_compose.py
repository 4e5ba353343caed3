"""The composition root: what is built, from where, and that it draws."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from app.compose import Easel, compose
from app.core.card import CardFile, Kind, Origin, Receipt
from app.core.errors import AlreadyRunning, ModelIncomplete, ModelMissing
from app.core.model import Family
from app.core.recipe import Draft
from app.core.settings import Settings
from app.jobs.events import Saved
from app.weights import receipts
from tests.engine.numpy_engine import make_numpy_engine
from tests.jobs.hearing import Heard


@pytest.fixture
def easel(easel_home: Path) -> Easel:
    found = compose({"EASEL_HOME": str(easel_home)})
    return Easel(found.folders, found.settings, found.settings_problem, make_numpy_engine)


def install(easel: Easel, id: str) -> Path:
    """A model with its receipt: the starter's files under another name."""
    place = easel.folders.installed / id / "v1"
    shutil.copytree(easel.folders.starter, place)
    return with_receipt(place, id, Kind.DIFFUSERS)


def with_receipt(place: Path, id: str, kind: Kind, family: Family = Family.SD1) -> Path:
    files = tuple(
        CardFile(file.relative_to(place).as_posix(), file.stat().st_size, "0" * 64)
        for file in place.rglob("*")
        if file.is_file()
    )
    now = "2026-11-25T12:00:00+00:00"
    receipt = Receipt(id, id, kind, family, Origin.FILE, "mine", files, now)
    receipts.write(place, receipt)
    return place


def test_nothing_is_written_before_anything_is_done(easel: Easel, easel_home: Path) -> None:
    easel.models()
    easel.make_session().close()
    assert easel.settings == Settings()
    assert easel.settings_problem is None
    assert not easel_home.exists()


def test_the_starter_is_the_first_model_and_the_one_to_offer(easel: Easel) -> None:
    first = easel.models()[0]
    assert first.built_in
    assert easel.model() == first
    assert easel.model(first.id) == first
    assert easel.token_counter(first).count("a red apple") == 3
    assert easel.vocabulary(first).nouns


def test_installed_models_are_found_and_folders_without_a_good_receipt_are_not(
    easel: Easel,
) -> None:
    place = install(easel, "mine")
    bare = install(easel, "bare")
    (bare / "receipt.json").unlink()
    broken = install(easel, "broken")
    (broken / "unet" / "config.json").write_text("no JSON")
    assert [model.id for model in easel.models()][1:] == ["mine"]
    assert easel.model("mine").folder == str(place)
    easel.settings = replace(easel.settings, model="mine")
    assert easel.model().id == "mine"


def test_a_model_comes_with_what_is_installed_and_fits_it(easel: Easel) -> None:
    place = install(easel, "mine")
    for id, kind, family in (
        ("ink", Kind.LORA, Family.SD1),
        ("ink-xl", Kind.LORA, Family.SDXL),
        ("zebu", Kind.EMBEDDING, Family.SD1),
    ):
        folder = easel.folders.installed / id / "file"
        folder.mkdir(parents=True)
        save_file({"emb_params": torch.zeros(5, 768)}, folder / "weights.safetensors")
        with_receipt(folder, id, kind, family)
    starter, mine = easel.models()
    assert starter.adapters == ()
    assert [(one.id, one.vectors) for one in mine.adapters] == [("ink", 0), ("zebu", 5)]
    assert Path(mine.adapters[0].path).is_file()
    assert easel.model(str(place)).adapters == mine.adapters
    before = easel.token_counter(mine)
    assert before.count("a zebu") == 1 + 5
    assert easel.token_counter(replace(mine, adapters=())).count("a zebu") != 6
    assert easel.token_counter(mine) is before


def test_a_model_may_be_named_by_its_folder(easel: Easel, tmp_path: Path) -> None:
    assert easel.model(str(easel.folders.starter)).folder == str(easel.folders.starter)
    with pytest.raises(ModelMissing):
        easel.model("no/such/model")
    with pytest.raises(ModelIncomplete):
        easel.model(str(tmp_path))


def test_changed_settings_are_kept_and_move_the_pictures(easel: Easel, tmp_path: Path) -> None:
    library = easel.library
    assert library.folder == easel.folders.pictures
    easel.change_settings(replace(easel.settings, pictures_folder=str(tmp_path / "mine")))
    assert easel.library is library
    assert library.folder == tmp_path / "mine"
    again = compose({"EASEL_HOME": str(easel.folders.support)})
    assert again.settings.pictures_folder == str(tmp_path / "mine")


def test_the_window_is_locked_once(easel: Easel) -> None:
    lock = easel.lock_window()
    with pytest.raises(AlreadyRunning):
        easel.lock_window()
    lock.release()
    easel.lock_window().release()


def test_its_session_draws_in_a_child_process_and_saves_to_the_library(easel: Easel) -> None:
    heard = Heard()
    session = easel.make_session(heard)
    (job,) = session.submit(Draft("a red apple", steps=2), easel.model())
    saved = heard.ending(job.id)
    session.close()
    assert isinstance(saved, Saved)
    assert saved.picture.file.is_relative_to(easel.folders.pictures)
    assert easel.folders.journal.exists()


def test_a_command_s_session_saves_where_it_is_told_and_remembers_nothing(
    easel: Easel, tmp_path: Path
) -> None:
    from app.library.library import Library

    heard = Heard()
    session = easel.open_session(Library(tmp_path / "here", tmp_path / "there"))
    session.listen(heard)
    (job,) = session.submit(Draft("a red apple", steps=2), easel.model())
    saved = heard.ending(job.id)
    session.close()
    assert isinstance(saved, Saved)
    assert saved.picture.file.is_relative_to(tmp_path / "here")
    assert not easel.folders.journal.exists()


def test_its_gallery_lists_what_its_library_saves_and_follows_the_folder_that_is_set(
    easel: Easel, tmp_path: Path
) -> None:
    from tests.library.examples import finished, recipe

    gallery = easel.gallery
    assert easel.gallery is gallery
    here = easel.library.save(recipe("here", 1), finished(64, 64))
    assert [entry.file for entry in gallery.entries(gallery.keys())] == [here.file]
    easel.change_settings(replace(easel.settings, pictures_folder=str(tmp_path / "elsewhere")))
    there = easel.library.save(recipe("there", 2), finished(64, 64))
    gallery.refresh()
    assert [entry.file for entry in gallery.entries(gallery.keys())] == [there.file]
    assert easel.make_thumbnails().get(gallery.entries(gallery.keys())[0]).width == 64
    gallery.close()
