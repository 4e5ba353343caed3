"""Tasks and jobs for tests."""

from __future__ import annotations

import secrets
from pathlib import Path

from app.core.events import Task
from app.core.model import Model
from app.core.placement import Placement
from app.core.recipe import Recipe, Scheduler, Size
from app.jobs.queue import Job, JobState
from tests.engine.numpy_engine import numpy_model

MODEL = numpy_model(Path("/nowhere"))


def recipe(
    prompt: str = "a red apple", seed: int = 1, steps: int = 4, model: str = "numpy"
) -> Recipe:
    return Recipe(prompt, model, Size(64, 64), steps, 4.0, seed, Scheduler.EULER)


def task(model: Model, prompt: str = "a red apple", steps: int = 4, seed: int = 1) -> Task:
    """A task of its own job."""
    job = secrets.token_hex(8)
    return Task(job, recipe(prompt, seed, steps, model.id), model, Placement.CPU)


def job(id: str = "", prompt: str = "a red apple", model: Model = MODEL) -> Job:
    id = id or secrets.token_hex(8)
    return Job(id, recipe(prompt, model=model.id), model, JobState.WAITING, group="g")
