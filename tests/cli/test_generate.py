"""``easel generate`` draws, saves and says where; what goes well."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from app.cli import main
from app.core.adapter import Adapter
from app.core.card import Kind
from app.core.model import Family, Feature, Model
from app.core.recipe import LoraUse, Scheduler, Size
from app.core.recipe_json import from_dict
from app.library.library import read_picture
from tests.cli.conftest import Run
from tests.cli.numpy_easel import NumpyEasel
from tests.library.examples import AWKWARD

Pictures = Callable[[], list[Path]]


def test_without_o_the_picture_goes_into_the_pictures_folder(
    run: Run, pictures: Pictures, easel: NumpyEasel
) -> None:
    ran = run("generate", "a red apple", "--seed", "17")
    (file,) = pictures()
    assert ran.code == 0
    assert ran.out == f"{file}\n"
    assert file.name == "a-red-apple-17.png"
    assert file.parent.parent == easel.folders.pictures
    assert read_picture(file).recipe.seed == 17
    assert ran.err.count("\n") == 1
    assert "seed 17" in ran.err


def test_every_option_reaches_the_recipe(run: Run, tmp_path: Path) -> None:
    ran = run(
        "generate", "a dog", "-o", str(tmp_path / "dog.png"), "--negative", "blue", "--seed", "5",
        "--steps", "3", "--guidance", "2.5", "--size", "64x32", "--scheduler", "euler a",
        "--model", "numpy",
    )  # fmt: skip
    assert ran.code == 0
    recipe = read_picture(tmp_path / "dog.png").recipe
    assert (recipe.prompt, recipe.negative_prompt, recipe.seed) == ("a dog", "blue", 5)
    assert (recipe.steps, recipe.guidance) == (3, 2.5)
    assert (recipe.size, recipe.scheduler) == (Size(64, 32), Scheduler.EULER_A)
    assert recipe.model == "numpy"


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".webp", ".PNG"])
def test_o_writes_the_form_of_its_suffix(
    run: Run, tmp_path: Path, pictures: Pictures, suffix: str
) -> None:
    file = tmp_path / "new folder" / f"apple{suffix}"
    ran = run("generate", "a red apple", "-o", str(file), "--seed", "1")
    assert (ran.code, ran.out) == (0, f"{file}\n")
    with Image.open(file) as image:
        image.load()
        assert image.size == (64, 64)
    assert read_picture(file).recipe.prompt == "a red apple"
    assert pictures() == []
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_o_replaces_an_older_picture(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    for seed in ("1", "2"):
        assert run("generate", "a", "-o", str(file), "--seed", seed).code == 0
    assert read_picture(file).recipe.seed == 2


def test_several_pictures_with_o_are_numbered(run: Run, tmp_path: Path) -> None:
    ran = run("generate", "a", "-o", str(tmp_path / "a.png"), "--count", "3", "--seed", "7")
    files = [tmp_path / f"a-{n}.png" for n in (1, 2, 3)]
    assert ran.out.splitlines() == [str(file) for file in files]
    assert [read_picture(file).recipe.seed for file in files] == [7, 8, 9]
    assert not (tmp_path / "a.png").exists()


def test_a_count_of_three_equals_three_single_pictures(run: Run, tmp_path: Path) -> None:
    run("generate", "a", "-o", str(tmp_path / "many.png"), "--count", "3", "--seed", "7")
    for n in range(3):
        run("generate", "a", "-o", str(tmp_path / "one.png"), "--seed", str(7 + n))
        with (
            Image.open(tmp_path / "one.png") as one,
            Image.open(tmp_path / f"many-{n + 1}.png") as many,
        ):
            assert one.tobytes() == many.tobytes()


def test_a_starting_picture_and_a_mask_are_kept_and_named(
    run: Run, tmp_path: Path, easel: NumpyEasel
) -> None:
    Image.new("RGB", (20, 10), "red").save(tmp_path / "start.jpg")
    Image.new("L", (20, 10), 255).save(tmp_path / "mask.png")
    ran = run(
        "generate", "a", "-o", str(tmp_path / "a.png"), "--start", str(tmp_path / "start.jpg"),
        "--strength", "0.4", "--mask", str(tmp_path / "mask.png"),
    )  # fmt: skip
    assert ran.code == 0, ran.err
    start = read_picture(tmp_path / "a.png").recipe.start
    assert start is not None
    assert start.strength == 0.4
    assert start.mask is not None
    for file in (start.file, start.mask):
        assert Path(file).parent == easel.folders.starts
        assert Path(file).is_file()


@pytest.mark.parametrize("prompt", AWKWARD)
def test_any_prompt_is_drawn_saved_and_stored_exactly(
    run: Run, pictures: Pictures, prompt: str
) -> None:
    ran = run("generate", prompt, "--steps", "1")
    assert ran.code == 0, ran.err
    (file,) = pictures()
    assert ran.out == f"{file}\n"
    wanted = prompt.replace("\0", " ").encode("utf-8", "replace").decode()
    assert read_picture(file).recipe.prompt.replace("\ufffd", "?") == wanted.replace("\ufffd", "?")


def test_json_tells_each_step_and_each_picture(run: Run) -> None:
    ran = run("generate", "a", "--count", "2", "--steps", "3", "--seed", "4", "--json")
    assert (ran.code, ran.err) == (0, "")
    names = [event["event"] for event in ran.events]
    assert names[:2] == ["queued", "queued"]
    assert names.count("step") == 6
    assert names.count("saved") == 2
    steps = [event for event in ran.events if event["event"] == "step"]
    assert [(event["picture"], event["step"], event["steps"]) for event in steps] == [
        (picture, step, 3) for picture in (1, 2) for step in (1, 2, 3)
    ]
    for event in ran.events:
        if event["event"] == "saved":
            picture = read_picture(Path(event["file"]))
            assert picture.recipe == from_dict(event["recipe"])
            assert picture.created.isoformat() == event["created"]
            assert event["fell_back"] is None


class _Tty(io.StringIO):
    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_one_line_moves_and_is_gone_in_the_end(
    easel: NumpyEasel, monkeypatch: pytest.MonkeyPatch
) -> None:
    err, out = _Tty(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["generate", "a", "--steps", "4", "--count", "2"], lambda: easel) == 0
    shown = err.getvalue()
    assert "1 of 2  ██████░░░░░░░░░░░░░░░░░░ 1/4" in shown
    assert "2 of 2  ████████████████████████ 4/4" in shown
    assert "s a step, " in shown
    assert shown.count("\n") == 1
    assert shown.endswith("\r\x1b[K")
    assert len(out.getvalue().splitlines()) == 2


def test_a_progress_bar_is_never_wider_than_the_terminal(
    easel: NumpyEasel, monkeypatch: pytest.MonkeyPatch
) -> None:
    err = _Tty()
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setenv("COLUMNS", "40")
    assert main(["generate", "a", "--steps", "9"], lambda: easel) == 0
    for line in re.split(r"\r\x1b\[K|\n", err.getvalue()):
        if "/9" in line:
            assert len(line) < 40


def test_the_model_is_found_by_title_and_in_any_case(run: Run) -> None:
    for name in ("Numpy", "NUMPY", "numpy"):
        assert run("generate", "a", "--model", name, "--steps", "1").code == 0


def test_the_pictures_of_a_run_are_listed_even_when_one_fails(
    run: Run, tmp_path: Path, pictures: Pictures
) -> None:
    """The second of three cannot be written where it should be; the others are."""
    (tmp_path / "a-2.png").mkdir()
    ran = run("generate", "a", "-o", str(tmp_path / "a.png"), "--count", "3", "--json")
    saved = [Path(event["file"]) for event in ran.events if event["event"] == "saved"]
    assert ran.code == 1
    assert saved == [tmp_path / "a-1.png", *pictures(), tmp_path / "a-3.png"]
    assert json.dumps(ran.events).count("There is a folder where the file should be") == 1


class AdaptedEasel(NumpyEasel):
    """Has LoRAs and an autoencoder for its model, whose engine lays no hand on them."""

    def models(self) -> tuple[Model, ...]:
        (model,) = super().models()
        limits = replace(model.limits, features=frozenset(Feature))
        adapters = (
            Adapter("ink", "Ink: dark", Kind.LORA, Family.SD1, "/ink.safetensors"),
            Adapter("chalk", "Chalk", Kind.LORA, Family.SD1, "/chalk.safetensors"),
            Adapter("clear", "Clear", Kind.VAE, Family.SD1, "/clear"),
        )
        return (replace(model, limits=limits, adapters=adapters),)


def test_loras_and_an_autoencoder_are_in_the_recipe_that_the_picture_carries(
    run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "a.png"
    asked = ("--lora", "ink:-0.5", "--lora", "CHALK", "--lora", "ink: dark", "--vae", "Clear")
    ran = run("generate", "a", "-o", str(file), *asked, easel=AdaptedEasel(tmp_path / "other"))
    assert ran.code == 0, ran.err
    recipe = read_picture(file).recipe
    assert recipe.loras == (LoraUse("ink", -0.5), LoraUse("chalk", 1.0), LoraUse("ink", 1.0))
    assert recipe.vae == "clear"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("--lora", "tinsel"), "Choose one of these: ink, chalk."),
        (("--lora", "ink:3"), "It can be -2 to 2."),
        (("--lora", "ink:much"), "has to be a number"),
        (("--vae", "ink"), "Choose one of these: clear."),
    ],
)
def test_what_is_not_installed_is_told_before_anything_starts(
    run: Run, tmp_path: Path, asked: tuple[str, ...], words: str
) -> None:
    easel = AdaptedEasel(tmp_path / "other")
    ran = run("generate", "a", *asked, easel=easel)
    assert ran.code == 2
    assert words in ran.err
    assert easel.sessions == 0


def test_models_lists_what_is_installed_beside_them(run: Run, tmp_path: Path) -> None:
    easel = AdaptedEasel(tmp_path / "other")
    lines = run("models", easel=easel).out.splitlines()
    assert lines[-3:] == [
        "ink  Ink: dark, lora for numpy",
        "chalk  Chalk, lora for numpy",
        "clear  Clear, vae for numpy",
    ]
    (data,) = json.loads(run("models", "--json", easel=easel).out)
    assert data["adapters"][0] == {"id": "ink", "title": "Ink: dark", "kind": "lora"}


def test_where_none_is_installed_a_lora_is_refused(run: Run) -> None:
    ran = run("generate", "a", "--lora", "ink")
    assert ran.code == 2
    assert "This model has no use for a LoRA" in ran.err
