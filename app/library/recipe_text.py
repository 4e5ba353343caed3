"""A recipe as the text that AUTOMATIC1111's web UI made common and most programs read."""

from __future__ import annotations

import json

from app import __version__
from app.core.recipe import Recipe, Scheduler

THEIR_NAMES = {Scheduler.PNDM: "PLMS", Scheduler.DPMPP_2M_SDE: "DPM++ 2M SDE"}

MAX_ALT_TEXT = 1000
"""Characters. What a screen reader reads out; IPTC asks for something short."""


def parameters(recipe: Recipe) -> str:
    """``recipe`` in AUTOMATIC1111's form: the prompt, the negative prompt, one line of fields.

    LoRAs stand behind the prompt as ``<lora:name:weight>``. A prompt with a line that begins with
    "Negative prompt:" cannot be told apart from one with a negative prompt: the form has no way.
    """
    fields = {
        "Steps": str(recipe.steps),
        "Sampler": THEIR_NAMES.get(recipe.scheduler, recipe.scheduler.value),
        "CFG scale": number(recipe.guidance),
        "Seed": str(recipe.seed),
        "Size": str(recipe.size),
        "Model": recipe.model,
    }
    if recipe.vae is not None:
        fields["VAE"] = recipe.vae
    if recipe.start is not None:
        fields["Denoising strength"] = number(recipe.start.strength)
    fields["Version"] = f"Easel {__version__}"
    loras = "".join(f"<lora:{lora.id}:{number(lora.weight)}>" for lora in recipe.loras)
    lines = [f"{recipe.prompt} {loras}" if loras else recipe.prompt]
    if recipe.negative_prompt:
        lines.append(f"Negative prompt: {recipe.negative_prompt}")
    lines.append(", ".join(f"{name}: {_quoted(value)}" for name, value in fields.items()))
    return "\n".join(lines).encode("utf-8", "replace").decode("utf-8")


def alt_text(prompt: str) -> str:
    """What a screen reader says of the picture: the prompt on one line, not endless."""
    line = " ".join(prompt.split())
    return line if len(line) <= MAX_ALT_TEXT else line[: MAX_ALT_TEXT - 1] + "…"


def number(value: float) -> str:
    """``value`` in as few digits as give it back: "7", "7.5"."""
    return repr(float(value)).removesuffix(".0")


def _quoted(value: str) -> str:
    """Their rule: a value with a comma, colon or newline is quoted as JSON quotes it.

    We also quote what their reader would cut: spaces at an end, and a value in quotes.
    """
    plain = value == value.strip() and not any(c in value for c in ',:"\r\n')
    return value if plain else json.dumps(value, ensure_ascii=False)
