"""Easel's pictures are those of the stock pipelines: same latents, same bytes, in float32."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from app.core.events import Finished, Task
from app.core.placement import Placement
from app.core.recipe import Recipe, Scheduler, Size
from app.engine.schedulers import SCHEDULERS, settings_for
from app.engine.torch.engine import TorchEngine
from tests.engine.conftest import TinyModel


def stock_picture(folder: Path, recipe: Recipe) -> bytes:
    """What a script around diffusers' public API draws."""
    pipeline: Any = diffusers.DiffusionPipeline.from_pretrained(
        str(folder), local_files_only=True, low_cpu_mem_usage=False
    )
    pipeline.set_progress_bar_config(disable=True)
    scheduler = getattr(diffusers, SCHEDULERS[recipe.scheduler].class_name)
    settings = settings_for(recipe.scheduler, recipe.steps)
    pipeline.scheduler = scheduler.from_config(pipeline.scheduler.config, **settings)
    picture = pipeline(
        recipe.prompt,
        negative_prompt=recipe.negative_prompt or None,
        width=recipe.size.width,
        height=recipe.size.height,
        num_inference_steps=recipe.steps,
        guidance_scale=recipe.guidance,
        generator=torch.Generator("cpu").manual_seed(recipe.seed),
    ).images[0]
    return bytes(picture.tobytes())


def easel_picture(model: Any, recipe: Recipe) -> bytes:
    engine = TorchEngine(dtype=torch.float32)
    ending = engine.draw(Task("job", recipe, model, Placement.CPU), lambda _: None, lambda: False)
    engine.close()
    assert isinstance(ending, Finished)
    return ending.pixels.rgb


@pytest.mark.parametrize("kind", ["sd1", "sd2", "sdxl", "starter"])
@pytest.mark.parametrize("negative", ["", "the dog"])
def test_each_family_draws_what_its_stock_pipeline_draws(
    kind: str, negative: str, tiny_model: TinyModel
) -> None:
    model = tiny_model(kind)
    side = max(64, model.limits.min_side)
    recipe = Recipe(
        "a red apple", model.id, Size(side, side), 3, 5.0, 7, Scheduler.EULER_A, negative
    )
    ours = np.frombuffer(easel_picture(model, recipe), np.uint8).astype(int)
    stock = np.frombuffer(stock_picture(Path(model.folder), recipe), np.uint8).astype(int)
    assert np.abs(ours - stock).max() <= 1


@pytest.mark.parametrize("scheduler", Scheduler)
def test_each_scheduler_draws_what_the_stock_pipeline_draws_with_it(
    scheduler: Scheduler, tiny_model: TinyModel
) -> None:
    model = tiny_model("starter")
    recipe = Recipe("a red apple", model.id, Size(64, 64), 5, 4.0, 3, scheduler)
    ours = np.frombuffer(easel_picture(model, recipe), np.uint8).astype(int)
    stock = np.frombuffer(stock_picture(Path(model.folder), recipe), np.uint8).astype(int)
    assert np.abs(ours - stock).max() <= 1
