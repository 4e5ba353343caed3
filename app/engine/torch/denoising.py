"""From a prompt's embeddings to finished latents: diffusers' own loop, with our first latents.

What a recipe adds to the stock pipelines: noise drawn in float32 on the CPU from one generator a
picture; progress, previews and cancel in the step callback; and, with a mask, kept regions put
back after each step at that step's noise level (RePaint's simplest form, as diffusers' inpainting
pipeline does for UNets of 4 channels; here for any number).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from app.core.errors import NotFinite
from app.core.events import Pixels, Stepped
from app.core.recipe import Recipe
from app.engine.previews import Previewer
from app.engine.schedulers import SCHEDULERS, settings_for
from app.engine.torch.families import Embeds, Pipelines
from app.engine.torch.inpainting import beside_noise
from app.engine.watch import Watch

_NO_PICTURE = (1, 3, 8, 8)
"""Shape of what image-to-image pipelines are given as picture: never looked at, see families."""


class Denoiser:
    """The family's pipelines around one UNet; a scheduler is made fresh for each picture."""

    def __init__(self, pipelines: Pipelines, unet: Any, factor: int) -> None:
        self._pipelines = pipelines
        self._unet = unet
        self._factor = factor
        self._made: dict[type, Any] = {}

    def around(self, unet: Any) -> bool:
        """Whether this draws with ``unet``."""
        return self._unet is unet

    def run(
        self,
        recipe: Recipe,
        embeds: Embeds,
        scheduler_config: dict[str, Any],
        channels: int,
        start: tuple[torch.Tensor, Image.Image | None] | None,
        generator: torch.Generator,
        on_step: OnStep,
        beside: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Denoise ``recipe`` from pure noise, or from ``start`` (latents and mask).

        ``beside`` is what a UNet made for inpainting is told; such a one keeps by itself what a
        mask keeps. Gives float32 latents. Raises NotFinite("denoising"), and what ``on_step``
        raises.
        """
        scheduler = make_scheduler(recipe, scheduler_config)
        size = recipe.size
        shape = (1, channels, size.height // self._factor, size.width // self._factor)
        noise = torch.randn(shape, generator=generator)
        arguments: dict[str, Any] = {
            **embeds.arguments,
            "num_inference_steps": recipe.steps,
            "guidance_scale": recipe.guidance,
            "generator": generator,
            "output_type": "latent",
            "return_dict": False,
        }
        if start is None:
            pipeline = self._pipeline(self._pipelines.from_text, scheduler)
            arguments |= {"height": size.height, "width": size.width, "latents": noise}
        else:
            pipeline = self._pipeline(self._pipelines.from_picture, scheduler)
            strength = recipe.start.strength if recipe.start else 1.0
            arguments |= {"image": torch.zeros(_NO_PICTURE), "strength": sure(strength, recipe)}
            known = start[0].to(self._unet.device)
            pipeline.prepare = _noised(scheduler, known, noise.to(known.device), strength)
            if start[1] is not None and beside is None:
                on_step.keep = Kept(known, noise.to(known.device), start[1])
        with beside_noise(self._unet, beside):
            latents: torch.Tensor = pipeline(callback_on_step_end=on_step, **arguments)[0]
        if not bool(torch.isfinite(latents).all()):
            raise NotFinite("denoising")
        return latents

    def _pipeline(self, kind: type, scheduler: Any) -> Any:
        if kind not in self._made:
            pipeline = kind(**(self._pipelines.build | {"unet": self._unet}))
            pipeline.vae_scale_factor = self._factor
            pipeline.set_progress_bar_config(disable=True)
            self._made[kind] = pipeline
        pipeline = self._made[kind]
        pipeline.scheduler = scheduler
        return pipeline


class Kept:
    """Puts the black part of a mask back into the latents after each step."""

    def __init__(self, known: torch.Tensor, noise: torch.Tensor, mask: Image.Image) -> None:
        redrawn = torch.from_numpy(np.asarray(mask, np.float32) / 255)[None, None]
        # A latent is redrawn when any of its pixels is.
        self._redrawn = functional.adaptive_max_pool2d(redrawn, known.shape[-2:]).to(known.device)
        self._known = known
        self._noise = noise

    def apply(self, scheduler: Any, latents: torch.Tensor, following: Any) -> torch.Tensor:
        """``latents`` with the kept part at the noise of timestep ``following`` (None: clean)."""
        known = self._known
        if following is not None:
            known = scheduler.add_noise(known, self._noise, following.reshape(1))
        return self._redrawn * latents + (1 - self._redrawn) * known.to(latents.dtype)


class OnStep:
    """The step callback: reports, asks whether to stop, keeps what a mask keeps."""

    def __init__(self, watch: Watch, previewer: Previewer | None) -> None:
        self._watch = watch
        self._previewer = previewer
        self.keep: Kept | None = None

    def __call__(self, pipeline: Any, i: int, _: Any, named: dict[str, Any]) -> dict[str, Any]:
        steps = pipeline.num_timesteps
        latents = named["latents"]
        if self.keep is not None:
            following = pipeline.scheduler.timesteps[i + 1 - steps] if i + 1 < steps else None
            latents = self.keep.apply(pipeline.scheduler, latents, following)
        preview = None
        if self._previewer is not None and self._previewer.due():
            preview = self._preview(pipeline.scheduler, latents)
        self._watch.report(Stepped(self._watch.job, i + 1, steps, preview))
        return {} if self.keep is None else {"latents": latents}

    def _preview(self, scheduler: Any, latents: torch.Tensor) -> Pixels:
        assert self._previewer is not None
        shown = foreseen(scheduler, latents)[0].float().cpu().numpy()
        if not np.isfinite(shown).all():
            raise NotFinite("denoising")
        return self._previewer.make(shown)


def make_scheduler(recipe: Recipe, config: dict[str, Any]) -> Any:
    """The recipe's scheduler over the model's own ``config``."""
    import diffusers

    row = SCHEDULERS[recipe.scheduler]
    scheduler: Any = getattr(diffusers, row.class_name)
    return scheduler.from_config(config, **settings_for(recipe.scheduler, recipe.steps))


def foreseen(scheduler: Any, latents: torch.Tensor) -> torch.Tensor:
    """What the finished latents look like from here: the solver's own guess where it keeps one.

    Multistep solvers keep their last predictions of the end; else the noisy latents, brought to
    about unit spread, must do.
    """
    kept = getattr(scheduler, "model_outputs", None)
    if kept and getattr(scheduler.config, "algorithm_type", "dpmsolver++").endswith("++"):
        last = kept[-1]
        if isinstance(last, torch.Tensor) and last.shape == latents.shape:
            return last
    return latents / latents.std().clamp(min=1.0)


def sure(strength: float, recipe: Recipe) -> float:
    """``strength`` such that diffusers' rounding leaves at least one step, and no step is lost."""
    steps = max(1, int(recipe.steps * strength + 1e-6))
    return min(1.0, (steps + 0.5) / recipe.steps)


def _noised(
    scheduler: Any, known: torch.Tensor, noise: torch.Tensor, strength: float
) -> Callable[[torch.Tensor], torch.Tensor]:
    """The first latents: ``known`` under its timestep's noise; at full strength noise alone."""

    def prepare(timestep: torch.Tensor) -> torch.Tensor:
        if strength >= 1.0:
            pure: torch.Tensor = noise * scheduler.init_noise_sigma
            return pure
        noised: torch.Tensor = scheduler.add_noise(known, noise, timestep)
        return noised

    return prepare
