"""Single files become what Easel draws with, tensor by tensor what they were."""

from __future__ import annotations

import functools
import hashlib
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from app.convert.importing import Brought, Importing, Stage, bring_in
from app.core.card import Kind
from app.core.errors import ImportRefused, NoSpace
from app.core.events import Finished, Task
from app.core.model import Family
from app.core.placement import Placement
from app.core.recipe import Recipe, Scheduler, Size
from app.engine.model_folder import read_model
from app.engine.torch.engine import TorchEngine
from app.jobs.limited_child import Bounds, run_limited
from tests.convert.ldm_layout import single_file, vae_state

KINDS = ("sd1", "sd2", "sdxl")
Source = Callable[[str], Path]
State = dict[str, torch.Tensor]


def brought(file: Path, staging: Path, resources: Path) -> tuple[Brought | None, list[Importing]]:
    events: list[Importing] = []
    return bring_in(file, staging, resources, events.append, lambda: False), events


def saved(state: State, file: Path) -> Path:
    save_file(state, file)
    return file


def pickled(state: object, file: Path) -> Path:
    torch.save(state, file)
    return file


def lora(width: int, form: str = "kohya") -> State:
    stem, down, up = {
        "kohya": (
            "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k",
            "lora_down",
            "lora_up",
        ),
        "peft": ("unet.down_blocks.0.attentions.0.attn2.to_k", "lora_A", "lora_B"),
        "diffusers": (
            "unet.down_blocks.0.attentions.0.attn2.processor.to_k_lora",
            "down",
            "up",
        ),
        "lora": ("unet.down_blocks.0.attentions.0.attn2.to_k", "lora.down", "lora.up"),
    }[form]
    if form == "diffusers":
        stem, down, up = (
            stem.removesuffix("_lora"),
            "lora_linear_layer.down",
            "lora_linear_layer.up",
        )
    state = {
        f"{stem}.{down}.weight": torch.ones(2, width),
        f"{stem}.{up}.weight": torch.ones(320, 2),
    }
    if form == "kohya":
        state[f"{stem}.alpha"] = torch.tensor(2.0)
    return state


# --- checkpoints ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["safetensors", "fp32", "ckpt", "legacy"])
def test_a_checkpoint_comes_out_tensor_by_tensor(
    kind: str, form: str, tiny_source: Source, tiny_resources: Source, tmp_path: Path
) -> None:
    state = single_file(kind, tiny_source(kind))
    if form == "safetensors":
        file = saved(state, tmp_path / "model.safetensors")
    elif form == "fp32":
        wide = {n: t.float() if t.is_floating_point() else t for n, t in state.items()}
        file = saved(wide, tmp_path / "model.safetensors")
    else:
        file = tmp_path / "model.ckpt"
        whole = {"state_dict": state, "epoch": 3, "global_step": 470_000}
        torch.save(whole, file, _use_new_zipfile_serialization=form == "ckpt")

    result, events = brought(file, tmp_path / "staging", tiny_resources(kind))

    assert result is not None
    assert (result.kind, result.family) == (Kind.DIFFUSERS, Family(kind))
    assert not result.inpainting
    staging = tmp_path / "staging"
    assert same_weights(staging, tiny_source(kind))
    assert read_model(staging).family is Family(kind)
    assert proven(staging, result)
    stages = [event.stage for event in events]
    assert stages == sorted(stages, key=list(Stage).index)
    assert events[-1].done == events[-1].total == len(result.files)


def test_what_was_brought_in_draws_the_same_picture(
    tiny_source: Source, tiny_resources: Source, tmp_path: Path
) -> None:
    file = saved(single_file("sd1", tiny_source("sd1")), tmp_path / "m.safetensors")
    brought(file, tmp_path / "staging", tiny_resources("sd1"))

    pictures = []
    for folder in (tiny_source("sd1"), tmp_path / "staging"):
        engine = TorchEngine(dtype=torch.float32)
        model = read_model(folder)
        recipe = Recipe("a red apple", model.id, Size(64, 64), 2, 4.0, 1, Scheduler.DPMPP_2M_KARRAS)
        ending = engine.draw(
            Task("job", recipe, model, Placement.CPU), lambda _: None, lambda: False
        )
        assert isinstance(ending, Finished), ending
        pictures.append(ending.pixels.rgb)
        engine.close()

    assert pictures[0] == pictures[1]


