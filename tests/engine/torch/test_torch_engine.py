"""The torch engine: held to the contract, and what is its own."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.core.errors import (
    EaselError,
    ModelDamaged,
    ModelIncomplete,
    NotFinite,
    OutOfMemory,
    RecipeProblem,
)
from app.core.events import Finished, Loading, Pixels, Stepped, Task
from app.core.model import Model
from app.core.placement import Placement
from app.core.recipe import LoraUse, Recipe, Scheduler, Size
from app.engine.model_folder import read_model
from app.engine.torch.engine import TorchEngine
from tests.engine.conformance import CHECKS, Drawing, Subject
from tests.engine.conftest import TinyModel

KINDS = ("sd1", "sd2", "sdxl", "starter")


def recipe_for(model: Model, **changed: object) -> Recipe:
    """A quick recipe at the model's smallest size, but no smaller than 64 pixels a side."""
    side = max(64, model.limits.min_side)
    recipe = Recipe("a red apple", model.id, Size(side, side), 3, 4.0, 1, Scheduler.DPMPP_2M_KARRAS)
    return dataclasses.replace(recipe, **changed)  # type: ignore[arg-type]


def task_for(model: Model, **changed: object) -> Task:
    return Task("job", recipe_for(model, **changed), model, Placement.CPU)


def drawn(engine: TorchEngine, task: Task) -> Pixels:
    ending = engine.draw(task, lambda _: None, lambda: False)
    assert isinstance(ending, Finished)
    return ending.pixels


@pytest.fixture
def engine() -> Iterator[TorchEngine]:
    engine = TorchEngine(dtype=torch.float32)
    yield engine
    engine.close()


