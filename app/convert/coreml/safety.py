"""The safety checker of Stable Diffusion 1.x as scores: what they mean is for the engine to say.

A score over 0 is a concept that is there. As diffusers' ``StableDiffusionSafetyChecker``, without
its loops over Python numbers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPConfig

from app.convert.folder import read_weights
from app.core.errors import ImportRefused

COMPONENT = "safety_checker"
STEM = "model"
STRICTER = 0.01
"""Added to every score of a picture that needs special care."""
ROUNDED = 0.0005
"""diffusers rounds to three digits before it asks whether special care is needed."""

_VISION = (
    "hidden_act",
    "hidden_size",
    "image_size",
    "intermediate_size",
    "layer_norm_eps",
    "num_attention_heads",
    "num_channels",
    "num_hidden_layers",
    "patch_size",
    "projection_dim",
)
_LARGEST = 16_384


def has_safety_checker(folder: Path) -> bool:
    """Whether the model in ``folder`` brings one along, as safetensors."""
    place = folder / COMPONENT
    return (place / "config.json").is_file() and (place / f"{STEM}.safetensors").is_file()


class Scores(nn.Module):
    """``clip_input`` (1, 3, side, side) to scores (1, concepts)."""

    def __init__(self, checker: Any) -> None:
        super().__init__()
        self.vision, self.projection = checker.vision_model, checker.visual_projection
        concepts = functional.normalize(checker.concept_embeds.detach())
        special = functional.normalize(checker.special_care_embeds.detach())
        self.register_buffer("embeds", torch.cat([special, concepts]))
        limits = (checker.special_care_embeds_weights, checker.concept_embeds_weights)
        self.register_buffer("limits", torch.cat([one.detach() for one in limits]))
        self.special = len(special)
        self.side: int = checker.config.vision_config.image_size

    def forward(self, **named: Tensor) -> tuple[Tensor]:
        seen = self.projection(self.vision(named["clip_input"].float()).pooler_output)
        likeness = functional.linear(functional.normalize(seen), self.embeds)  # type: ignore[arg-type]
        over = likeness - self.limits  # type: ignore[operator]
        careful = over[:, : self.special].amax(dim=1, keepdim=True) > ROUNDED
        return (over[:, self.special :] + careful.float() * STRICTER,)


def load_scores(folder: Path) -> Scores:
    """The safety checker of the model in ``folder``, in fp32. Raises ImportRefused ("damaged")."""
    place = folder / COMPONENT
    try:
        network: Any = _built(json.loads((place / "config.json").read_bytes()))
    except Exception as error:  # whatever a constructor says to numbers that do not fit
        raise ImportRefused(str(place), "damaged") from error
    held = {_bare(name): value for name, value in read_weights(place, STEM).items()}
    state = {}
    for name, wanted in network.state_dict().items():
        value = held.get(_bare(name))
        if value is None or value.shape != wanted.shape:
            raise ImportRefused(str(place), "damaged")
        state[name] = value.float()
    network.load_state_dict(state)
    return Scores(network.eval().requires_grad_(False))


def _built(config: dict[str, Any]) -> Any:
    vision = {
        name: config["vision_config"][name] for name in _VISION if name in config["vision_config"]
    }
    numbers = [one for one in vision.values() if not isinstance(one, str)]
    if any(not 0 < number <= _LARGEST for number in numbers):
        raise ValueError("absurd numbers")
    made = CLIPConfig(vision_config=vision, projection_dim=int(config.get("projection_dim", 768)))
    return StableDiffusionSafetyChecker(made)


def _bare(name: str) -> str:
    """Writers of CLIP name the vision model once or twice."""
    return name.replace("vision_model.vision_model.", "vision_model.")
