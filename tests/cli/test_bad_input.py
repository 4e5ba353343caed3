"""What cannot be, what the world does: a sentence, a next step, a code, nothing half-written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from app.cli import main
from app.cli.output_file import OutputFile
from app.core.errors import BlackResult, FolderNotWritable, OutOfMemory, RecipeProblem
from app.core.events import Cancelled, Finished, Task
from app.engine.contract import Engine, IsCancelled, Report
from app.library.library import Library, read_picture
from tests.cli.conftest import Run
from tests.cli.numpy_easel import NumpyEasel
from tests.engine.numpy_engine import NumpyEngine
from tests.files.test_atomic_file import disk_full_after
from tests.library.examples import finished, recipe

Pictures = Callable[[], list[Path]]

CANNOT_BE = [
    (["generate"], "There is no prompt given."),
    (["generate", ""], "The prompt is empty."),
    (["generate", " \n\t "], "The prompt is empty."),
    (["generate", "\0"], "The prompt is empty."),
    (["generate", "x" * 100_001], "The prompt is too long."),
    (["generate", "a", "--size", "0"], "The size cannot be 0x0."),
    (["generate", "a", "--size", "0x64"], "The size cannot be 0x64."),
    (["generate", "a", "--size", "7"], "The size cannot be 7x7."),
    (["generate", "a", "--size", "100000x100000"], "The size cannot be 100000x100000."),
    (["generate", "a", "--size", "big"], "That is not a size."),
    (["generate", "a", "--seed", "-1"], "The seed cannot be -1."),
    (["generate", "a", "--seed", "4294967296"], "The seed cannot be 4294967296."),
    (["generate", "a", "--seed", "1.5"], "The seed has to be a whole number."),
    (["generate", "a", "--seed", "١٢"], "The seed has to be a whole number."),
    (["generate", "a", "--steps", "0"], "The number of steps cannot be 0."),
    (["generate", "a", "--steps", "9" * 30], "The number of steps cannot be 9"),
    (["generate", "a", "--steps", "9" * 5000], "The number of steps has to be a whole number."),
    (["generate", "a", "--steps", "many"], "The number of steps has to be a whole number."),
    (["generate", "a", "--guidance", "nan"], "The guidance cannot be nan."),
    (["generate", "a", "--guidance", "lots"], "The guidance has to be a number."),
    (["generate", "a", "--count", "0"], "The number of pictures cannot be 0."),
    (["generate", "a", "--count", "101"], "The number of pictures cannot be 101."),
    (["generate", "a", "--scheduler", "magic"], "That scheduler is not available."),
    (["generate", "a", "--model", "magic"], "There is no such model."),
    (["generate", "a", "-o", "a.tiff"], "The picture cannot be written in that form."),
    (["generate", "a", "-o", "a"], "The picture cannot be written in that form."),
    (["generate", "a", "--mask", "m.png"], "--mask needs a starting picture."),
    (["generate", "a", "--strength", "0.5"], "--strength needs a starting picture."),
    (["generate", "a", "--frobnicate"], "Easel does not know what to do with “--frobnicate”."),
    (["generate", "a", "b"], "Easel does not know what to do with “b”."),
    (["generate", "a", "--seed"], "Something has to follow --seed."),
    (["draw", "a"], "Easel has no command “draw”"),
    ([], "There is no command given."),
    (["--fast"], ""),
]


@pytest.mark.parametrize(("argv", "said"), CANNOT_BE, ids=lambda value: str(value)[:50])
def test_what_cannot_be_ends_with_2_and_says_what_would_do(
    run: Run, easel: NumpyEasel, pictures: Pictures, argv: list[str], said: str
) -> None:
    ran = run(*argv)
    assert ran.code == 2
    assert ran.out == ""
    assert said in ran.err
    assert len(ran.err.strip()) > len(said) + 10, "a next step"
    assert "Traceback" not in ran.err
    assert easel.sessions == 0
    assert pictures() == []


def test_with_json_a_problem_is_an_event(run: Run) -> None:
    ran = run("generate", "a", "--seed", "-1", "--json")
    assert (ran.code, ran.err) == (2, "")
    assert ran.events == [
        {
            "event": "failed",
            "error": "RecipeProblem",
            "field": "seed",
            "title": "The seed cannot be -1",
            "body": "It can be 0 to 4294967295.",
            "next_step": "Choose a value within that.",
        }
    ]
    assert run("draw", "--json").events[0]["error"] == "Usage"


def half_a_model(folder: Path) -> None:
    folder.mkdir()
    index = {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "text_encoder": ["transformers", "CLIPTextModel"],
    }
    (folder / "model_index.json").write_text(json.dumps(index))


def text_for_weights(folder: Path) -> None:
    half_a_model(folder)
    for part in ("unet", "vae", "text_encoder", "scheduler", "tokenizer"):
        (folder / part).mkdir()
        (folder / part / "config.json").write_text("{}")
    (folder / "scheduler" / "scheduler_config.json").write_text("{}")
    (folder / "tokenizer" / "tokenizer.json").write_text("{}")
    for part, stem in (
        ("unet", "diffusion_pytorch_model"),
        ("vae", "diffusion_pytorch_model"),
        ("text_encoder", "model"),
    ):
        (folder / part / f"{stem}.safetensors").write_text("I am a poem about weights.\n" * 10)


def another_family(folder: Path) -> None:
    half_a_model(folder)
    (folder / "model_index.json").write_text('{"_class_name": "FluxPipeline"}')


def index_of_rubbish(folder: Path) -> None:
    half_a_model(folder)
    (folder / "model_index.json").write_text("not json")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: None, "The model is not there."),  # noqa: ARG005
        (lambda folder: folder.write_text("a file"), "The model is not there."),
        (lambda folder: folder.mkdir(), "The model is not complete."),
        (half_a_model, "The model is not complete."),
        (text_for_weights, "The model is damaged."),
        (index_of_rubbish, "The model is damaged."),
        (another_family, "Easel cannot draw with this model."),
    ],
    ids=["missing", "a file", "empty", "half there", "text for weights", "rubbish", "other family"],
)
def test_a_model_folder_that_is_none_ends_with_1_and_says_what_is_wrong(
    run: Run, easel: NumpyEasel, tmp_path: Path, make: Callable[[Path], object], said: str
) -> None:
    make(tmp_path / "model")
    ran = run("generate", "a", "--model", str(tmp_path / "model"))
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err
    assert str(tmp_path / "model") in ran.err
    assert easel.sessions == 0


@pytest.mark.parametrize("name", ["~nobody-of-that-name/m", "./a\0b", "/" + "x" * 5000])
def test_a_model_path_that_cannot_be_one_is_a_missing_model(run: Run, name: str) -> None:
    ran = run("generate", "a", "--model", name)
    assert ran.code == 1
    assert "The model is not there." in ran.err


def test_without_any_model_generate_says_where_it_should_be(
    capsys: pytest.CaptureFixture[str], easel: NumpyEasel
) -> None:
    from app.compose import Easel

    bare = Easel(easel.folders, easel.settings)
    assert main(["generate", "a"], lambda: bare) == 1
    assert "The model is not complete." in capsys.readouterr().err
    assert main(["models"], lambda: bare) == 1
    assert str(easel.folders.starter) in capsys.readouterr().err
    assert main(["selftest"], lambda: bare) == 1
    assert "FAIL" in capsys.readouterr().out


def test_a_starting_picture_that_is_none_is_refused(
    run: Run, easel: NumpyEasel, tmp_path: Path
) -> None:
    (tmp_path / "poem.png").write_text("not a picture")
    for name, said in (("poem.png", "not a picture"), ("gone.png", "no such file")):
        ran = run("generate", "a", "--start", str(tmp_path / name))
        assert ran.code == 1
        assert said in ran.err
    assert easel.sessions == 0


def test_a_mask_of_another_size_is_refused(run: Run, tmp_path: Path) -> None:
    Image.new("RGB", (20, 10)).save(tmp_path / "start.png")
    Image.new("L", (10, 20)).save(tmp_path / "mask.png")
    ran = run(
        "generate",
        "a",
        "--start",
        str(tmp_path / "start.png"),
        "--mask",
        str(tmp_path / "mask.png"),
    )
    assert ran.code == 2
    assert "The mask does not fit the starting picture." in ran.err


def test_a_pictures_folder_that_cannot_be_written_falls_back_and_says_so(
    run: Run, easel: NumpyEasel, pictures: Pictures
) -> None:
    easel.folders.pictures.write_text("a file is in the way")
    ran = run("generate", "a")
    (file,) = pictures()
    assert file.is_relative_to(easel.folders.support)
    assert (ran.code, ran.out) == (0, f"{file}\n")
    assert "Saved in another folder." in ran.err
    assert str(easel.folders.pictures) in ran.err


def test_a_full_disk_ends_with_1_and_leaves_nothing(
    run: Run, pictures: Pictures, tmp_path: Path
) -> None:
    with disk_full_after(1000):
        ran = run("generate", "a", "--size", "128")
        named = run("generate", "a", "--size", "128", "-o", str(tmp_path / "a.png"))
    for each in (ran, named):
        assert (each.code, each.out) == (1, "")
        assert "The disk is full." in each.err
    assert pictures() == []
    assert not (tmp_path / "a.png").exists()
    assert not list(tmp_path.rglob(".easel-*"))


@pytest.mark.parametrize("name", ["a.png", "file/a.png", "file/b/a.png", "x" * 300 + ".png"])
def test_an_output_file_that_cannot_be_is_refused_before_drawing(
    run: Run, easel: NumpyEasel, tmp_path: Path, name: str
) -> None:
    (tmp_path / "a.png").mkdir()
    (tmp_path / "file").write_text("a file")
    ran = run("generate", "a", "-o", str(tmp_path / name))
    assert ran.code == 1
    assert "The folder cannot be written to." in ran.err
    assert easel.sessions == 0
    assert (tmp_path / "file").read_text() == "a file"


def test_an_output_file_that_cannot_be_written_in_the_end_is_kept_in_the_library(
    tmp_path: Path,
) -> None:
    library = Library(tmp_path / "pictures", tmp_path / "fallback")
    output = OutputFile(tmp_path / "out" / "a.png", 1, library)
    (tmp_path / "out").write_text("somebody has put a file here")
    picture = output.save(recipe(), finished())
    assert picture.fell_back == FolderNotWritable(str(tmp_path / "out"), "not a folder")
    assert picture.file.is_relative_to(tmp_path / "pictures")
    assert read_picture(picture.file).recipe == recipe()


def test_an_output_file_needs_a_suffix_that_easel_writes(tmp_path: Path) -> None:
    library = Library(tmp_path, tmp_path)
    for name in ("a", "a.gif", ".png", "png"):
        with pytest.raises(RecipeProblem):
            OutputFile(tmp_path / name, 1, library)


class _Failing(NumpyEngine):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def draw(self, task: Task, report: Report, cancelled: IsCancelled) -> Finished | Cancelled:
        if task.recipe.seed % 2 == 0:
            raise self._error
        return super().draw(task, report, cancelled)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OutOfMemory(), "There is not enough memory."),
        (BlackResult(), "The picture came out black."),
        (ZeroDivisionError("boom"), "This is a fault in Easel."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_goes_wrong_while_drawing_ends_with_1_and_the_rest_is_drawn(
    run: Run, tmp_path: Path, error: Exception, said: str
) -> None:
    def make() -> Engine:
        return _Failing(error)

    easel = NumpyEasel(tmp_path / "failing", make)
    ran = run("generate", "a", "--seed", "1", "--count", "3", easel=easel)
    assert ran.code == 1
    assert ran.err.count(said) == 1
    assert len(ran.out.splitlines()) == 2
    log = easel.folders.logs / "easel.log"
    if isinstance(error, ZeroDivisionError):
        assert str(log) in ran.err
        assert "boom" in log.read_text()
        assert "boom" not in ran.err
    else:
        assert not log.exists()


def test_a_fault_of_our_own_is_called_one_and_written_down(
    run: Run, easel: NumpyEasel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(easel, "models", lambda: 1 / 0)
    ran = run("generate", "a")
    assert (ran.code, ran.out) == (1, "")
    assert "This is a fault in Easel." in ran.err
    assert "ZeroDivisionError" in (easel.folders.logs / "easel.log").read_text()
    assert "ZeroDivisionError" not in ran.err


def test_damaged_settings_do_not_stop_a_command(run: Run, easel: NumpyEasel) -> None:
    easel.settings = replace(easel.settings, pictures_folder=os.fspath(easel.folders.caches))
    ran = run("generate", "a")
    assert ran.code == 0
    assert Path(ran.out.strip()).is_relative_to(easel.folders.caches)


def test_with_easel_home_too_the_fallback_is_another_folder(easel_home: Path) -> None:
    from app.compose import compose

    library = compose().library
    assert library.folder == easel_home / "Pictures"
    assert library.fallback != library.folder
    assert not library.fallback.is_relative_to(library.folder)
