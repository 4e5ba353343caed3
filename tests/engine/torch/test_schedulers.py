"""One suite over every scheduler: a new row is picked up by itself."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from app.core.events import Finished, Pixels, Stepped, Task
from app.core.placement import Placement
from app.core.recipe import Recipe, Scheduler, Size, Start
from app.engine.schedulers import SCHEDULERS
from app.engine.torch.denoising import make_scheduler
from app.engine.torch.engine import TorchEngine
from tests.engine.conftest import TinyModel

pytestmark = pytest.mark.parametrize("scheduler", Scheduler)

STEPS = 5
REAL_STEPS = {Scheduler.HEUN: 2 * STEPS - 1, Scheduler.PNDM: STEPS + 1}
"""How often the UNet really runs, where that is not as often as asked."""


@pytest.fixture(scope="module")
def engine() -> Iterator[TorchEngine]:
    engine = TorchEngine(dtype=torch.float32)
    yield engine
    engine.close()


def draw(
    engine: TorchEngine, tiny_model: TinyModel, scheduler: Scheduler, start: Start | None = None
) -> tuple[Pixels, list[Stepped]]:
    model = tiny_model("starter")
    recipe = Recipe("a red apple", model.id, Size(64, 64), STEPS, 4.0, 1, scheduler, start=start)
    steps: list[Stepped] = []

    def report(progress: object) -> None:
        if isinstance(progress, Stepped):
            steps.append(progress)

    ending = engine.draw(Task("job", recipe, model, Placement.CPU), report, lambda: False)
    assert isinstance(ending, Finished)
    return ending.pixels, steps


def test_every_scheduler_has_a_row(scheduler: Scheduler) -> None:
    assert scheduler in SCHEDULERS


def test_it_draws_the_same_bytes_twice(
    scheduler: Scheduler, engine: TorchEngine, tiny_model: TinyModel
) -> None:
    first, _ = draw(engine, tiny_model, scheduler)
    second, _ = draw(engine, tiny_model, scheduler)
    assert first == second


def test_it_counts_its_real_steps(
    scheduler: Scheduler, engine: TorchEngine, tiny_model: TinyModel
) -> None:
    _, steps = draw(engine, tiny_model, scheduler)
    real = REAL_STEPS.get(scheduler, STEPS)
    assert [(stepped.step, stepped.steps) for stepped in steps] == [
        (i, real) for i in range(1, real + 1)
    ]


@pytest.mark.parametrize("strength", [0.01, 0.6, 1.0])
def test_it_starts_from_a_picture(
    scheduler: Scheduler,
    strength: float,
    engine: TorchEngine,
    tiny_model: TinyModel,
    tmp_path: Path,
) -> None:
    file = tmp_path / "start.png"
    Image.linear_gradient("L").convert("RGB").save(file)
    start = Start(str(file), hashlib.sha256(file.read_bytes()).hexdigest(), strength)
    pixels, steps = draw(engine, tiny_model, scheduler, start)
    again, _ = draw(engine, tiny_model, scheduler, start)
    assert pixels == again
    assert 1 <= len(steps) <= REAL_STEPS.get(scheduler, STEPS)
    assert len(steps) == steps[0].steps
    if strength == 1.0:
        assert len(steps) == REAL_STEPS.get(scheduler, STEPS)
    else:
        assert len(steps) < REAL_STEPS.get(scheduler, STEPS)


@pytest.mark.parametrize("steps", [1, 2, 150])
def test_it_goes_from_one_step_to_the_most(scheduler: Scheduler, steps: int) -> None:
    recipe = Recipe("x", "m", Size(64, 64), steps, 4.0, 1, scheduler)
    config = {"_class_name": "DDIMScheduler", "num_train_timesteps": 1000, "steps_offset": 1}
    made = make_scheduler(recipe, config)
    made.set_timesteps(steps)
    assert len(made.timesteps) >= 1
    sample = torch.zeros(1, 4, 8, 8)
    generator = torch.Generator().manual_seed(0)
    for timestep in made.timesteps:
        extra = {"generator": generator} if SCHEDULERS[scheduler].noisy else {}
        scaled = made.scale_model_input(sample, timestep)
        sample = made.step(torch.ones_like(scaled) * 0.1, timestep, sample, **extra).prev_sample
    assert bool(torch.isfinite(sample).all())


def test_it_keeps_what_the_model_says_of_its_noise(scheduler: Scheduler) -> None:
    recipe = Recipe("x", "m", Size(64, 64), 20, 4.0, 1, scheduler)
    config = {
        "_class_name": "PNDMScheduler",
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "prediction_type": "v_prediction",
        "timestep_spacing": "trailing",
        "num_train_timesteps": 1000,
    }
    made = make_scheduler(recipe, config).config
    kept = ("beta_start", "beta_end", "beta_schedule", "prediction_type", "timestep_spacing")
    for name in kept if scheduler is not Scheduler.LCM else kept[:4]:
        assert made[name] == config[name]


def test_karras_sigmas_are_used_where_the_name_says_so_only(scheduler: Scheduler) -> None:
    recipe = Recipe("x", "m", Size(64, 64), 20, 4.0, 1, scheduler)
    config = {"_class_name": "DPMSolverMultistepScheduler", "use_karras_sigmas": True}
    made = make_scheduler(recipe, config)
    if "use_karras_sigmas" in inspect.signature(type(made)).parameters:
        assert made.config.use_karras_sigmas is ("Karras" in scheduler.value)
    else:
        assert "Karras" not in scheduler.value
