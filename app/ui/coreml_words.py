"""How far a conversion to Core ML, or its preparing, is, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.placement import Placement

if TYPE_CHECKING:
    from app.convert.coreml.converting import Converting
    from app.jobs.readying import Need

_PARTS = {
    "unet": "the UNet",
    "text_encoder": "the text encoder",
    "text_encoder_2": "the second text encoder",
    "vae_decoder": "the decoder",
    "vae_encoder": "the encoder",
    "safety_checker": "the safety checker",
}
_STAGES = {
    "checking": "Looking through the model",
    "loading": "Reading",
    "palettizing": "Finding palettes for",
    "answering": "Asking a question with a known answer of",
    "converting": "Converting",
    "storing": "Storing",
    "merging": "Joining the sizes of",
    "proving": "Proving",
}
_UNITS = {
    Placement.COREML_NEURAL_ENGINE: "the Neural Engine",
    Placement.COREML_GPU: "the GPU",
}
TRYING = "Trying it: a few steps of a picture"


def converting_text(event: Converting) -> str:
    """ "Converting the UNet · 1:20, about 2:05 left"."""
    part = _PARTS.get(event.part, "the whole" if event.stage.value != "checking" else "")
    what = f"{_STAGES[event.stage.value]} {part}".strip()
    left = f", about {clock(event.left)} left" if event.left >= 1 else ""
    return f"{what} · {clock(event.elapsed)}{left}"


def preparing_text(need: Need, elapsed: float) -> str:
    """ "Preparing for the Neural Engine, 1:20, up to 5 minutes the first time"."""
    often = "up to 5 minutes, as macOS is another version now" if need.again else ""
    often = often or "up to 5 minutes the first time"
    return f"Preparing for {unit_text(need.placement)}, {clock(elapsed)}, {often}"


def unit_text(placement: Placement) -> str:
    """ "the Neural Engine"."""
    return _UNITS.get(placement, placement.value)


def clock(seconds: float) -> str:
    """ "1:05"; with hours "1:02:05"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
