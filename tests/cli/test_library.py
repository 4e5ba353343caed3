"""``easel library``: what lies in the folder is listed, found, and listed again from nothing."""

from __future__ import annotations

import json
from pathlib import Path

from app.library.library import Library
from tests.cli.conftest import Run
from tests.cli.numpy_easel import NumpyEasel
from tests.library import foreign_pictures as theirs


def test_pictures_that_were_drawn_are_listed_newest_first(run: Run) -> None:
    assert run("generate", "a red apple", "--seed", "1").code == 0
    assert run("generate", "a blue house", "--seed", "2").code == 0
    listed = run("library", "list")
    assert listed.code == 0
    assert [line.rpartition("  ")[2] for line in listed.out.splitlines()] == [
        "a blue house",
        "a red apple",
    ]


def test_search_finds_by_words_seed_and_json_tells_all(run: Run) -> None:
    for seed, prompt in (("1", "a red apple"), ("2", "a blue house")):
        run("generate", prompt, "--seed", seed)
    assert "a red apple" in run("library", "search", "app").out
    (found,) = json.loads(run("library", "search", "seed:2", "house", "--json").out)
    assert (found["prompt"], found["seed"], found["program"]) == ("a blue house", 2, "Easel")
    assert found["recipe"]["seed"] == 2
    assert Path(found["file"]).exists()
    none = run("library", "search", "elephant")
    assert (none.code, none.out) == (0, "")
    assert "No picture has all of that." in none.err


def test_rebuild_makes_the_same_list_from_the_files_alone(run: Run, easel: NumpyEasel) -> None:
    run("generate", "a red apple", "--count", "3")
    before = run("library", "list", "--json").out
    for file in easel.folders.support.glob("index.sqlite3*"):
        file.write_bytes(b"damaged") if file.suffix == ".sqlite3" else file.unlink()
    rebuilt = run("library", "rebuild", easel=NumpyEasel(easel.folders.support.parent))
    assert rebuilt.code == 0
    assert "3 pictures are listed." in rebuilt.err
    assert "The list of pictures was damaged." in rebuilt.err
    again = run("library", "list", "--json", easel=NumpyEasel(easel.folders.support.parent))
    assert json.loads(again.out) == json.loads(before)
    counted = run("library", "rebuild", "--json", easel=NumpyEasel(easel.folders.support.parent))
    assert counted.events == [{"event": "rebuilt", "pictures": 3}]


def test_an_empty_library_says_so(run: Run) -> None:
    listed = run("library", "list")
    assert (listed.code, listed.out, listed.err) == (0, "", "There is no picture.\n")


def test_a_newer_index_is_one_sentence(run: Run, easel: NumpyEasel) -> None:
    import sqlite3

    easel.folders.support.mkdir(parents=True)
    connection = sqlite3.connect(easel.folders.index)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    said = run("library", "list")
    assert said.code == 1
    assert said.err.startswith("The list of pictures is from a newer Easel.")
    assert run("generate", "a red apple").code == 0


def test_the_recipe_of_a_stranger_s_picture_is_told(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "theirs.png"
    file.write_bytes(theirs.comfy_png())
    said = run("library", "recipe", str(file))
    assert "program: ComfyUI" in said.out.splitlines()
    assert "size: 512x768" in said.out.splitlines()
    told = json.loads(run("library", "recipe", str(file), "--json").out)
    assert (told["seed"], told["loras"]) == (934966995009374, [["add_detail.safetensors", 0.8]])
    file.write_bytes(theirs.png())
    none = run("library", "recipe", str(file))
    assert none.code == 1
    assert "does not say how it was drawn" in none.err


def test_a_command_without_an_action_names_them(run: Run) -> None:
    said = run("library")
    assert said.code == 2
    assert "easel library --help" in said.err


def test_the_settings_say_the_form_and_the_names(run: Run, easel: NumpyEasel) -> None:
    from dataclasses import replace

    library: Library = easel.library
    easel.change_settings(
        replace(easel.settings, picture_suffix=".webp", name_template="{model}/{seed} {words}")
    )
    assert easel.library is library
    run("generate", "a red apple", "--seed", "7")
    (file,) = [f for f in easel.folders.pictures.rglob("*") if f.is_file()]
    assert file.name == "7 a-red-apple.webp"
    easel.change_settings(replace(easel.settings, picture_suffix=".exe", name_template="../{seed}"))
    run("generate", "a red apple", "--seed", "8")
    assert [f.name for f in easel.folders.pictures.rglob("*8*.png")] == ["a-red-apple-8.png"]
