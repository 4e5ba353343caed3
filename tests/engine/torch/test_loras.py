"""A LoRA changes a model as its low-rank products say, and leaves no trace."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from diffusers.loaders.lora_conversion_utils import (
    _convert_non_diffusers_lora_to_diffusers,
    _maybe_map_sgm_blocks_to_diffusers,
)
from safetensors.torch import save_file

from app.core.adapter import Adapter
from app.core.errors import ModelDamaged, ModelMissing, RecipeProblem
from app.core.events import Finished, PartlyUsed, Pixels, Task
from app.core.model import Family, Model
from app.core.placement import Placement
from app.core.recipe import LoraUse, Recipe, Scheduler, Size
from app.engine.model_folder import read_model
from app.engine.torch.engine import TorchEngine
from app.engine.torch.lora_file import open_lora
from app.engine.torch.lora_names import layers_of
from app.engine.torch.loras import lay_over
from app.engine.watch import Watch
from tests.engine.conftest import TinyModel
from tests.engine.torch.lora_examples import Form, Written, adapter, layers, merge

BOTH = ("unet", "text_encoder")
KEY = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
"""A layer of the tiny SD 1.x: 16 out, 32 in."""


@pytest.fixture
def engine() -> Iterator[TorchEngine]:
    engine = TorchEngine(dtype=torch.float32)
    yield engine
    engine.close()


def task(
    model: Model, *uses: tuple[Adapter, float], seed: int = 1, prompt: str = "a red apple"
) -> Task:
    side = max(64, model.limits.min_side)
    loras = tuple(LoraUse(lora.id, weight) for lora, weight in uses)
    recipe = Recipe(prompt, model.id, Size(side, side), 1, 4.0, seed, Scheduler.EULER, loras=loras)
    known = tuple(dict.fromkeys(lora for lora, _ in uses))
    return Task("job", recipe, dataclasses.replace(model, adapters=known), Placement.CPU)


def drawn(engine: TorchEngine, asked: Task, said: list[object] | None = None) -> Pixels:
    report = (lambda _: None) if said is None else said.append
    ending = engine.draw(asked, report, lambda: False)
    assert isinstance(ending, Finished)
    return ending.pixels


def apart(one: Pixels, other: Pixels) -> int:
    """The largest difference, in levels of 255."""
    left, right = (np.frombuffer(p.rgb, np.uint8).astype(int) for p in (one, other))
    return int(np.abs(left - right).max())


def networks_of(engine: TorchEngine) -> dict[str, torch.Tensor]:
    assert engine._networks is not None
    return {
        f"{name}.{key}": tensor.clone()
        for name, part in engine._networks._loaded.items()
        if isinstance(part, torch.nn.Module)
        for key, tensor in part.state_dict().items()
    }


@pytest.mark.parametrize(
    "form",
    ["kohya", "peft", *(pytest.param(f, marks=pytest.mark.slow) for f in ("ldm", "diffusers"))],
)
def test_it_draws_what_weights_merged_by_hand_draw(
    form: Form,
    engine: TorchEngine,
    tiny_folder: Callable[..., Path],
    tiny_model: TinyModel,
    tmp_path: Path,
) -> None:
    model = tiny_model("sd1")
    written = Written(Path(model.folder), form, BOTH)
    lora = written.save(tmp_path / "ink.safetensors")
    merged = Path(shutil.copytree(tiny_folder("sd1"), tmp_path / "merged"))
    merge(merged, (written, 0.7))
    said: list[object] = []
    ours = drawn(engine, task(model, (lora, 0.7)), said)
    assert not [one for one in said if isinstance(one, PartlyUsed)]
    assert apart(ours, drawn(engine, task(read_model(merged)))) <= 1
    assert apart(ours, drawn(engine, task(model))) > 5


@pytest.mark.parametrize("form", ["ldm", pytest.param("peft", marks=pytest.mark.slow)])
def test_sdxl_with_its_two_text_encoders_is_changed_too(
    form: Form, engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model("sdxl")
    written = Written(Path(model.folder), form, (*BOTH, "text_encoder_2"))
    lora = written.save(tmp_path / "ink.safetensors", Family.SDXL)
    merged = Path(shutil.copytree(model.folder, tmp_path / "merged"))
    merge(merged, (written, 1.0))
    ours = drawn(engine, task(model, (lora, 1.0)))
    assert apart(ours, drawn(engine, task(read_model(merged)))) <= 1


def test_several_add_up_whatever_their_order(
    engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model("sd1")
    one = Written(Path(model.folder), "kohya", BOTH)
    other = Written(Path(model.folder), "peft", ("unet",), seed=6)
    ink, chalk = one.save(tmp_path / "ink.safetensors"), other.save(tmp_path / "chalk.safetensors")
    merged = Path(shutil.copytree(model.folder, tmp_path / "merged"))
    merge(merged, (one, 1.2), (other, -0.8))
    ours = drawn(engine, task(model, (ink, 1.2), (chalk, -0.8)))
    assert apart(ours, drawn(engine, task(read_model(merged)))) <= 1
    assert apart(ours, drawn(engine, task(model, (chalk, -0.8), (ink, 1.2)))) <= 1


@pytest.mark.parametrize("memory", ["resident", pytest.param("staged", marks=pytest.mark.slow)])
def test_without_it_the_networks_are_bit_for_bit_what_they_were(
    memory: str, tiny_model: TinyModel, tmp_path: Path
) -> None:
    engine = TorchEngine(memory=memory, dtype=torch.bfloat16)  # type: ignore[arg-type]
    model = tiny_model("sd1", "float16")
    lora = Written(Path(model.folder), "kohya", BOTH).save(tmp_path / "ink.safetensors")
    plain, before = drawn(engine, task(model)), networks_of(engine)
    changed = drawn(engine, task(model, (lora, 1.0)))
    assert changed != plain
    assert drawn(engine, task(model, (lora, 1.0))) == changed, "reproduces"
    assert drawn(engine, task(model)) == plain
    drawn(engine, task(model, prompt="the dog"))  # the first prompt needs no encoder any more
    after = networks_of(engine)
    assert before.keys() == after.keys()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert drawn(engine, task(model, (lora, 1.0))) == changed
    engine.close()


def test_a_weight_of_nothing_is_no_lora_and_loads_nothing(
    engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model("sd1")
    lora = Written(Path(model.folder), "kohya", BOTH).save(tmp_path / "ink.safetensors")
    plain = drawn(engine, task(model))
    assert engine._networks is not None
    unet = engine._networks._loaded["unet"]
    assert drawn(engine, task(model, (lora, 0.0))) == plain
    assert engine._networks._loaded["unet"] is unet


def test_a_count_is_still_single_pictures_with_seeds_in_a_row(
    engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model("sd1")
    lora = Written(Path(model.folder), "peft", ("unet",)).save(tmp_path / "ink.safetensors")
    together = [drawn(engine, task(model, (lora, 0.5), seed=seed)) for seed in (5, 6, 7)]
    drawn(engine, task(model))
    assert drawn(engine, task(model, (lora, 0.5), seed=7)) == together[2]


def test_a_file_that_has_changed_is_read_again(
    engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model, file = tiny_model("sd1"), tmp_path / "ink.safetensors"
    lora = Written(Path(model.folder), "kohya", ("unet",)).save(file)
    before = drawn(engine, task(model, (lora, 1.0)))
    Written(Path(model.folder), "kohya", ("unet",), seed=9).save(file, Family.SD1)
    assert drawn(engine, task(model, (lora, 1.0))) != before


def test_a_convolution_may_have_a_middle(
    engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    """LoCon's three convolutions one after the other are one convolution by their product."""
    model = tiny_model("sd1")
    unet = UNet2DConditionModel.from_pretrained(f"{model.folder}/unet", low_cpu_mem_usage=False)
    layer = unet.down_blocks[0].resnets[0].conv1
    stem = "lora_unet_down_blocks_0_resnets_0_conv1"
    down, up = torch.randn(4, 16, 1, 1), torch.randn(16, 5, 1, 1)
    mid = torch.randn(5, 4, 3, 3)
    file = tmp_path / "locon.safetensors"
    state = {f"{stem}.lora_{n}.weight": t for n, t in (("down", down), ("up", up), ("mid", mid))}
    save_file(state, file)
    with open_lora(adapter(file)) as lora:
        (part,) = lora.parts
        lora.check(part, layer.weight)
        delta = torch.zeros_like(layer.weight)
        lora.add(part, 1.0, delta)
    x = torch.randn(1, 16, 9, 9)
    conv = torch.nn.functional.conv2d
    expected = conv(conv(conv(x, down), mid, padding=1), up)
    assert torch.allclose(conv(x, delta, padding=1), expected, atol=1e-3)
    assert drawn(engine, task(model, (adapter(file), 0.05)))


