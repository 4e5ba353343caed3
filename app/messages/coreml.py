"""The words for what can go wrong with Core ML models."""

from __future__ import annotations

from app.core import errors
from app.messages.wording import Message, shown

_PREDICTION = {
    "input": "it was given something else than it takes",
    "output": "it gave back something else than it promises",
    "compile": "macOS could not prepare it",
    "hang": "macOS did not finish preparing it",
    "crash": "macOS broke off while preparing it",
    "answer": "it gave a wrong answer to a question with a known one",
}


def prediction_failed(error: errors.PredictionFailed) -> Message:
    why = _PREDICTION.get(error.reason, shown(error.reason))
    return Message(
        "Core ML could not draw this picture",
        f"A part of the model ({shown(error.part)}) failed: {why}.",
        "Draw again. If it happens again, choose another placement in Settings.",
    )


def not_prepared(error: errors.PredictionFailed) -> Message:
    """The words for a model that Core ML cannot draw with on this Mac."""
    why = _PREDICTION.get(error.reason, shown(error.reason))
    return Message(
        "It cannot be drawn with on this Mac as it is",
        f"While a part of it ({shown(error.part)}) was prepared, {why}.",
        "Draw with another model. This one is tried again when macOS is another version.",
    )


def trial_text(picture_s: float, memory: int, computer_memory: int) -> str:
    """ "About 14 s a picture, 1.1 of 8 GB": what a trial found, in words. Sizes in bytes."""
    seconds = f"{picture_s:.1f}" if picture_s < 9.95 else f"{picture_s:.0f}"
    used, there = memory / 2**30, round(computer_memory / 2**30)
    return f"About {seconds} s a picture, {used:.1f} of {there} GB"


_REFUSED = {
    "family": (
        "it is of a kind that Easel does not convert",
        "Choose a Stable Diffusion 1.x, 2.x or SDXL model.",
    ),
    "size": (
        "it cannot draw at that size",
        "Choose sides in multiples of 64, between 256 and 1024 pixels.",
    ),
    "bits": ("weights are kept in 4, 6, 8 or 16 bits", "Choose one of these."),
    "lora": ("the LoRA was made for another kind of model", "Choose another LoRA."),
    "too much memory": (
        "it takes more memory than there is",
        "Close other programs, or draw with the model as it is.",
    ),
    "too slow": ("it took far longer than it should", "Restart the computer and try again."),
    "failed": (
        "the converted model does not draw what the original draws",
        "Draw with the model as it is, and please report this.",
    ),
}


def conversion_refused(error: errors.ConversionRefused) -> Message:
    why, step = _REFUSED.get(
        error.reason, (shown(error.reason), "Draw with the model as it is, without converting it.")
    )
    return Message(
        "The model was not converted", f"“{shown(error.model)}” stays as it is: {why}.", step
    )