@pytest.mark.parametrize("kind", KINDS)
def test_an_inpainting_checkpoint_keeps_its_nine_channels(
    kind: str, tiny_source: Source, tiny_resources: Source, tmp_path: Path
) -> None:
    state = single_file(kind, tiny_source(kind))
    first = "model.diffusion_model.input_blocks.0.0.weight"
    state[first] = torch.cat([state[first], torch.ones(16, 5, 3, 3, dtype=torch.float16)], dim=1)

    result, _ = brought(
        saved(state, tmp_path / "inpaint.safetensors"), tmp_path / "staging", tiny_resources(kind)
    )

    assert result is not None
    assert result.inpainting
    unet = load_file(tmp_path / "staging" / "unet" / "diffusion_pytorch_model.safetensors")
    assert torch.equal(unet["conv_in.weight"], state[first])
    assert "Inpaint" in (tmp_path / "staging" / "model_index.json").read_text()
    assert read_model((tmp_path / "staging").absolute()).family is Family(kind)


def test_old_and_extra_names_do_no_harm(
    tiny_source: Source, tiny_resources: Source, tmp_path: Path
) -> None:
    """Without "text_model.", with moving averages and an optimiser's leftovers beside it."""
    state = {
        name.replace(".text_model.", "."): tensor
        for name, tensor in single_file("sd1", tiny_source("sd1")).items()
    }
    state["model_ema.decay"] = torch.tensor(0.9999)
    state["betas"] = torch.ones(1000)
    state["cond_stage_model.transformer.vision_model.x"] = torch.ones(3, dtype=torch.float16)

    brought(saved(state, tmp_path / "m.safetensors"), tmp_path / "s", tiny_resources("sd1"))

    assert same_weights(tmp_path / "s", tiny_source("sd1"))


# --- smaller things -------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["ldm", "prefixed", "diffusers", "ckpt"])
def test_an_autoencoder_becomes_a_component(
    layout: str, tiny_source: Source, tiny_resources: Source, tmp_path: Path
) -> None:
    source = load_file(tiny_source("sd1") / "vae" / "diffusion_pytorch_model.safetensors")
    state = source if layout == "diffusers" else vae_state(source)
    if layout == "prefixed":
        state = {f"first_stage_model.{name}": tensor for name, tensor in state.items()}
    state = {name: tensor.contiguous() for name, tensor in state.items()}
    if layout == "ckpt":
        file = pickled({"state_dict": state}, tmp_path / "vae.pt")
    else:
        file = saved(state, tmp_path / "vae.safetensors")

    result, _ = brought(file, tmp_path / "staging", tiny_resources("sd1"))

    assert result is not None
    assert (result.kind, result.family) == (Kind.VAE, Family.SD1)
    there = load_file(tmp_path / "staging" / "diffusion_pytorch_model.safetensors")
    assert there.keys() == source.keys()
    assert all(torch.equal(there[name], source[name]) for name in source)


@pytest.mark.parametrize("form", ["kohya", "peft", "diffusers", "lora"])
@pytest.mark.parametrize(("width", "family"), [(768, "sd1"), (1024, "sd2"), (2048, "sdxl")])
def test_a_lora_is_copied_with_its_family(
    form: str, width: int, family: str, tmp_path: Path
) -> None:
    state = lora(width, form)

    result, _ = brought(saved(state, tmp_path / "l.safetensors"), tmp_path / "s", tmp_path)

    assert result is not None
    assert (result.kind, result.family) == (Kind.LORA, Family(family))
    there = load_file(tmp_path / "s" / "lora.safetensors")
    assert all(torch.equal(there[name], state[name]) for name in state)
    assert proven(tmp_path / "s", result)


def test_of_a_loras_header_what_says_how_it_was_made_is_kept(tmp_path: Path) -> None:
    told = {"lora_adapter_metadata": '{"unet.lora_alpha": 6}', "other": "x", "format": "pt"}
    save_file(lora(768, "peft"), tmp_path / "l.safetensors", told)
    brought(tmp_path / "l.safetensors", tmp_path / "s", tmp_path)
    with safe_open(str(tmp_path / "s" / "lora.safetensors"), framework="pt") as there:
        assert there.metadata() == {key: told[key] for key in ("lora_adapter_metadata", "format")}


