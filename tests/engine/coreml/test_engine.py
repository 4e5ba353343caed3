"""The Core ML engine keeps the contract, and what is its own: units, memory, guards, sizes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.core.adapter import Adapter
from app.core.card import Kind
from app.core.coreml_manifest import FILE_NAME, Part, Units, to_json
from app.core.errors import (
    BlackResult,
    Bug,
    EaselError,
    FlatResult,
    ModelDamaged,
    ModelIncomplete,
    NotFinite,
    OffScale,
    OutOfMemory,
    PlacementUnavailable,
    PredictionFailed,
    RecipeProblem,
)
from app.core.events import Finished, Task
from app.core.model import Model
from app.core.placement import Placement
from app.core.recipe import LoraUse, Recipe, Scheduler, Size, Start
from app.engine.coreml.engine import CoreMLEngine
from app.engine.coreml.model import read_coreml_model, read_manifest
from app.engine.coreml.runtime import Array
from tests.engine.conformance import CHECKS, Drawing, Subject
from tests.engine.coreml.conftest import TinyCoreML
from tests.engine.coreml.torch_runtime import TorchRuntime, write_folder

MAC = (Placement.COREML_NEURAL_ENGINE, Placement.COREML_GPU, Placement.CPU)
RECIPE = Recipe("a red apple", "m", Size(64, 64), 3, 4.0, 1, Scheduler.EULER)


def engine_on(runtime: TorchRuntime, **options: bool) -> CoreMLEngine:
    return CoreMLEngine(runtime, MAC, **options)  # type: ignore[arg-type]


def draw(
    engine: CoreMLEngine,
    model: Model,
    placement: Placement = Placement.CPU,
    **changed: object,
) -> Finished:
    recipe = replace(RECIPE, **changed)  # type: ignore[arg-type]
    ending = engine.draw(Task("job", recipe, model, placement), lambda _: None, lambda: False)
    assert isinstance(ending, Finished)
    return ending


def raised(engine: CoreMLEngine, model: Model, **changed: object) -> EaselError:
    with pytest.raises(EaselError) as caught:
        draw(engine, model, **changed)  # type: ignore[arg-type]
    return caught.value


@pytest.fixture
def starter(tiny_coreml: TinyCoreML) -> Model:
    return tiny_coreml("starter")


@pytest.mark.parametrize("staged", [False, True], ids=["resident", "staged"])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_it_keeps_the_contract(
    check: Callable[[Subject], None], staged: bool, starter: Model
) -> None:
    runtime = TorchRuntime()
    check(Subject(lambda: engine_on(runtime, staged=staged), starter, RECIPE))
    assert runtime.live == [], "models left open"


# Where each part runs


@pytest.mark.parametrize(
    ("placement", "text", "rest"),
    [
        (Placement.COREML_NEURAL_ENGINE, Units.CPU_AND_NEURAL_ENGINE, Units.CPU_AND_NEURAL_ENGINE),
        (Placement.COREML_GPU, Units.CPU, Units.CPU_AND_GPU),
        (Placement.CPU, Units.CPU, Units.CPU),
    ],
)
def test_the_placement_says_where_the_parts_run_but_text_never_on_the_gpu(
    placement: Placement, text: Units, rest: Units, starter: Model
) -> None:
    runtime = TorchRuntime()
    engine = engine_on(runtime)
    assert draw(engine, starter, placement).placement is placement
    engine.close()
    assert {part: units for part, units, _ in runtime.opened} == {
        Part.TEXT_ENCODER: text,
        Part.UNET: rest,
        Part.VAE_DECODER: rest,
    }


def test_a_part_that_may_not_run_there_runs_where_it_may(
    tiny_folder: Callable[..., Path], tmp_path: Path
) -> None:
    gpu = (Units.CPU_AND_GPU, Units.CPU)
    units = {Part.VAE_DECODER: gpu, Part.TEXT_ENCODER: (Units.CPU,)}
    folder = write_folder(tiny_folder("starter"), tmp_path / "m", (Size(64, 64),), units=units)
    runtime = TorchRuntime()
    engine = engine_on(runtime)
    draw(engine, read_coreml_model(folder), Placement.COREML_NEURAL_ENGINE)
    engine.close()
    opened = {part: units for part, units, _ in runtime.opened}
    assert opened[Part.VAE_DECODER] is Units.CPU_AND_GPU
    assert opened[Part.TEXT_ENCODER] is Units.CPU
    assert opened[Part.UNET] is Units.CPU_AND_NEURAL_ENGINE


def test_a_unet_is_not_tried_on_a_unit_that_it_is_not_made_for(
    tiny_folder: Callable[..., Path], tmp_path: Path
) -> None:
    units = {Part.UNET: (Units.CPU_AND_GPU,)}
    folder = write_folder(tiny_folder("starter"), tmp_path / "m", (Size(64, 64),), units=units)
    engine = engine_on(TorchRuntime())
    error = raised(engine, read_coreml_model(folder), placement=Placement.COREML_NEURAL_ENGINE)
    assert isinstance(error, PlacementUnavailable)
    draw(engine, read_coreml_model(folder), Placement.CPU)
    engine.close()


# Memory and loading


def test_staged_keeps_one_kind_of_network_open_and_resident_opens_each_once(
    tiny_coreml: TinyCoreML,
) -> None:
    sdxl = tiny_coreml("sdxl")
    staged, resident = TorchRuntime(), TorchRuntime()
    for runtime in (staged, resident):
        engine = engine_on(runtime, staged=runtime is staged)
        for seed in (1, 2):
            draw(engine, sdxl, seed=seed)
        engine.close()
    assert staged.most_live == 2, "both text encoders and nothing else"
    assert [part for part, _, _ in staged.opened].count(Part.UNET) == 2
    assert [part for part, _, _ in staged.opened].count(Part.TEXT_ENCODER) == 1, "prompt was kept"
    assert len(resident.opened) == 4


def test_another_size_takes_the_place_of_the_function_before_it(starter: Model) -> None:
    runtime = TorchRuntime()
    engine = engine_on(runtime)
    draw(engine, starter)
    draw(engine, starter, size=Size(64, 96))
    assert sorted(runtime.live) == [Part.TEXT_ENCODER, Part.UNET, Part.VAE_DECODER]
    draw(engine, starter, size=Size(64, 96), guidance=1.0)
    engine.close()
    functions = [function for part, _, function in runtime.opened if part == Part.UNET]
    assert functions == ["at_64x64_by_2", "at_64x96_by_2", "at_64x96_by_1"]


def test_warming_opens_what_a_draw_needs(starter: Model) -> None:
    runtime = TorchRuntime()
    engine = engine_on(runtime)
    engine.warm(starter, Placement.CPU, lambda: False)
    before = list(runtime.opened)
    draw(engine, starter, size=starter.limits.native)
    assert runtime.opened == before
    engine.close()


def test_warming_stops_between_two_networks(starter: Model) -> None:
    runtime = TorchRuntime()
    engine = engine_on(runtime)
    engine.warm(starter, Placement.CPU, lambda: len(runtime.opened) == 1)
    assert len(runtime.opened) == 1
    engine.close()


def test_a_folder_made_anew_is_opened_anew(
    tiny_folder: Callable[..., Path], tmp_path: Path
) -> None:
    folder = write_folder(tiny_folder("starter"), tmp_path / "m", (Size(64, 64),))
    runtime = TorchRuntime()
    engine = engine_on(runtime)
    model = read_coreml_model(folder)
    first = draw(engine, model).pixels
    manifest = read_manifest(folder)
    changed = replace(manifest, latent_scale=manifest.latent_scale * 2)
    (folder / FILE_NAME).write_text(to_json(changed), encoding="utf-8")
    assert draw(engine, model).pixels != first
    engine.close()
    assert len(runtime.opened) == 6


# What cannot be


def test_a_size_without_a_function_is_a_problem_of_the_recipe(starter: Model) -> None:
    engine = engine_on(TorchRuntime())
    assert raised(engine, starter, size=Size(96, 64)) == RecipeProblem(
        "size", "96x64", "64x64, 64x96"
    )
    assert isinstance(raised(engine, starter, loras=(LoraUse("x"),)), RecipeProblem)
    draw(engine, starter)
    engine.close()


def test_a_start_without_an_encoder_is_a_problem_of_the_recipe(
    tiny_folder: Callable[..., Path], tmp_path: Path
) -> None:
    folder = write_folder(tiny_folder("starter"), tmp_path / "m", (Size(64, 64),), encoder=False)
    file = tmp_path / "start.png"
    Image.new("RGB", (64, 64), "red").save(file)
    start = Start(str(file), hashlib.sha256(file.read_bytes()).hexdigest())
    engine = engine_on(TorchRuntime())
    error = raised(engine, read_coreml_model(folder), start=start)
    assert error == RecipeProblem("start", "", "a model that can do this")
    engine.close()


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (lambda folder: (folder / FILE_NAME).unlink(), ModelIncomplete),
        (lambda folder: (folder / FILE_NAME).write_text("{"), ModelDamaged),
        (lambda folder: (folder / FILE_NAME).write_text("{}"), ModelDamaged),
        (lambda folder: shutil.rmtree(folder / "Unet.mlpackage"), ModelIncomplete),
        (lambda folder: (folder / "Unet.mlpackage/source.txt").unlink(), ModelDamaged),
        (lambda folder: shutil.rmtree(folder / "tokenizer"), ModelIncomplete),
        (lambda folder: (folder / "tokenizer/tokenizer.json").write_text("{}"), ModelDamaged),
    ],
)
def test_a_folder_that_is_not_whole_is_named_and_a_mended_one_is_drawn(
    harm: Callable[[Path], object],
    expected: type[EaselError],
    tiny_folder: Callable[..., Path],
    tmp_path: Path,
) -> None:
    folder = write_folder(tiny_folder("starter"), tmp_path / "m", (Size(64, 64),))
    model = read_coreml_model(folder)
    shutil.copytree(folder, tmp_path / "whole")
    harm(folder)
    engine = engine_on(TorchRuntime())
    assert isinstance(raised(engine, model), expected)
    shutil.rmtree(folder)
    (tmp_path / "whole").rename(folder)
    draw(engine, model)
    engine.close()


# What comes out of the networks


def spoiled(part: str, change: Callable[[Array], Array]) -> TorchRuntime:
    runtime = TorchRuntime()
    runtime.spoil = lambda found, answers: (
        {name: change(answer) for name, answer in answers.items()} if found == part else answers
    )
    return runtime


@pytest.mark.parametrize(
    ("part", "change", "expected"),
    [
        (Part.TEXT_ENCODER, lambda x: x * np.nan, NotFinite("prompt")),
        (Part.UNET, lambda x: x * np.nan, NotFinite("denoising")),
        (Part.UNET, lambda x: np.where(x == x.max(), np.inf, x), NotFinite("denoising")),
        (Part.VAE_DECODER, lambda x: x * np.nan, NotFinite("decoding")),
        (Part.VAE_DECODER, lambda x: x * 0 - 1, BlackResult()),
        (Part.VAE_DECODER, lambda x: x * 0, FlatResult("#808080")),
    ],
)
def test_broken_numbers_are_found_out_and_the_networks_closed(
    part: str, change: Callable[[Array], Array], expected: EaselError, starter: Model
) -> None:
    runtime = spoiled(part, change)
    engine = engine_on(runtime)
    assert raised(engine, starter) == expected
    assert runtime.live == []
    runtime.spoil = lambda _, answers: answers
    draw(engine, starter)
    engine.close()


@pytest.mark.parametrize("scale", [1e4, -1e4])
def test_numbers_that_no_picture_has_are_found_out_at_the_first_step(
    scale: float, starter: Model
) -> None:
    runtime = spoiled(Part.UNET, lambda x: x * np.float32(scale))
    engine = engine_on(runtime)
    assert isinstance(raised(engine, starter), OffScale)
    assert [part for part, _ in runtime.predictions].count(Part.UNET) == 1
    engine.close()


@pytest.mark.parametrize(
    ("thrown", "expected"),
    [
        (MemoryError, OutOfMemory),
        (partial(PredictionFailed, "unet", "output"), PredictionFailed),
        (KeyError, Bug),
    ],
    ids=["memory", "prediction", "bug"],
)
def test_what_a_model_raises_comes_out_typed(
    thrown: Callable[[], Exception], expected: type[EaselError], starter: Model
) -> None:
    def throw(_: Array) -> Array:
        raise thrown()

    runtime = spoiled(Part.UNET, throw)
    engine = engine_on(runtime)
    assert isinstance(raised(engine, starter), expected)
    assert runtime.live == []
    engine.close()


def test_nothing_is_predicted_after_a_cancel_between_steps(starter: Model) -> None:
    runtime = TorchRuntime()
    engine = engine_on(runtime)
    task = Task("job", RECIPE, starter, Placement.CPU)
    Drawing(engine, task, lambda p: getattr(p, "step", 0) == 2).run()
    engine.close()
    assert [part for part, _ in runtime.predictions].count(Part.UNET) == 2


# What it needs

_CHILD = """
import json, sys
from pathlib import Path
import numpy as np
from app.core.events import Task
from app.core.placement import Placement
from app.core.recipe import Recipe, Scheduler, Size
from app.engine.coreml.engine import CoreMLEngine
from app.engine.coreml.model import read_coreml_model, read_manifest