@pytest.mark.parametrize("kind", ["sd1", "sdxl"])
def test_names_mean_what_diffusers_takes_them_for(kind: str, tiny_model: TinyModel) -> None:
    """Every layer's kohya name, and for SDXL its LDM name, by diffusers' own translation."""
    folder = Path(tiny_model(kind).folder)
    unet = UNet2DConditionModel.from_pretrained(folder / "unet", low_cpu_mem_usage=False)
    modules = dict(unet.named_modules())
    known = layers_of(unet)
    written = Written(folder, "ldm" if kind == "sdxl" else "kohya", ("unet",))
    attended = {n: t for n, t in written.state.items() if "attn" in n and "to_out" not in n}
    if kind == "sdxl":
        attended = _maybe_map_sgm_blocks_to_diffusers(dict(attended), unet.config)
    theirs, _ = _convert_non_diffusers_lora_to_diffusers(dict(attended))
    bare = (name.removeprefix("unet.").replace(".processor", "") for name in theirs)
    names = {re.sub(r"_lora\.(down|up)\.weight$", "", name) for name in bare}
    assert len(names) > 10
    ours = {name for name in layers(folder, "unet") if "attn" in name and "to_out" not in name}
    assert names == ours
    for name in layers(folder, "unet"):
        assert known[name.replace(".", "_")] is modules[name]


