"""Image-to-image and inpainting, with every family's networks."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from app.core.errors import PictureUnreadable
from app.core.events import Finished, Task
from app.core.model import Model
from app.core.placement import Placement
from app.core.recipe import Recipe, Scheduler, Size, Start
from app.engine.torch.engine import TorchEngine
from tests.engine.conformance import CHECKS, Drawing, Subject
from tests.engine.conftest import TinyModel

KINDS = ("sd1", "sd2", "sdxl", "starter")


@pytest.fixture
def engine() -> Iterator[TorchEngine]:
    engine = TorchEngine(dtype=torch.float32)
    yield engine
    engine.close()


def side_of(model: Model) -> int:
    return max(64, model.limits.min_side)


def start_in(folder: Path, side: int, strength: float = 0.6, masked: bool = False) -> Start:
    """A colourful start, and a mask with a white square at the upper left when ``masked``."""
    file = folder / "start.png"
    Image.effect_noise((side, side), 90).convert("RGB").save(file)
    start = Start(str(file), hashlib.sha256(file.read_bytes()).hexdigest(), strength)
    if not masked:
        return start
    mask_file = folder / "mask.png"
    mask = Image.new("L", (side, side), 0)
    mask.paste(255, (0, 0, side // 2, side // 2))
    mask.save(mask_file)
    digest = hashlib.sha256(mask_file.read_bytes()).hexdigest()
    return dataclasses.replace(start, mask=str(mask_file), mask_sha256=digest)


def recipe_for(model: Model, start: Start | None, **changed: Any) -> Recipe:
    side = side_of(model)
    recipe = Recipe(
        "a red apple", model.id, Size(side, side), 6, 4.0, 1, Scheduler.EULER, start=start
    )
    return dataclasses.replace(recipe, **changed)


def drawn(engine: TorchEngine, model: Model, recipe: Recipe) -> npt.NDArray[np.uint8]:
    ending = engine.draw(Task("job", recipe, model, Placement.CPU), lambda _: None, lambda: False)
    assert isinstance(ending, Finished)
    pixels = ending.pixels
    return np.frombuffer(pixels.rgb, np.uint8).reshape(pixels.height, pixels.width, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_image_to_image_starts_from_the_picture(
    kind: str, engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model(kind)
    start = start_in(tmp_path, side_of(model), 0.5)
    result = drawn(engine, model, recipe_for(model, start))
    assert (result == drawn(engine, model, recipe_for(model, start))).all(), "reproduces"
    assert (result != drawn(engine, model, recipe_for(model, None))).any()
    assert (result != drawn(engine, model, recipe_for(model, start, seed=2))).any()
    Image.new("RGB", (side_of(model),) * 2, "teal").save(start.file)
    digest = hashlib.sha256(Path(start.file).read_bytes()).hexdigest()
    other = dataclasses.replace(start, sha256=digest)
    assert (result != drawn(engine, model, recipe_for(model, other))).any()


@pytest.mark.parametrize("kind", KINDS)
def test_inpainting_keeps_unmasked_pixels_byte_for_byte(
    kind: str, engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model(kind)
    side = side_of(model)
    start = start_in(tmp_path, side, 0.8, masked=True)
    result = drawn(engine, model, recipe_for(model, start))
    was = np.asarray(Image.open(start.file))
    kept = np.asarray(Image.open(str(start.mask))) == 0
    assert (result[kept] == was[kept]).all()
    assert (result[~kept] != was[~kept]).any(axis=1).mean() > 0.9


@pytest.mark.parametrize("scheduler", Scheduler)
def test_inpainting_works_with_every_scheduler(
    scheduler: Scheduler, engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model("starter")
    start = start_in(tmp_path, side_of(model), 0.8, masked=True)
    recipe = recipe_for(model, start, scheduler=scheduler)
    result = drawn(engine, model, recipe)
    assert (result == drawn(engine, model, recipe)).all()
    assert (result[-1, -1] == np.asarray(Image.open(start.file))[-1, -1]).all()


def test_full_strength_forgets_the_picture(
    engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model("starter")
    start = start_in(tmp_path, side_of(model), 1.0)
    result = drawn(engine, model, recipe_for(model, start))
    assert (result == drawn(engine, model, recipe_for(model, None))).all()


def test_image_to_image_draws_what_the_stock_pipeline_draws(
    engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    """With an AutoencoderTiny, which draws no noise of its own, even the noise is the same."""
    model = tiny_model("starter")
    side = side_of(model)
    start = start_in(tmp_path, side, 0.5)
    ours = drawn(engine, model, recipe_for(model, start)).astype(int)
    stock: Any = diffusers.StableDiffusionImg2ImgPipeline.from_pretrained(
        model.folder, local_files_only=True, low_cpu_mem_usage=False
    )
    stock.set_progress_bar_config(disable=True)
    stock.scheduler = diffusers.EulerDiscreteScheduler.from_config(
        stock.scheduler.config, use_karras_sigmas=False
    )
    picture = stock(
        "a red apple",
        image=Image.open(start.file),
        strength=0.5,
        num_inference_steps=6,
        guidance_scale=4.0,
        generator=torch.Generator("cpu").manual_seed(1),
    ).images[0]
    assert np.abs(ours - np.asarray(picture).astype(int)).max() <= 1


def test_a_start_that_has_changed_is_named_before_anything_loads(
    engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model("starter")
    start = dataclasses.replace(start_in(tmp_path, 64), sha256="0" * 64)
    reports: list[object] = []
    task = Task("job", recipe_for(model, start), model, Placement.CPU)
    with pytest.raises(PictureUnreadable, match="changed"):
        engine.draw(task, reports.append, lambda: False)
    assert reports == []


@pytest.mark.parametrize("memory", ["staged", "resident"])
def test_inpainting_keeps_the_contract_too(
    memory: Any, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model("starter")
    recipe = recipe_for(model, start_in(tmp_path, side_of(model), 0.9, masked=True))
    subject = Subject(lambda: TorchEngine(memory=memory), model, recipe)
    for check in CHECKS:
        check(subject)


def test_a_cancel_between_steps_of_inpainting_leaves_no_mask_behind(
    engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model("starter")
    plain = drawn(engine, model, recipe_for(model, None))
    masked = recipe_for(model, start_in(tmp_path, side_of(model), 1.0, masked=True))
    task = Task("job", masked, model, Placement.CPU)
    Drawing(engine, task, lambda progress: getattr(progress, "step", 0) == 2).run()
    assert (drawn(engine, model, recipe_for(model, None)) == plain).all()


# --- a UNet made for inpainting -----------------------------------------------------------------


@pytest.mark.parametrize("guidance", [1.0, 4.0])
def test_a_unet_of_nine_channels_draws_what_the_stock_pipeline_draws(
    guidance: float, engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    """The stock one gets our noise and masked latents: what it draws from them is its own."""
    model = tiny_model("sd1-inpainting")
    side, told = side_of(model), {}
    start = start_in(tmp_path, side, 1.0, masked=True)

    def keep(_: Any, args: Any, kwargs: Any) -> None:  # noqa: ARG001
        told.setdefault("first", args[0][:1].clone())

    recipe = recipe_for(model, start, scheduler=Scheduler.DDIM, guidance=guidance)
    drawn(engine, model, recipe)
    networks = engine._networks
    assert networks is not None
    unet = networks._loaded["unet"]
    hook = unet.register_forward_pre_hook(keep, with_kwargs=True)
    ours = drawn(engine, model, recipe).astype(int)
    hook.remove()
    assert told["first"].shape[1] == 9
    stock: Any = diffusers.StableDiffusionInpaintPipeline.from_pretrained(
        model.folder, local_files_only=True, low_cpu_mem_usage=False
    )
    stock.set_progress_bar_config(disable=True)
    picture = stock(
        "a red apple",
        image=Image.open(start.file),
        mask_image=Image.open(str(start.mask)),
        masked_image_latents=told["first"][:, 5:],
        latents=told["first"][:, :4],
        height=side,
        width=side,
        strength=1.0,
        num_inference_steps=6,
        guidance_scale=guidance,
    ).images[0]
    white = np.asarray(Image.open(str(start.mask))) == 255
    inner = white & np.roll(white, 16, 0) & np.roll(white, 16, 1)  # away from our softened edge
    inner &= np.roll(white, -16, 0) & np.roll(white, -16, 1)
    assert inner.any()
    assert np.abs(ours - np.asarray(picture).astype(int))[inner].max() <= 1


def test_a_unet_of_nine_channels_keeps_what_a_mask_keeps(
    engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model("sd1-inpainting")
    side = side_of(model)
    start = start_in(tmp_path, side, 0.8, masked=True)
    result = drawn(engine, model, recipe_for(model, start))
    was = np.asarray(Image.open(start.file))
    kept = np.asarray(Image.open(str(start.mask))) == 0
    assert (result[kept] == was[kept]).all()
    assert (result[~kept] != was[~kept]).any(axis=1).mean() > 0.9


def test_a_unet_of_nine_channels_draws_from_words_and_from_a_picture_too(
    engine: TorchEngine, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model("sd1-inpainting")
    words = drawn(engine, model, recipe_for(model, None))
    picture = drawn(engine, model, recipe_for(model, start_in(tmp_path, side_of(model), 0.5)))
    assert (words != picture).any()
    assert (words == drawn(engine, model, recipe_for(model, None))).all()


@pytest.mark.slow
@pytest.mark.parametrize("memory", ["staged", "resident"])
def test_a_unet_of_nine_channels_keeps_the_contract(
    memory: Any, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model("sd1-inpainting")
    recipe = recipe_for(model, start_in(tmp_path, side_of(model), 0.9, masked=True))
    subject = Subject(lambda: TorchEngine(memory=memory), model, recipe)
    for check in CHECKS:
        check(subject)
