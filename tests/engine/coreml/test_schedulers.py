"""Each scheduler in numpy walks where diffusers' walks: whole trajectories, every setting."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.recipe import Recipe, Scheduler, Size
from app.engine.coreml.runtime import Array
from app.engine.coreml.schedulers import make_solver
from app.engine.schedulers import SCHEDULERS
from app.engine.torch.denoising import make_scheduler

SHAPE = (1, 4, 3, 5)
TOLERANCE = 1e-5
ROUNDING = 16 * float(np.finfo(np.float32).eps)
"""What a few float32 operations leave, of the largest number on the way, which is thousands for
settings that no model has; a real one's latents stay below five."""
SD1 = {
    "_class_name": "PNDMScheduler",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "clip_sample": False,
}
STARTER = {
    "_class_name": "DPMSolverMultistepScheduler",
    "prediction_type": "v_prediction",
    "timestep_spacing": "trailing",
    "steps_offset": 1,
    "use_karras_sigmas": True,
    "final_sigmas_type": "zero",
    "solver_type": "midpoint",
}

configs = st.fixed_dictionaries(
    {
        "beta_schedule": st.sampled_from(["linear", "scaled_linear", "squaredcos_cap_v2"]),
        "prediction_type": st.sampled_from(["epsilon", "v_prediction"]),
        "timestep_spacing": st.sampled_from(["leading", "linspace", "trailing"]),
        "steps_offset": st.sampled_from([0, 1]),
    },
    optional={
        "beta_start": st.sampled_from([0.0001, 0.00085]),
        "beta_end": st.sampled_from([0.012, 0.02]),
        "set_alpha_to_one": st.booleans(),
        "final_sigmas_type": st.sampled_from(["zero", "sigma_min"]),
        "lower_order_final": st.booleans(),
        "euler_at_final": st.booleans(),
        "solver_type": st.sampled_from(["midpoint", "heun", "bh1", "bh2"]),
        "num_train_timesteps": st.sampled_from([1000, 500]),
    },
)


def unet(latents: Array, timestep: float) -> Array:
    """A smooth answer of about unit spread that depends on all it is given."""
    mean = latents.mean(axis=(2, 3), keepdims=True)
    answer = np.tanh(0.8 * latents + 0.3 * mean + np.sin(timestep / 160))
    return (1.1 * answer).astype(np.float32)


def theirs(
    scheduler: Scheduler, config: dict[str, Any], steps: int, begin: int, seed: int
) -> Iterator[Array]:
    """The latents after each step of diffusers' own scheduler, as its pipelines drive it."""
    recipe = Recipe("x", "m", Size(64, 64), steps, 4.0, 1, scheduler)
    made = make_scheduler(recipe, config)
    made.set_timesteps(steps)
    begin *= made.order
    generator = torch.Generator("cpu").manual_seed(seed)
    noise = torch.randn(SHAPE, generator=generator)
    known = torch.tanh(torch.randn(SHAPE, generator=generator))
    timesteps = made.timesteps[begin:]
    if hasattr(made, "set_begin_index"):
        made.set_begin_index(begin)
    latents = noise * made.init_noise_sigma
    if begin:
        latents = made.add_noise(known, noise, timesteps[:1])
    yield latents.numpy()
    extra = {"generator": generator} if SCHEDULERS[scheduler].noisy else {}
    for timestep in timesteps:
        scaled = made.scale_model_input(latents, timestep)
        answer = torch.from_numpy(unet(scaled.numpy(), float(timestep)))
        latents = made.step(answer, timestep, latents, **extra).prev_sample
        yield latents.numpy()


def ours(
    scheduler: Scheduler, config: dict[str, Any], steps: int, begin: int, seed: int
) -> Iterator[Array]:
    solver = make_solver(scheduler, config, steps)
    generator = torch.Generator("cpu").manual_seed(seed)

    def draw() -> Array:
        return torch.randn(SHAPE, generator=generator).numpy()

    first, known = draw(), np.tanh(draw())
    latents = first * solver.initial_spread
    if begin:
        solver.start_at(begin * solver.order)
        latents = solver.noised(known, first)
    yield latents
    for timestep in solver.timesteps[solver.index :]:
        answer = unet(solver.scaled(latents), float(timestep))
        latents = solver.step(answer, latents, draw)
        assert latents.dtype == np.float32
        yield latents