def test_parts_without_a_place_are_counted_and_told(
    engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model("sd1")
    written = Written(Path(model.folder), "kohya", ("unet",))
    stranger = {
        "lora_unet_down_blocks_9_attentions_0_proj_in.lora_down.weight": torch.ones(2, 16),
        "lora_unet_down_blocks_9_attentions_0_proj_in.lora_up.weight": torch.ones(16, 2),
        "who_knows": torch.ones(1),
    }
    lora = written.save(tmp_path / "ink.safetensors", Family.SD1, **stranger)
    said: list[object] = []
    drawn(engine, task(model, (lora, 1.0)), said)
    told = [one for one in said if isinstance(one, PartlyUsed)]
    assert told == [PartlyUsed("job", "ink", len(written.deltas), 2)]


def test_one_of_another_family_is_refused_with_a_field(
    engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model("sd1")
    honest = Written(Path(tiny_model("sdxl").folder), "ldm", ("unet",))
    other = honest.save(tmp_path / "xl.safetensors", Family.SDXL)
    with pytest.raises(RecipeProblem) as caught:
        drawn(engine, task(model, (other, 1.0)))
    assert caught.value.field == "loras"
    lying = dataclasses.replace(other, family=Family.SD1)
    with pytest.raises(RecipeProblem, match="a LoRA for this kind of model"):
        drawn(engine, task(model, (lying, 1.0)))
    assert drawn(engine, task(model))


def _pair(down: torch.Tensor, up: torch.Tensor) -> dict[str, torch.Tensor]:
    return {f"{KEY}.lora_down.weight": down, f"{KEY}.lora_up.weight": up}


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (_pair(torch.full((2, 32), float("nan")), torch.ones(16, 2)), ModelDamaged),
        (_pair(torch.full((2, 32), 3e38), torch.full((16, 2), 3e38)), ModelDamaged),
        (
            _pair(torch.ones(2, 32), torch.ones(16, 2)) | {f"{KEY}.alpha": torch.tensor(torch.inf)},
            ModelDamaged,
        ),
        (_pair(torch.ones(2, 32).int(), torch.ones(16, 2).int()), ModelDamaged),
        (_pair(torch.ones(2, 31), torch.ones(16, 2)), RecipeProblem),
        (_pair(torch.ones(2, 32), torch.ones(17, 2)), RecipeProblem),
        (_pair(torch.ones(2, 32), torch.ones(16, 3)), RecipeProblem),
        (_pair(torch.ones(2, 32, 1, 1), torch.ones(16, 2, 3, 3)), RecipeProblem),
        (_pair(torch.ones(4096, 32), torch.ones(16, 4096)), RecipeProblem),
        (_pair(torch.ones(0, 32), torch.ones(16, 0)), RecipeProblem),
        (_pair(torch.ones(64), torch.ones(32)), RecipeProblem),
        ({f"{KEY}.lora_down.weight": torch.ones(2, 32)}, RecipeProblem),
        ({"nothing": torch.ones(3)}, RecipeProblem),
        (
            _pair(torch.ones(2, 32), torch.ones(16, 2)) | {f"{KEY}.dora_scale": torch.ones(16, 1)},
            RecipeProblem,
        ),
    ],
    ids=[
        "NaN", "too large", "infinite alpha", "integers", "narrow", "wide", "two ranks", "window",
        "giant rank", "no rank", "vectors", "half a pair", "no LoRA", "DoRA",
    ],
)  # fmt: skip
def test_a_hostile_file_is_refused_and_the_engine_goes_on(
    state: dict[str, torch.Tensor],
    error: type[Exception],
    engine: TorchEngine,
    tiny_model: TinyModel,
    tmp_path: Path,
) -> None:
    model, file = tiny_model("sd1"), tmp_path / "bad.safetensors"
    save_file(state, file)
    with pytest.raises(error) as caught:
        drawn(engine, task(model, (adapter(file), 1.0)))
    if isinstance(caught.value, ModelDamaged):
        assert caught.value.file == str(file), "the LoRA is damaged, not the model"
    assert drawn(engine, task(model))


