"""An autoencoder in place of the model's own, and a tiny one for previews."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, AutoencoderTiny

from app.core.adapter import Adapter
from app.core.card import Kind
from app.core.errors import ModelDamaged, ModelMissing, RecipeProblem
from app.core.events import Decoding, Finished, Loading, Pixels, Stepped, Task
from app.core.model import Family, Model
from app.core.placement import Placement
from app.core.recipe import Recipe, Scheduler, Size
from app.engine.previews import ColourMatrix
from app.engine.torch.engine import TorchEngine
from app.engine.torch.tiny_previews import TinyPreviewer, load_tiny
from tests.engine.conftest import TinyModel


@pytest.fixture
def engine() -> Iterator[TorchEngine]:
    engine = TorchEngine(dtype=torch.float32)
    yield engine
    engine.close()


def kl(folder: Path, family: Family = Family.SD1, **changed: object) -> Adapter:
    """A tiny AutoencoderKL with weights of its own, as an import lays it down."""
    settings = {
        "block_out_channels": (8, 16, 16, 16),
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
        "norm_num_groups": 8,
        "latent_channels": 4,
    }
    torch.manual_seed(7)
    AutoencoderKL(**(settings | changed)).save_pretrained(folder)  # type: ignore[arg-type]
    return Adapter(folder.name, folder.name, Kind.VAE, family, str(folder))


def tiny(folder: Path, channels: int = 4) -> Adapter:
    torch.manual_seed(8)
    made = AutoencoderTiny(
        latent_channels=channels,
        encoder_block_out_channels=(8,) * 4,
        decoder_block_out_channels=(8,) * 4,
        num_encoder_blocks=(1, 1, 1, 1),
        num_decoder_blocks=(1, 1, 1, 1),
    )
    made.save_pretrained(folder)
    return Adapter("taesd", "TAESD", Kind.PREVIEWER, Family.SD1, str(folder))


def task(model: Model, *known: Adapter, vae: str | None = None, steps: int = 2) -> Task:
    side = max(64, model.limits.min_side)
    recipe = Recipe(
        "a red apple", model.id, Size(side, side), steps, 4.0, 1, Scheduler.EULER, vae=vae
    )
    return Task("job", recipe, dataclasses.replace(model, adapters=known), Placement.CPU)


def drawn(engine: TorchEngine, asked: Task, said: list[object] | None = None) -> Pixels:
    report = (lambda _: None) if said is None else said.append
    ending = engine.draw(asked, report, lambda: False)
    assert isinstance(ending, Finished)
    return ending.pixels


# --- in place of the model's own --------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sd1", "sd2"])
def test_the_chosen_one_decodes(
    kind: str, engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model, mine = tiny_model(kind), kl(tmp_path / "mine", scaling_factor=0.5)
    own = drawn(engine, task(model, mine))
    chosen = drawn(engine, task(model, mine, vae="mine"))
    assert chosen != own
    latents = {}
    assert engine._networks is not None
    network = engine._networks._loaded["vae"]
    network.decoder.register_forward_pre_hook(lambda _, args: latents.update(z=args[0]))
    assert drawn(engine, task(model, mine, vae="mine")) == chosen
    reference = AutoencoderKL.from_pretrained(mine.path, low_cpu_mem_usage=False).eval()
    with torch.inference_mode():
        image = reference.decoder(latents["z"])[0]
    levels = ((image / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0)
    assert np.abs(levels.numpy().astype(int).ravel() - list(chosen.rgb)).max() <= 1
    assert drawn(engine, task(model, mine)) == own, "and back"


@pytest.mark.parametrize(
    "changed",
    [
        {"latent_channels": 8},
        {
            "block_out_channels": (8, 16),
            "down_block_types": ("DownEncoderBlock2D",) * 2,
            "up_block_types": ("UpDecoderBlock2D",) * 2,
        },
    ],
    ids=["channels", "levels"],
)
def test_one_with_other_latents_is_refused(
    changed: dict[str, object], engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model, mine = tiny_model("sd1"), kl(tmp_path / "mine", **changed)
    with pytest.raises(RecipeProblem, match="an autoencoder for this kind of model"):
        drawn(engine, task(model, mine, vae="mine"))
    assert drawn(engine, task(model, mine))


def test_one_of_another_family_missing_or_damaged_is_named(
    engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model("sd1")
    other = kl(tmp_path / "xl", Family.SDXL)
    with pytest.raises(RecipeProblem) as caught:
        drawn(engine, task(model, other, vae="xl"))
    assert caught.value.field == "vae"
    mine = kl(tmp_path / "mine")
    weights = tmp_path / "mine" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-9])
    with pytest.raises(ModelDamaged, match="truncated"):
        drawn(engine, task(model, mine, vae="mine"))
    gone = dataclasses.replace(mine, path=str(tmp_path / "gone"))
    with pytest.raises(ModelMissing):
        drawn(engine, task(model, gone, vae="mine"))


# --- previews ---------------------------------------------------------------------------------


def previews(said: list[object]) -> list[Pixels]:
    return [one.preview for one in said if isinstance(one, Stepped) and one.preview]


@pytest.mark.parametrize("kind", ["sd1", "sd2"])
def test_a_tiny_autoencoder_makes_the_previews_and_changes_nothing_else(
    kind: str, engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model, taesd = tiny_model(kind), tiny(tmp_path / "taesd")
    plain: list[object] = []
    picture = drawn(engine, task(model), plain)
    said: list[object] = []
    assert drawn(engine, task(model, taesd), said) == picture
    side = picture.width
    assert {p.width for p in previews(plain)} == {side // 8}
    assert previews(said)[0].width == side // 2
    assert [type(one) for one in said if not isinstance(one, Loading)][-1] is Decoding


@pytest.mark.parametrize("kind", ["sdxl", "starter"])
def test_for_other_latents_it_is_left_alone(
    kind: str, engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model, said = tiny_model(kind), []
    drawn(engine, task(model, tiny(tmp_path / "taesd")), said)
    assert {p.width for p in previews(said)} == {max(64, model.limits.min_side) // 8}


def test_a_broken_one_is_no_reason_not_to_draw(
    engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model, taesd = tiny_model("sd1"), tiny(tmp_path / "taesd")
    weights = tmp_path / "taesd" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    said: list[object] = []
    assert drawn(engine, task(model, taesd), said)
    assert previews(said)[0].width == 128 // 8
    assert load_tiny(Path(tiny(tmp_path / "eight", 8).path), torch.device("cpu")) is None


def test_the_real_one_loads_with_the_description_that_easel_ships(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[3] / "resources" / "models" / "taesd" / "config.json"
    AutoencoderTiny.from_config(json.loads(shipped.read_text())).save_pretrained(tmp_path)
    shutil.copy(shipped, tmp_path / "config.json")
    loaded = load_tiny(tmp_path, torch.device("cpu"))
    assert loaded.decode(torch.zeros(1, 4, 8, 8)).sample.shape == (1, 3, 64, 64)


class Clock:
    """A clock that decoding, or a step, moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("cost", "wide"), [(0.3, 32), (0.5, 8)], ids=["cheap", "dear"])