@pytest.fixture
def own_model(tiny_folder: Callable[..., Path], tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a tiny model that the test may damage."""
    return lambda kind: Path(shutil.copytree(tiny_folder(kind), tmp_path / kind))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_torch_engine_keeps_the_contract(
    check: Callable[[Subject], None], tiny_model: TinyModel
) -> None:
    model = tiny_model("starter")
    check(Subject(TorchEngine, model, recipe_for(model)))


@pytest.mark.parametrize("kind", KINDS)
def test_every_family_draws_in_any_dtype_its_file_may_have(
    kind: str, tiny_model: TinyModel
) -> None:
    for dtype in (torch.float32, torch.bfloat16):
        model = tiny_model(kind, "float16")
        engine = TorchEngine(dtype=dtype)
        drawing = Drawing(engine, task_for(model)).run()
        engine.close()
        assert len(drawing.picture) == 3 * recipe_for(model).size.width ** 2


def test_a_model_in_float16_draws_in_float16(tiny_model: TinyModel) -> None:
    engine = TorchEngine(dtype=torch.float16)
    model = tiny_model("sdxl", "float16")
    assert drawn(engine, task_for(model))
    engine.close()


@pytest.mark.parametrize("kind", ["sd1", "sdxl"])
def test_staged_and_resident_memory_give_the_same_bytes(kind: str, tiny_model: TinyModel) -> None:
    model = tiny_model(kind)
    pictures = set()
    for memory in ("staged", "resident"):
        engine = TorchEngine(memory=memory, dtype=torch.float32)  # type: ignore[arg-type]
        pictures |= {drawn(engine, task_for(model)).rgb, drawn(engine, task_for(model)).rgb}
        engine.close()
    assert len(pictures) == 1


def test_staged_memory_holds_one_network_at_a_time(tiny_model: TinyModel) -> None:
    import gc

    def networks() -> set[str]:
        gc.collect()
        kinds = ("UNet2DConditionModel", "AutoencoderKL", "CLIPTextModel")
        return {type(x).__name__ for x in gc.get_objects() if type(x).__name__ in kinds}

    engine = TorchEngine(memory="staged")
    seen: list[set[str]] = []
    engine.draw(task_for(tiny_model("sd1")), lambda _: seen.append(networks()), lambda: False)
    assert set().union(*seen[1:-1]) == {"UNet2DConditionModel"}
    assert networks() == {"AutoencoderKL"}
    engine.close()
    assert networks() == set()


def test_a_second_picture_loads_nothing_and_reads_the_same_prompt_once(
    engine: TorchEngine, tiny_model: TinyModel
) -> None:
    model = tiny_model("starter")
    assert isinstance(Drawing(engine, task_for(model)).run().reports[0], Loading)
    encoder = engine._networks._loaded["text_encoder"]  # type: ignore[union-attr]
    calls = []
    encoder.register_forward_hook(lambda *_: calls.append(1))
    again = Drawing(engine, task_for(model, seed=2)).run()
    assert not any(isinstance(progress, Loading) for progress in again.reports)
    assert calls == []
    drawn(engine, task_for(model, prompt="the blue house"))
    assert len(calls) == 2, "prompt and empty negative prompt"


def test_a_model_whose_files_have_changed_is_loaded_again(
    engine: TorchEngine, own_model: Callable[[str], Path]
) -> None:
    folder = own_model("starter")
    model = read_model(folder)
    before = drawn(engine, task_for(model))
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    weights["conv_out.bias"] += 0.5
    save_file(weights, file, {"format": "pt"})
    assert drawn(engine, task_for(model)) != before


@pytest.mark.parametrize(
    ("file", "key"),
    [
        ("text_encoder/model.safetensors", "text_model.final_layer_norm.weight"),
        ("unet/diffusion_pytorch_model.safetensors", "conv_out.weight"),
        ("vae/diffusion_pytorch_model.safetensors", "decoder.layers.0.weight"),
    ],
)
def test_nan_in_the_weights_names_the_file_and_the_engine_goes_on(
    engine: TorchEngine,
    own_model: Callable[[str], Path],
    tiny_model: TinyModel,
    file: str,
    key: str,
) -> None:
    folder = own_model("starter")
    weights = load_file(folder / file)
    found = key if key in weights else key.removeprefix("text_model.")
    weights[found][0] = float("nan")
    save_file(weights, folder / file, {"format": "pt"})
    with pytest.raises(ModelDamaged) as caught:
        drawn(engine, task_for(read_model(folder)))
    assert caught.value == ModelDamaged(str(folder / file), "not finite")
    assert drawn(engine, task_for(tiny_model("starter")))


def test_numbers_that_overflow_though_the_weights_are_sound_are_named_by_stage(
    engine: TorchEngine, own_model: Callable[[str], Path]
) -> None:
    folder = own_model("starter")
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    weights["conv_out.weight"] *= 3e38
    save_file(weights, file, {"format": "pt"})
    with pytest.raises(NotFinite) as caught:
        drawn(engine, task_for(read_model(folder)))
    assert caught.value.stage == "denoising"


def test_weights_of_another_shape_are_damage(
    engine: TorchEngine, own_model: Callable[[str], Path]
) -> None:
    folder = own_model("starter")
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    weights["conv_norm_out.weight"] = torch.zeros(3)
    save_file(weights, file, {"format": "pt"})
    with pytest.raises(ModelDamaged, match="mismatch"):
        drawn(engine, task_for(read_model(folder)))


def test_weights_that_lack_a_tensor_are_damage_and_not_filled_with_noise(
    engine: TorchEngine, own_model: Callable[[str], Path]
) -> None:
    folder = own_model("starter")
    for file, key in (
        ("unet/diffusion_pytorch_model.safetensors", "conv_norm_out.weight"),
        ("text_encoder/model.safetensors", None),
    ):
        path = folder / file
        weights = load_file(path)
        whole = dict(weights)
        del weights[key or next(name for name in weights if "final_layer_norm" in name)]
        save_file(weights, path, {"format": "pt"})
        with pytest.raises(ModelDamaged, match="mismatch"):
            drawn(engine, task_for(read_model(folder)))
        save_file(whole, path, {"format": "pt"})


def test_a_part_that_disappears_after_the_model_was_read_is_named(
    engine: TorchEngine, own_model: Callable[[str], Path]
) -> None:
    folder = own_model("starter")
    model = read_model(folder)
    shutil.rmtree(folder / "vae")
    with pytest.raises(ModelIncomplete) as caught:
        drawn(engine, task_for(model))
    assert caught.value.missing == ("vae/config.json",)


def test_a_tokenizer_of_noise_is_damage(
    engine: TorchEngine, own_model: Callable[[str], Path]
) -> None:
    folder = own_model("starter")
    (folder / "tokenizer" / "tokenizer.json").write_text(json.dumps({"model": 1}))
    with pytest.raises(ModelDamaged):
        drawn(engine, task_for(read_model(folder)))


def test_memory_running_out_is_named_and_the_networks_are_freed(
    engine: TorchEngine, tiny_model: TinyModel
) -> None:
    model = tiny_model("starter")
    drawn(engine, task_for(model))

    def fail(progress: object) -> None:
        if isinstance(progress, Stepped):
            torch.empty(1 << 60)

    with pytest.raises(OutOfMemory) as caught:
        engine.draw(task_for(model), fail, lambda: False)
    assert caught.value.free > 0
    assert engine._networks is None
    assert drawn(engine, task_for(model))


def test_an_exception_of_whoever_listens_is_a_bug_and_the_engine_goes_on(
    engine: TorchEngine, tiny_model: TinyModel
) -> None:
    model = tiny_model("starter")

    def fail(_: object) -> None:
        raise KeyError("listener")

    with pytest.raises(EaselError, match="listener"):
        engine.draw(task_for(model), fail, lambda: False)
    assert drawn(engine, task_for(model))


def test_a_lora_that_is_not_installed_is_refused_rather_than_ignored(
    engine: TorchEngine, tiny_model: TinyModel
) -> None:
    with pytest.raises(RecipeProblem):
        drawn(engine, task_for(tiny_model("starter"), loras=(LoraUse("ink"),)))


@pytest.mark.parametrize(
    "prompt",
    [
        " ",
        "\U0001f34e\U0001f469\u200d\U0001f680",
        "مرحبا بالعالم",
        "<|endoftext|>",
        "word " * 10_000,
    ],
    ids=["blank", "emoji", "right to left", "end mark", "10,000 words"],
)
def test_any_text_can_be_drawn(engine: TorchEngine, tiny_model: TinyModel, prompt: str) -> None:
    assert drawn(engine, task_for(tiny_model("starter"), prompt=prompt))


def test_the_negative_prompt_counts_only_with_guidance(
    engine: TorchEngine, tiny_model: TinyModel
) -> None:
    model = tiny_model("starter")

    def picture(**changed: object) -> Pixels:
        return drawn(engine, task_for(model, **changed))

    assert picture() != picture(negative_prompt="the dog")
    assert picture(guidance=1.0) == picture(guidance=1.0, negative_prompt="the dog")
    assert picture(guidance=1.0) != picture()


def test_other_shapes_than_the_square_are_drawn(engine: TorchEngine, tiny_model: TinyModel) -> None:
    model = tiny_model("sd1")
    pixels = drawn(engine, task_for(model, size=Size(136, 200)))
    assert (pixels.width, pixels.height) == (136, 200)