def test_what_has_gone_or_is_no_safetensors_is_named(
    engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model, file = tiny_model("sd1"), tmp_path / "gone.safetensors"
    with pytest.raises(ModelMissing):
        drawn(engine, task(model, (adapter(file), 1.0)))
    file.write_bytes(b"PK\x03\x04 no weights at all")
    with pytest.raises(ModelDamaged, match="not safetensors"):
        drawn(engine, task(model, (adapter(file), 1.0)))


@pytest.mark.slow
def test_a_cancel_while_it_is_laid_over_leaves_no_half_changed_network(
    engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model("sd1")
    lora = Written(Path(model.folder), "kohya", ("unet",)).save(tmp_path / "ink.safetensors")
    plain, whole = drawn(engine, task(model)), drawn(engine, task(model, (lora, 1.0)))
    drawn(engine, task(model))
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 20

    engine.draw(task(model, (lora, 1.0)), lambda _: None, cancelled)
    assert asked == 21
    assert drawn(engine, task(model, (lora, 1.0))) == whole
    assert drawn(engine, task(model)) == plain


def test_the_layout_in_memory_stays(tiny_model: TinyModel, tmp_path: Path) -> None:
    """A CPU in bfloat16 draws a third faster with its convolutions' channels last."""
    folder = Path(tiny_model("sd1").folder)
    unet = UNet2DConditionModel.from_pretrained(folder / "unet", low_cpu_mem_usage=False)
    unet.to(torch.bfloat16).to(memory_format=torch.channels_last)
    before = {name: tensor.clone() for name, tensor in unet.state_dict().items()}
    written = Written(folder, "kohya", ("unet",))
    lora = written.save(tmp_path / "ink.safetensors")
    with torch.inference_mode():
        lay_over(unet, "unet", ((lora, 0.5),), Watch("job", lambda _: None, lambda: False))
    after = unet.state_dict()
    last = torch.channels_last
    for (_, name), delta in written.deltas.items():
        weight, was = after[f"{name}.weight"], before[f"{name}.weight"]
        assert weight.dtype is torch.bfloat16
        if was.ndim == 4:
            assert weight.is_contiguous(memory_format=last) == was.is_contiguous(memory_format=last)
        wanted = was.float() + 0.5 * delta
        assert torch.allclose(weight.float(), wanted, rtol=2**-7, atol=1e-6), "rounded once"
    untouched = set(before) - {f"{name}.weight" for _, name in written.deltas}
    assert untouched
    assert all(torch.equal(before[name], after[name]) for name in untouched)


@pytest.mark.parametrize(
    ("told", "scale"),
    [
        ({"r": 3, "lora_alpha": 6}, 2.0),
        ({"r": 3, "lora_alpha": 3, "alpha_pattern": {"attn2.to_k": 1.5}}, 0.5),
        ({"r": 3}, 1.0),
        ({"r": 3, "lora_alpha": "many", "alpha_pattern": [1]}, 1.0),
    ],
    ids=["network", "layer", "nothing", "nonsense"],
)
def test_alpha_is_taken_from_the_header_that_diffusers_writes(
    told: dict[str, object], scale: float, tmp_path: Path
) -> None:
    name = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"
    down, up = torch.randn(3, 32), torch.randn(16, 3)
    StableDiffusionPipeline.save_lora_weights(
        tmp_path,
        unet_lora_layers={f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up},
        unet_lora_adapter_metadata=told,
    )
    weight = torch.zeros(16, 32)
    with open_lora(adapter(tmp_path / "pytorch_lora_weights.safetensors")) as lora:
        lora.add(lora.parts[0], 1.0, weight)
    assert torch.allclose(weight, up @ down * scale, atol=1e-5)
