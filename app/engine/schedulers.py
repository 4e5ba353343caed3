"""The schedulers by the names people know: one row each. Adding one is adding a row.

The settings are laid over the model's own scheduler_config.json, so that its betas, prediction
type and timestep spacing hold whichever scheduler draws. Each row says everything that makes it
what its name says: a model's own configuration may ask for Karras sigmas, and Euler must not
inherit them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from app.core.recipe import Scheduler


@dataclass(frozen=True, slots=True)
class Row:
    """A diffusers class by name and the settings that make it this scheduler.

    ``noisy``: draws fresh noise in each step, from the picture's own generator.
    """

    class_name: str
    settings: Mapping[str, object] = field(default_factory=dict)
    noisy: bool = False


_PLAIN_SIGMAS: Mapping[str, object] = MappingProxyType(
    {
        "use_karras_sigmas": False,
        "use_exponential_sigmas": False,
        "use_beta_sigmas": False,
    }
)

SCHEDULERS: Mapping[Scheduler, Row] = MappingProxyType(
    {
        Scheduler.DPMPP_2M_KARRAS: Row(
            "DPMSolverMultistepScheduler",
            {
                **_PLAIN_SIGMAS,
                "algorithm_type": "dpmsolver++",
                "solver_order": 2,
                "use_karras_sigmas": True,
            },
        ),
        Scheduler.DPMPP_2M_SDE: Row(
            "DPMSolverMultistepScheduler",
            {**_PLAIN_SIGMAS, "algorithm_type": "sde-dpmsolver++", "solver_order": 2},
            noisy=True,
        ),
        Scheduler.EULER: Row("EulerDiscreteScheduler", _PLAIN_SIGMAS),
        Scheduler.EULER_A: Row("EulerAncestralDiscreteScheduler", noisy=True),
        Scheduler.DDIM: Row("DDIMScheduler", {"clip_sample": False, "thresholding": False}),
        Scheduler.PNDM: Row("PNDMScheduler", {"skip_prk_steps": True}),
        Scheduler.UNIPC: Row("UniPCMultistepScheduler", {**_PLAIN_SIGMAS, "solver_order": 2}),
        Scheduler.HEUN: Row("HeunDiscreteScheduler", {**_PLAIN_SIGMAS, "clip_sample": False}),
        Scheduler.LCM: Row("LCMScheduler", {"clip_sample": False}, noisy=True),
    }
)

LCM_GRID = 50
"""LCM picks its steps from a grid this fine (as distilled); more steps need a finer grid."""


def settings_for(scheduler: Scheduler, steps: int) -> dict[str, object]:
    """What to lay over the model's scheduler configuration to draw in ``steps`` steps."""
    settings = dict(SCHEDULERS[scheduler].settings)
    if scheduler is Scheduler.LCM:
        settings["original_inference_steps"] = max(LCM_GRID, steps)
    return settings
