"""What differs between the model families: their pipelines, and how these take a prompt.

A family is a row in ``PIPELINES``. All denoising is diffusers' own; what is replaced, through the
public method ``prepare_latents``, is only where image-to-image gets its first latents from: Easel
encodes the starting picture and draws the noise itself, in float32 on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from app.core.model import Family

Prepare = Callable[[torch.Tensor], torch.Tensor]
"""Takes the first timestep (one number), gives the latents to begin with."""


@dataclass(frozen=True, slots=True)
class Embeds:
    """A prompt as its text encoders understood it, by the names the pipelines take."""

    arguments: dict[str, torch.Tensor]

    def all_finite(self) -> bool:
        return all(bool(torch.isfinite(tensor).all()) for tensor in self.arguments.values())


@dataclass(frozen=True, slots=True)
class Pipelines:
    """The diffusers classes of one family, and what they are called with beside the rest."""

    from_text: type
    from_picture: type
    build: dict[str, Any]
    """Constructor arguments that are the same for every model of the family."""
    two_encoders: bool


@cache
def pipelines_of(family: Family) -> Pipelines:
    """The pipelines of ``family``; imports them on first use."""
    if family is Family.SDXL:
        from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import (
            StableDiffusionXLPipeline,
        )
        from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl_img2img import (
            StableDiffusionXLImg2ImgPipeline,
        )

        build: dict[str, Any] = dict.fromkeys(
            ("vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "unet")
        )
        build |= {"scheduler": None, "add_watermarker": False}
        return Pipelines(
            StableDiffusionXLPipeline, _started(StableDiffusionXLImg2ImgPipeline), build, True
        )
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import (
        StableDiffusionPipeline,
    )
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img import (
        StableDiffusionImg2ImgPipeline,
    )

    build = dict.fromkeys(("vae", "text_encoder", "tokenizer", "unet", "scheduler"))
    build |= {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    return Pipelines(
        StableDiffusionPipeline, _started(StableDiffusionImg2ImgPipeline), build, False
    )


def _started(pipeline: type) -> type:
    """``pipeline`` (an image-to-image class) with its first latents made by ``self.prepare``."""

    def prepare_latents(
        self: Any, _image: Any, timestep: torch.Tensor, *_rest: Any, **_named: Any
    ) -> torch.Tensor:
        prepare: Prepare = self.prepare
        return prepare(timestep)

    return type(f"Started{pipeline.__name__}", (pipeline,), {"prepare_latents": prepare_latents})


def encode(
    pipelines: Pipelines, parts: dict[str, Any], prompt: str, negative: str, guided: bool
) -> Embeds:
    """The text encoders' output for ``prompt``, and for ``negative`` when ``guided``.

    ``parts`` are tokenizers and text encoders by their names in the pipeline.
    """
    pipeline = pipelines.from_text(**(pipelines.build | parts))
    device = parts["text_encoder"].device
    found = pipeline.encode_prompt(
        prompt=prompt,
        device=device,
        num_images_per_prompt=1,
        do_classifier_free_guidance=guided,
        negative_prompt=negative or None,
    )
    names: tuple[str, ...] = ("prompt_embeds", "negative_prompt_embeds")
    if pipelines.two_encoders:
        names += ("pooled_prompt_embeds", "negative_pooled_prompt_embeds")
    named = dict(zip(names, found, strict=True))
    return Embeds({name: tensor for name, tensor in named.items() if tensor is not None})