class Made:
    '''Answers with smooth numbers of the declared shapes.'''
    def __init__(self, function):
        self.inputs = {one.name: one for one in function.inputs}
        self.outputs = {one.name: one for one in function.outputs}
    def predict(self, values):
        return {
            name: np.sin(np.arange(np.prod(spec.shape), dtype=np.float32)).reshape(spec.shape)
            for name, spec in self.outputs.items()
        }
    def close(self):
        pass

class Runtime:
    def open(self, path, units, function="main"):
        parts = read_manifest(path.parent).parts.values()
        part = next(part for part in parts if part.file == path.name)
        return Made(next(one for one in part.functions if one.name == function))

model = read_coreml_model(Path(sys.argv[1]))
engine = CoreMLEngine(Runtime(), (Placement.CPU,))
for scheduler in Scheduler:
    recipe = Recipe("a red apple", model.id, Size(64, 64), 3, 4.0, 1, scheduler)
    ending = engine.draw(Task("job", recipe, model, Placement.CPU), lambda _: None, lambda: False)
    assert len(ending.pixels.rgb) == 64 * 64 * 3
heavy = {"torch", "diffusers", "transformers", "coremltools", "scipy", "PySide6"}
print(json.dumps(sorted(heavy & set(sys.modules))))
"""


def test_drawing_needs_neither_torch_nor_its_libraries(starter: Model) -> None:
    """In a fresh interpreter, with a picture drawn by each scheduler."""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, starter.folder],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
        env=os.environ | {"PYTHONPATH": f"{os.environ['PYTHONPATH']}{os.pathsep}{root}"},
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


def test_the_word_of_an_embedding_is_refused_not_read_as_plain_words(starter: Model) -> None:
    word = Adapter("sks-dog", "sks-dog", Kind.EMBEDDING, starter.family, "/nowhere", 2)
    model = replace(starter, adapters=(word,))
    engine = engine_on(TorchRuntime())
    error = raised(engine, model, prompt="a SKS-dog on a house")
    assert error == RecipeProblem("prompt", "SKS-dog", "no embedding")
    error = raised(engine, model, negative_prompt="sks-dog")
    assert error == RecipeProblem("negative_prompt", "sks-dog", "no embedding")
    assert draw(engine, model, negative_prompt="sks-dog", guidance=1.0)
    assert draw(engine, model, prompt="a sks-dogs")
    engine.close()
