"""Folders in diffusers layout: sound ones are rebuilt, hostile ones refused by name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.convert.folder import look_through
from app.convert.importing import Brought, bring_in
from app.core.card import Kind
from app.core.errors import ImportRefused
from app.core.model import Family
from app.engine.model_folder import read_model
from tests.convert.test_importing import proven, same_weights
from tests.tiny_models import build_tiny

Source = Callable[[str], Path]
Change = Callable[[Path], object]


def brought(folder: Path, staging: Path) -> Brought | None:
    return bring_in(folder, staging, folder, lambda _: None, lambda: False)


@pytest.mark.parametrize("kind", ["sd1", "sd2", "sdxl"])
def test_a_folder_comes_out_tensor_by_tensor(
    kind: str, tiny_source: Source, tmp_path: Path
) -> None:
    result = brought(tiny_source(kind), tmp_path / "s")

    assert result is not None
    assert (result.kind, result.family) == (Kind.DIFFUSERS, Family(kind))
    assert same_weights(tmp_path / "s", tiny_source(kind))
    assert read_model(tmp_path / "s").limits == read_model(tiny_source(kind)).limits
    assert proven(tmp_path / "s", result)


def test_wide_weights_and_tiny_autoencoders_are_converted(tmp_path: Path) -> None:
    source = build_tiny("sd1", tmp_path / "source")
    result = brought(source, tmp_path / "s")
    assert result is not None
    unet = load_file(tmp_path / "s" / "unet" / "diffusion_pytorch_model.safetensors")
    assert {tensor.dtype for tensor in unet.values()} == {torch.float16}


def test_shards_are_put_together(tiny_source: Source, tmp_path: Path) -> None:
    folder = copied(tiny_source("sd1"), tmp_path)
    place = folder / "unet"
    state = load_file(place / "diffusion_pytorch_model.safetensors")
    (place / "diffusion_pytorch_model.safetensors").unlink()
    names = sorted(state)
    where: dict[str, str] = {}
    for number, half in enumerate((names[::2], names[1::2])):
        shard = f"part-{number}.safetensors"
        save_file({name: state[name] for name in half}, place / shard)
        where |= dict.fromkeys(half, shard)
    index = place / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": where}))

    brought(folder, tmp_path / "s")

    assert same_weights(tmp_path / "s", tiny_source("sd1"))


def test_what_loaders_would_act_on_is_left_out(tiny_source: Source, tmp_path: Path) -> None:
    folder = copied(tiny_source("sd1"), tmp_path)
    for part in ("unet", "vae", "text_encoder"):
        changed(f"{part}/config.json", _name_or_path="org/other", quantization_config={"a": "b"})(
            folder
        )
    changed("text_encoder/config.json", attn_implementation="org/kernels")(folder)
    changed("model_index.json", safety_checker=["stable_diffusion", "Checker"])(folder)

    brought(folder, tmp_path / "s")

    there = "".join(file.read_text() for file in (tmp_path / "s").glob("**/*config.json"))
    assert "org/" not in there
    assert "quantization" not in there
    assert "Checker" not in (tmp_path / "s" / "model_index.json").read_text()


# --- hostile ones ---------------------------------------------------------------------------


def copied(source: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(source, tmp_path / "folder"))


def changed(name: str, **values: Any) -> Change:
    def change(folder: Path) -> None:
        file = folder / name
        file.write_text(json.dumps(json.loads(file.read_text()) | values))

    return change


def written(name: str, content: bytes) -> Change:
    return lambda folder: (folder / name).write_bytes(content)


def removed(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


def both(one: Change, other: Change) -> Change:
    return lambda folder: (one(folder), other(folder))


WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
INDEX = "unet/diffusion_pytorch_model.safetensors.index.json"

HOSTILE: dict[str, tuple[str, Change]] = {
    "os.system": ("unknown objects", changed("model_index.json", unet=["os", "system"])),
    "Popen": (
        "unknown objects",
        changed("model_index.json", vae=["subprocess", "Popen"]),
    ),
    "antigravity": ("unknown objects", changed("model_index.json", scheduler=["antigravity", "x"])),
    "own class": ("unknown objects", changed("model_index.json", unet=["my_unet", "Mine"])),
    "another of diffusers": (
        "unknown objects",
        changed("model_index.json", unet=["diffusers", "ModelMixin"]),
    ),
    "one more part": ("unknown objects", changed("model_index.json", extra=["os", "system"])),
    "a remote pipeline": ("unknown objects", changed("model_index.json", _class_name="Mine")),
    "a list as pipeline": ("unknown objects", changed("model_index.json", _class_name=["a", "b"])),
    "three words": ("unknown objects", changed("model_index.json", unet=["a", "b", "c"])),
    "a class that is a list": (
        "unknown objects",
        changed("model_index.json", unet=["diffusers", ["UNet2DConditionModel"]]),
    ),
    "code beside it": ("code inside", written("pipeline.py", b"print()")),
    "code in a part": ("code inside", written("unet/my_unet.py", b"print()")),
    "auto_map": ("code inside", changed("text_encoder/config.json", auto_map={"AutoModel": "x.Y"})),
    "auto_map of a tokenizer": (
        "code inside",
        changed("tokenizer/tokenizer_config.json", auto_map={"AutoTokenizer": "x.Y"}),
    ),
    "own tokenizer": (
        "unknown objects",
        changed("tokenizer/tokenizer_config.json", tokenizer_class="Mine"),
    ),
    "config of another class": ("unknown objects", changed("unet/config.json", _class_name="Mine")),
    "text of another class": (
        "unknown objects",
        changed("text_encoder/config.json", architectures=["Mine"]),
    ),
    "absurd width": ("hostile", changed("unet/config.json", block_out_channels=[10**9])),
    "groups of nothing": ("damaged", changed("unet/config.json", norm_num_groups=0)),
    "a list as tokenizer": (
        "unknown objects",
        changed("tokenizer/tokenizer_config.json", tokenizer_class=["CLIPTokenizer"]),
    ),
    "absurd depth": ("hostile", changed("unet/config.json", layers_per_block=10**6)),
    "absurd text": ("hostile", changed("text_encoder/config.json", num_hidden_layers=10**5)),
    "absurd vocabulary": ("hostile", changed("text_encoder/config.json", vocab_size=10**12)),
    "not a number": ("hostile", changed("vae/config.json", scaling_factor=float("nan"))),
    "infinite": ("hostile", changed("scheduler/scheduler_config.json", beta_end=float("inf"))),
    "too large for a float": ("hostile", changed("vae/config.json", scaling_factor=10**400)),
    "ten thousand blocks": (
        "hostile",
        changed("unet/config.json", down_block_types=["DownBlock2D"] * 10_000),
    ),
    "a long text": ("hostile", changed("unet/config.json", act_fn="x" * 100_000)),
    "deep": ("hostile", changed("unet/config.json", act_fn=[[[[[1]]]]])),
    "unknown block": ("damaged", changed("unet/config.json", mid_block_type="os.system")),
    "unknown activation": ("damaged", changed("unet/config.json", act_fn="os.system")),
    "negative width": ("damaged", changed("text_encoder/config.json", hidden_size=-32)),
    "words for numbers": ("damaged", changed("unet/config.json", layers_per_block="many")),
    "other numbers": ("unknown family", changed("text_encoder/config.json", hidden_size=64)),
    "more layers than weights": (
        "damaged",
        changed("text_encoder/config.json", num_hidden_layers=3),
    ),
    "channels": ("unknown family", changed("unet/config.json", in_channels=8)),
    "index that is no JSON": ("damaged", written("model_index.json", b"{")),
    "index 100,000 deep": ("damaged", written("model_index.json", b"[" * 100_000)),
    "index that is a list": ("damaged", written("model_index.json", b"[]")),
    "no index": ("unknown format", removed("model_index.json")),
    "no scheduler": ("damaged", removed("scheduler/scheduler_config.json")),
    "no tokenizer": ("damaged", removed("tokenizer/tokenizer.json")),
    "no weights": ("damaged", removed(WEIGHTS)),
    "only a pickle": (
        "damaged",
        both(removed(WEIGHTS), written("unet/diffusion_pytorch_model.bin", b"\x80\x02.")),
    ),
    "weights that are words": ("unknown format", written(WEIGHTS, b"words" * 1000)),
    "shards elsewhere": (
        "unsafe names",
        both(removed(WEIGHTS), written(INDEX, b'{"weight_map": {"a": "../../x.safetensors"}}')),
    ),
    "shards nowhere": (
        "damaged",
        both(removed(WEIGHTS), written(INDEX, b'{"weight_map": {"a": "x.safetensors"}}')),
    ),
    "no shards": ("damaged", both(removed(WEIGHTS), written(INDEX, b'{"weight_map": {}}'))),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_folder_is_refused(name: str, tiny_source: Source, tmp_path: Path) -> None:
    reason, change = HOSTILE[name]
    folder = copied(tiny_source("sd1"), tmp_path)
    change(folder)

    with pytest.raises(ImportRefused) as caught:
        brought(folder, tmp_path / "s")

    assert caught.value.reason == reason
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_the_built_in_model_can_be_looked_through() -> None:
    """Its scheduler says "not clipped" as diffusers does: with a number that is minus infinity."""
    layout = look_through(Path(__file__).resolve().parents[2] / "models" / "starter")
    assert layout.scheduler["lambda_min_clipped"] == float("-inf")