def test_it_is_used_only_where_it_costs_less_than_a_third_of_a_step(
    cost: float, wide: int, tmp_path: Path
) -> None:
    clock, matrix = Clock(), ColourMatrix(((0.1, 0.1, 0.1),) * 4, (0.5, 0.5, 0.5))
    vae = load_tiny(Path(tiny(tmp_path / "taesd").path), torch.device("cpu"))

    def later(*_: object) -> None:
        clock.now += cost

    vae.decoder.register_forward_hook(later)
    previewer = TinyPreviewer(vae, matrix, clock)
    latents = np.random.default_rng(0).standard_normal((4, 8, 8)).astype(np.float32)
    widths = []
    for _ in range(5):
        clock.now += 1.0
        assert previewer.due()
        widths.append(previewer.make(latents).width)
    assert widths[:2] == [32, 32], "the first ones find out"
    assert set(widths[2:]) == {wide}


def test_one_that_overflows_is_not_asked_again(tmp_path: Path) -> None:
    vae = load_tiny(Path(tiny(tmp_path / "taesd").path), torch.device("cpu"))
    vae.decoder.layers[-1].bias.data.fill_(torch.inf)
    previewer = TinyPreviewer(vae, ColourMatrix(((0.1, 0.1, 0.1),) * 4, (0.5, 0.5, 0.5)), Clock())
    assert previewer.make(np.zeros((4, 8, 8), np.float32)).width == 8
    assert not previewer.is_cheap


def test_it_makes_at_most_ten_a_second(tmp_path: Path) -> None:
    clock, matrix = Clock(), ColourMatrix(((0.1, 0.1, 0.1),) * 4, (0.5, 0.5, 0.5))
    vae = load_tiny(Path(tiny(tmp_path / "taesd").path), torch.device("cpu"))
    previewer = TinyPreviewer(vae, matrix, clock)
    made = 0
    for _ in range(200):
        clock.now += 0.01
        if previewer.due():
            previewer.make(np.zeros((4, 8, 8), np.float32))
            made += 1
    assert 18 <= made <= 20
