"""The schedulers in numpy: a solver a picture, by the same rows as the torch engine's.

Adding one is adding a row in ``app.engine.schedulers`` and its class here; the shared suite
(tests/engine/coreml/test_schedulers.py) holds each to diffusers' own over whole trajectories.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from app.core.recipe import Scheduler
from app.engine.coreml.schedulers.ddim import DDIM
from app.engine.coreml.schedulers.dpm import DPMSolver
from app.engine.coreml.schedulers.euler import Euler, EulerAncestral, Heun
from app.engine.coreml.schedulers.lcm import LCM
from app.engine.coreml.schedulers.pndm import PNDM
from app.engine.coreml.schedulers.solver import DrawNoise, Solver
from app.engine.coreml.schedulers.unipc import UniPC
from app.engine.schedulers import SCHEDULERS, settings_for

__all__ = ["DrawNoise", "Solver", "make_solver"]

_CLASSES: Mapping[str, Callable[[Mapping[str, Any], int], Solver]] = MappingProxyType(
    {
        "DPMSolverMultistepScheduler": DPMSolver,
        "EulerDiscreteScheduler": Euler,
        "EulerAncestralDiscreteScheduler": EulerAncestral,
        "DDIMScheduler": DDIM,
        "PNDMScheduler": PNDM,
        "UniPCMultistepScheduler": UniPC,
        "HeunDiscreteScheduler": Heun,
        "LCMScheduler": LCM,
    }
)
"""By the names of diffusers' classes, which the rows use."""


def make_solver(scheduler: Scheduler, config: Mapping[str, Any], steps: int) -> Solver:
    """The solver of ``steps`` steps over the model's own ``config`` (scheduler_config.json).

    Raises ValueError for settings that no model of Easel's families has.
    """
    solver = _CLASSES[SCHEDULERS[scheduler].class_name]
    return solver({**config, **settings_for(scheduler, steps)}, steps)
