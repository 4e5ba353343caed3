"""The words for what was asked and cannot be, field by field."""

from __future__ import annotations

from app.core.errors import RecipeProblem
from app.messages.wording import Message, shown

_NAMES = {
    "prompt": "prompt",
    "negative_prompt": "negative prompt",
    "size": "size",
    "steps": "number of steps",
    "guidance": "guidance",
    "seed": "seed",
    "scheduler": "scheduler",
    "count": "number of pictures",
    "start": "starting picture",
    "strength": "strength",
    "mask": "mask",
    "loras": "LoRA",
    "weight": "weight of the LoRA",
    "vae": "autoencoder",
    "model": "model",
    "output": "file to write",
}

_ROWS: tuple[tuple[str | None, str | None, Message], ...] = (
    (
        "prompt",
        "text",
        Message(
            "The prompt is empty",
            "There is nothing to draw yet.",
            "Type what the picture should show, for example: a red apple.",
        ),
    ),
    (
        "loras",
        "a LoRA for this kind of model",
        Message(
            "This LoRA does not fit the model",
            "“{value}” was made for another kind of model, or holds nothing for this one.",
            "Leave it out, or choose a model of the kind it was made for.",
        ),
    ),
    (
        "loras",
        "a plain LoRA",
        Message(
            "Easel cannot use this LoRA",
            "“{value}” is a DoRA, which works in another way than a LoRA.",
            "Leave it out, or look for the same as a plain LoRA.",
        ),
    ),
    (
        "vae",
        "an autoencoder for this kind of model",
        Message(
            "This autoencoder does not fit the model",
            "“{value}” was made for another kind of model.",
            "Use the model's own, or another one.",
        ),
    ),
    (
        "prompt",
        "an embedding for this kind of model",
        Message(
            "An embedding does not fit the model",
            "The word “{value}” of the prompt stands for an embedding that was made for another "
            "kind of model.",
            "Leave the word out, or choose a model of the kind it was made for.",
        ),
    ),
    (
        None,
        "no embedding",
        Message(
            "This model knows no embeddings",
            "“{value}” stands for an embedding, and a Core ML model has no place for one.",
            "Leave the word out, or draw with the model that this one was converted from.",
        ),
    ),
    (
        None,
        "a model that can do this",
        Message(
            "This model has no use for a {name}",
            "The chosen model cannot work with one.",
            "Leave the {name} out, or choose another model.",
        ),
    ),
    (
        None,
        "same size as the start",
        Message(
            "The {name} does not fit the starting picture",
            "It has {value} pixels, which is another size.",
            "Use a {name} of the same size as the starting picture.",
        ),
    ),
    (
        None,
        "readable picture",
        Message(
            "The {name} cannot be read",
            "“{value}” is not a picture that Easel can open.",
            "Choose another picture.",
        ),
    ),
    (
        None,
        "a number",
        Message("The {name} has to be a number", "“{value}” is none.", "Write it in digits."),
    ),
    (
        None,
        "a whole number",
        Message("The {name} has to be a whole number", "“{value}” is none.", "Write it in digits."),
    ),
    (
        "size",
        "WIDTHxHEIGHT",
        Message(
            "That is not a size",
            "“{value}” cannot be read as a width and a height.",
            "Write both in pixels with an x between them, for example 512x512.",
        ),
    ),
    (
        "size",
        None,
        Message(
            "The size cannot be {value}",
            "The chosen model draws {sides}.",
            "Choose a size within that.",
        ),
    ),
    (
        "scheduler",
        None,
        Message(
            "That scheduler is not available",
            "The chosen model has no scheduler called “{value}”.",
            "Choose one of these: {allowed}.",
        ),
    ),
    (
        "model",
        None,
        Message(
            "There is no such model",
            "Easel has no model called “{value}”.",
            "Choose one of these, or give the folder of one: {allowed}.",
        ),
    ),
    (
        "output",
        None,
        Message(
            "The picture cannot be written in that form",
            "“{value}” is not a kind of file that Easel writes.",
            "Choose a file name that ends in {allowed}.",
        ),
    ),
    (
        "loras",
        None,
        Message(
            "That LoRA cannot be used",
            "No LoRA called “{value}” is installed for this kind of model.",
            "Choose one of these: {allowed}.",
        ),
    ),
    (
        "vae",
        None,
        Message(
            "That autoencoder cannot be used",
            "No autoencoder called “{value}” is installed for this kind of model.",
            "Choose one of these: {allowed}.",
        ),
    ),
    ("prompt", None, Message("The {name} is too long", "It has {value}.", "Shorten it.")),
    ("negative_prompt", None, Message("The {name} is too long", "It has {value}.", "Shorten it.")),
    (
        None,
        None,
        Message(
            "The {name} cannot be {value}", "It can be {allowed}.", "Choose a value within that."
        ),
    ),
)
"""(field, allowed, words); the first row that fits counts, None fits everything."""


def recipe_problem(error: RecipeProblem) -> Message:
    """The words for ``error``; every field and every kind of ``allowed`` has some."""
    words = next(
        words
        for field, allowed, words in _ROWS
        if field in (None, error.field) and allowed in (None, error.allowed)
    )
    facts = {
        "name": _NAMES.get(error.field) or shown(error.field).replace("_", " "),
        "value": shown(error.value) or "empty",
        "allowed": shown(error.allowed) or "none",
        "sides": shown(error.allowed).replace(" a side", " pixels a side"),
    }
    return Message(*(text.format(**facts) for text in (words.title, words.body, words.next_step)))