def check(
    scheduler: Scheduler, config: dict[str, Any], steps: int, begin: int = 0, seed: int = 0
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = list(theirs(scheduler, config, steps, begin, seed))
    found = list(ours(scheduler, config, steps, begin, seed))
    assert len(found) == len(wanted)
    largest = 0.0
    for mine, stock in zip(found, wanted, strict=True):
        if not np.isfinite(stock).all():  # some settings that no model has divide by zero
            break
        largest = max(largest, float(np.abs(stock).max()))
        assert np.abs(mine - stock).max() <= max(TOLERANCE, ROUNDING * largest)


@pytest.mark.parametrize("scheduler", Scheduler)
@pytest.mark.parametrize("config", [SD1, STARTER], ids=["sd1", "starter"])
@pytest.mark.parametrize("steps", [1, 2, 3, 8, 20, 50])
def test_it_walks_where_diffusers_walks(
    scheduler: Scheduler, config: dict[str, Any], steps: int
) -> None:
    check(scheduler, config, steps)


@pytest.mark.parametrize("scheduler", Scheduler)
@given(
    config=configs,
    steps=st.integers(1, 50),
    kept=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
@example(config=dict(SD1), steps=50, kept=0.0, seed=0)
def test_it_walks_where_diffusers_walks_whatever_the_model_says(
    scheduler: Scheduler, config: dict[str, Any], steps: int, kept: float, seed: int
) -> None:
    begin = int(steps * kept) if int(steps * kept) < steps else 0
    check(scheduler, config, steps, begin, seed)


@pytest.mark.parametrize("scheduler", Scheduler)
def test_a_kept_part_has_the_noise_of_the_timestep_it_has_come_to(scheduler: Scheduler) -> None:
    """What a mask keeps: diffusers' ``add_noise`` between steps, and clean at the end."""
    known, noise = (torch.randn(SHAPE, generator=torch.Generator().manual_seed(i)) for i in (1, 2))
    steps, begin = 6, 2
    recipe = Recipe("x", "m", Size(64, 64), steps, 4.0, 1, scheduler)
    made, solver = make_scheduler(recipe, SD1), make_solver(scheduler, SD1, steps)
    made.set_timesteps(steps)
    solver.start_at(begin * solver.order)
    if hasattr(made, "set_begin_index"):
        made.set_begin_index(begin * made.order)
    timesteps = made.timesteps[begin * made.order :]
    latents = torch.zeros(SHAPE)
    for i, timestep in enumerate(timesteps):
        following = timesteps[i + 1 : i + 2]
        made.scale_model_input(latents, timestep)
        made.step(latents, timestep, latents)
        solver.step(latents.numpy(), latents.numpy(), lambda: noise.numpy())
        wanted = made.add_noise(known, noise, following) if len(following) else known
        found = solver.noised(known.numpy(), noise.numpy())
        assert np.abs(found - wanted.numpy()).max() < TOLERANCE


@pytest.mark.parametrize("scheduler", Scheduler)
def test_a_perfect_unet_is_foreseen_and_arrived_at(scheduler: Scheduler) -> None:
    """With the true noise told at each timestep, every scheduler ends at the picture."""
    generator = np.random.default_rng(3)
    picture, noise = (generator.standard_normal(SHAPE).astype(np.float32) for _ in range(2))
    config = SD1 | {"prediction_type": "sample"} if scheduler is not Scheduler.PNDM else dict(SD1)
    solver = make_solver(scheduler, config, 20)
    latents = solver.noised(picture, noise)
    for _ in solver.timesteps:
        answer = noise if scheduler is Scheduler.PNDM else picture
        latents = solver.step(answer, latents, lambda: noise)
        assert solver.foreseen is not None
    assert np.abs(solver.foreseen - picture).max() < 1e-2
    assert np.abs(latents - picture).max() < 0.1


@pytest.mark.parametrize(
    "setting",
    [
        {"prediction_type": "flow_prediction"},
        {"beta_schedule": "laplace"},
        {"timestep_spacing": "random"},
        {"num_train_timesteps": 10**9},
        {"use_flow_sigmas": True},
    ],
    ids=lambda setting: next(iter(setting)),
)
def test_a_setting_that_is_unknown_here_is_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(setting))):
        make_solver(Scheduler.UNIPC, SD1 | setting, 5)