@pytest.mark.parametrize(
    ("state", "family"),
    [
        ({"emb_params": torch.ones(4, 768)}, "sd1"),
        ({"<cat>": torch.ones(1024)}, "sd2"),
        ({"clip_l": torch.ones(2, 768), "clip_g": torch.ones(2, 1280)}, "sdxl"),
    ],
)
@pytest.mark.parametrize("pickle", [False, True])
def test_an_embedding_is_copied_with_its_family(
    state: State, family: str, pickle: bool, tmp_path: Path
) -> None:
    file = pickled(state, tmp_path / "e.pt") if pickle else saved(state, tmp_path / "e.safetensors")

    result, _ = brought(file, tmp_path / "s", tmp_path)

    assert result is not None
    assert (result.kind, result.family) == (Kind.EMBEDDING, Family(family))


def test_an_embedding_of_the_first_program_is_known(tmp_path: Path) -> None:
    whole = {
        "string_to_token": {"*": 265},
        "string_to_param": {"*": torch.ones(2, 768)},
        "name": "cat",
        "step": 500,
        "sd_checkpoint": None,
    }
    result, _ = brought(pickled(whole, tmp_path / "cat.pt"), tmp_path / "s", tmp_path)
    assert result is not None
    assert result.kind is Kind.EMBEDDING


# --- in the limited child -----------------------------------------------------------------


def test_the_child_brings_it_in_and_tells_how_far_it_is(
    tiny_source: Source, tiny_resources: Source, tmp_path: Path
) -> None:
    file = pickled(single_file("sd1", tiny_source("sd1")), tmp_path / "m.ckpt")
    events: list[Importing] = []
    work = functools.partial(bring_in, file, tmp_path / "s", tiny_resources("sd1"))

    result = run_limited(work, str(file), Bounds.for_file(10_000_000), events.append, lambda: False)

    assert result is not None
    assert proven(tmp_path / "s", result)
    assert [event.part for event in events if event.stage is Stage.CONVERTING] == [
        "unet",
        "vae",
        "text_encoder",
    ]


def test_naming_the_work_does_not_bring_torch_into_the_window_s_process() -> None:
    code = (
        "import sys, app.convert.importing, app.jobs.limited_child; print('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


# --- stopping, and trouble ------------------------------------------------------------------


@pytest.mark.parametrize("after", [0, 1, 2, 4, 8])
def test_stopped_anywhere_nothing_is_left(
    after: int, tiny_source: Source, tiny_resources: Source, tmp_path: Path
) -> None:
    file = saved(single_file("sd1", tiny_source("sd1")), tmp_path / "m.safetensors")
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > after

    result = bring_in(file, tmp_path / "staging", tiny_resources("sd1"), lambda _: None, cancelled)

    assert result is None
    assert not (tmp_path / "staging").exists()


def test_too_little_room_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = saved(lora(768), tmp_path / "l.safetensors")
    monkeypatch.setattr("app.convert.importing.free_bytes", lambda _: 1000)
    with pytest.raises(NoSpace) as caught:
        brought(file, tmp_path / "s", tmp_path)
    assert caught.value.free == 1000
    assert not (tmp_path / "s").exists()


def test_a_staging_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    file = saved(lora(768), tmp_path / "l.safetensors")
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "mine").touch()
    with pytest.raises(FileExistsError):
        brought(file, tmp_path / "s", tmp_path)
    assert (tmp_path / "s" / "mine").exists()


def test_a_value_that_fp16_cannot_hold_is_refused(
    tiny_source: Source, tiny_resources: Source, tmp_path: Path
) -> None:
    state = single_file("sd1", tiny_source("sd1"))
    state["first_stage_model.quant_conv.bias"] = torch.full((8,), 70_000.0)
    file = saved(state, tmp_path / "m.safetensors")
    with pytest.raises(ImportRefused) as caught:
        brought(file, tmp_path / "s", tiny_resources("sd1"))
    assert caught.value == ImportRefused(str(file), "not finite")
    assert not (tmp_path / "s").exists()


# --- looking at results ---------------------------------------------------------------------


def same_weights(folder: Path, source: Path) -> bool:
    files = sorted(path.relative_to(source) for path in source.rglob("*.safetensors"))
    assert files == sorted(path.relative_to(folder) for path in folder.rglob("*.safetensors"))
    for name in files:
        ours, theirs = load_file(folder / name), load_file(source / name)
        assert ours.keys() == theirs.keys(), name
        for key, tensor in theirs.items():
            assert ours[key].dtype is torch.float16
            assert torch.equal(ours[key], tensor), (name, key)
    return True


def proven(folder: Path, result: Brought) -> bool:
    there = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    assert [file.path for file in result.files] == there
    for file in result.files:
        content = (folder / file.path).read_bytes()
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    return True
