"""The words for what went wrong: what happened, and what the person can do about it.

One table, a row a kind of error. Sentences are for someone who draws, not for someone who
programs: no names of classes, no "invalid", a number never without its unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core import errors
from app.core.errors import EaselError, FolderNotWritable, NoSpace


@dataclass(frozen=True, slots=True)
class Message:
    """``title`` is a headline, ``body`` what happened, ``next_step`` what the person can do.

    Plain text, never to be shown as markup: file names are in it.
    """

    title: str
    body: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.title}. {self.body} {self.next_step}"


def describe(error: EaselError, log: Path | None = None) -> Message:
    """The words for ``error``. ``log`` is where Easel's log lies, where the caller knows."""
    words = _TABLE.get(type(error))
    return _bug(log) if words is None else words(error)


def describe_fallback(reason: FolderNotWritable | NoSpace, file: Path) -> Message:
    """The words for a picture that was saved, but not where it should have been."""
    why = describe(reason)
    return Message(
        "Saved in another folder",
        f"{why.body} So that the picture is not lost, it is in {shown(file)}.",
        why.next_step,
    )


def shown(value: object) -> str:
    """A name as it can be shown and printed: no control characters, no halves of characters."""
    text = str(value).encode("utf-8", "replace").decode("utf-8")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def size_text(size: int) -> str:
    """ "3.2 GB": bytes in the decimal units that Finder uses."""
    value, unit = float(size), "bytes"
    for unit in ("bytes", "KB", "MB", "GB", "TB"):
        if value < 999.5 or unit == "TB":
            break
        value /= 1000
    if unit == "bytes":
        return "1 byte" if size == 1 else f"{size} bytes"
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"


# What was asked

_FIELDS = {
    "prompt": "The prompt",
    "negative_prompt": "The negative prompt",
    "size": "The size",
    "steps": "The number of steps",
    "guidance": "The guidance",
    "seed": "The seed",
    "scheduler": "The scheduler",
    "count": "The number of pictures",
    "start": "The starting picture",
    "strength": "The strength",
    "mask": "The mask",
    "loras": "The LoRA",
    "model": "The model",
    "output": "The file to write",
}


def _recipe_problem(error: errors.RecipeProblem) -> Message:
    value, allowed = shown(error.value), shown(error.allowed)
    name = _FIELDS.get(error.field, f"The {shown(error.field).replace('_', ' ')}")
    short = name.removeprefix("The ")
    if error.field == "prompt" and allowed == "text":
        return Message(
            "The prompt is empty",
            "There is nothing to draw yet.",
            "Type what the picture should show, for example: a red apple.",
        )
    if allowed == "a model that can do this":
        return Message(
            f"This model has no use for {_FEATURES.get(error.field, short)}",
            "The chosen model cannot do that.",
            f"Choose another model, or leave {_FEATURES.get(error.field, short)} out.",
        )
    if error.field in ("prompt", "negative_prompt"):
        return Message(f"{name} is too long", f"It has {value}.", f"Shorten it to {allowed}.")
    if allowed == "same size as the start":
        return Message(
            "The mask does not fit the starting picture",
            f"The mask has {value} pixels, which is another size.",
            "Use a mask of the same size as the starting picture.",
        )
    if allowed == "readable picture":
        return Message(
            f"{name} cannot be read",
            f"{value or 'It'} is not a picture that Easel can open.",
            "Choose another picture.",
        )
    if error.field == "scheduler":
        return Message(
            "That scheduler is not available",
            f"The chosen model does not know a scheduler called “{value}”.",
            f"Choose one of these: {allowed}.",
        )
    if error.field == "output":
        return Message(
            "The picture cannot be written in that form",
            f"“{value}” is not a kind of file that Easel writes.",
            f"Choose a file name that ends in {allowed}.",
        )
    if error.field == "size" and allowed == "WIDTHxHEIGHT":
        return Message(
            "That is not a size",
            f"“{value}” cannot be read as a width and a height.",
            "Write both in pixels with an x between them, for example 512x512.",
        )
    unit = " pixels" if error.field == "size" else ""
    allowed = allowed.replace(" a side, in steps of ", " pixels a side, in steps of ")
    return Message(
        f"{name} cannot be {value or 'empty'}",
        f"For the chosen model {short} {value or 'nothing'}{unit} is not possible.",
        f"Choose {allowed}.",
    )


_FEATURES = {
    "negative_prompt": "a negative prompt",
    "start": "a starting picture",
    "mask": "a mask",
    "loras": "LoRAs",
}


# Models


def _model_missing(error: errors.ModelMissing) -> Message:
    return Message(
        "The model is not there",
        f"There is no model in {shown(error.folder)}.",
        "Choose another model, or put this one back.",
    )


def _model_incomplete(error: errors.ModelIncomplete) -> Message:
    names = [shown(name) for name in error.missing]
    listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return Message(
        "The model is not complete",
        f"{'A part of it is' if len(names) == 1 else 'Parts of it are'} not in "
        f"{shown(error.folder)}: {listed}.",
        "Copy or download the model again, the whole folder.",
    )


_DAMAGE = {
    "not safetensors": "it is not a safetensors file, whatever its name says",
    "truncated": "it ends too early",
    "not JSON": "its text cannot be read",
    "not finite": "it holds values that are not numbers",
    "mismatch": "its contents do not fit the rest of the model",
}


def _model_damaged(error: errors.ModelDamaged) -> Message:
    why = _DAMAGE.get(error.reason, shown(error.reason))
    return Message(
        "The model is damaged",
        f"A file of the model cannot be used: {why}. It is {shown(error.file)}.",
        "Copy or download the model again, or choose another one.",
    )


def _model_unsupported(error: errors.ModelUnsupported) -> Message:
    return Message(
        "Easel cannot draw with this model",
        f"The model in {shown(error.folder)} is of a kind that Easel does not know "
        f"({shown(error.found)}).",
        "Choose a Stable Diffusion 1.x, 2.x or SDXL model in diffusers layout.",
    )


# Pictures and folders

_UNREADABLE = {
    "missing": ("There is no such file.", "Check the name, or choose another picture."),
    "permission": (
        "Easel is not allowed to read it.",
        "Change the permissions of the file, or choose another picture.",
    ),
    "not a picture": (
        "It is not a picture of a kind that Easel opens.",
        "Choose a PNG, JPEG, WebP, GIF, BMP or TIFF picture.",
    ),
    "too large": (
        "It has more than 40 million pixels, or more than 64 MB.",
        "Make it smaller in another program, or choose another picture.",
    ),
    "damaged": (
        "A part of the file is missing or damaged.",
        "Save it again in another program, or choose another picture.",
    ),
    "no recipe": (
        "It does not say how it was drawn.",
        "Choose a picture that was drawn with Easel.",
    ),
}


def _picture_unreadable(error: errors.PictureUnreadable) -> Message:
    what = f"“{shown(Path(error.file).name)}”" if error.file else "the picture"
    why, step = _UNREADABLE.get(
        error.reason, (f"The reason: {shown(error.reason)}.", "Choose another picture.")
    )
    return Message(f"Easel cannot use {what}", why, step)


_UNWRITABLE = {
    "permission": "Easel is not allowed to write there.",
    "read-only": "The disk can only be read.",
    "not a folder": "There is a file where the folder should be.",
    "a folder is in the way": "There is a folder where the file should be.",
    "name too long": "The name is too long for the disk.",
    "name not allowed": "The disk does not allow the name.",
    "gone": "The folder is not there any more.",
}


def _folder_not_writable(error: FolderNotWritable) -> Message:
    why = _UNWRITABLE.get(error.reason, f"The system says: {shown(error.reason)}.")
    return Message(
        "The folder cannot be written to",
        f"Nothing could be saved in {shown(error.folder)}. {why}",
        "Choose another folder, or change the permissions of this one.",
    )


def _no_space(error: NoSpace) -> Message:
    return Message(
        "The disk is full",
        f"{shown(error.folder)} needs {size_text(error.needed)} and has "
        f"{size_text(error.free)} left for you.",
        "Free some space, or choose a folder on another disk.",
    )


def _settings_damaged(error: errors.SettingsDamaged) -> Message:
    kept = f"The old file is kept as {shown(error.kept_as)}." if error.kept_as else ""
    return Message(
        "The settings could not be read",
        f"{shown(error.file)} is damaged, so Easel uses its usual settings. {kept}".strip(),
        "Set what you had changed once more.",
    )


def _settings_too_new(error: errors.SettingsTooNew) -> Message:
    return Message(
        "The settings are from a newer Easel",
        f"{shown(error.file)} was written by a newer version. Easel leaves it as it is, uses its "
        "usual settings, and will not remember changes.",
        "Use the newer version of Easel.",
    )


# The machine


def _out_of_memory(error: errors.OutOfMemory) -> Message:
    body = "The picture needs more memory than is free."
    if error.needed and error.free:
        body = (
            f"The picture needs about {size_text(error.needed)} of memory, and "
            f"{size_text(error.free)} is free."
        )
    return Message(
        "There is not enough memory",
        body,
        "Close other programs, or choose a smaller size.",
    )


def _engine_died(error: errors.EngineDied) -> Message:
    body = (
        "The part of Easel that draws has stopped by itself; the window and your prompt have not."
    )
    if error.exit_code == -9:
        body += " The system ended it, most likely because memory ran out."
    return Message(
        "The drawing was interrupted",
        body,
        "Draw again: it starts anew. If it happens again, choose a smaller size or another model.",
    )


def _engine_unresponsive(error: errors.EngineUnresponsive) -> Message:
    return Message(
        "The drawing part of Easel does not answer",
        f"It has not answered for {error.seconds:.0f} seconds, and was ended.",
        "Draw again: it starts anew. If it happens again, restart Easel.",
    )


def _placement_unavailable(error: errors.PlacementUnavailable) -> Message:
    return Message(
        "This computer cannot draw that way",
        f"Drawing on {shown(error.placement)} does not work here: {shown(error.reason)}.",
        "Draw again; Easel chooses another way.",
    )


_STAGES = {
    "prompt": "while the prompt was read",
    "denoising": "while the picture was drawn",
    "decoding": "while the picture was finished",
}


def _not_finite(error: errors.NotFinite) -> Message:
    return Message(
        "The drawing went wrong",
        f"The model gave values that are no numbers {_STAGES.get(error.stage, 'on the way')}. "
        "Its files may be damaged, or it does not work on this computer.",
        "Try another seed. If it happens again, download the model again or choose another one.",
    )


def _black_result(_: errors.BlackResult) -> Message:
    return Message(
        "The picture came out black",
        "The model ran to its end, but there is nothing to see.",
        "Try another seed or fewer steps. If it happens again, choose another model.",
    )


def _flat_result(error: errors.FlatResult) -> Message:
    return Message(
        "The picture came out empty",
        f"The model ran to its end, but all of it has one colour ({shown(error.colour)}).",
        "Try another seed or a longer prompt. If it happens again, choose another model.",
    )


def _already_running(_: errors.AlreadyRunning) -> Message:
    return Message(
        "Easel is already open",
        "There is an Easel window on this computer already.",
        "Use that window.",
    )


def _bug(log: Path | None) -> Message:
    where = f"in {shown(log)}" if log else "in Easel's log"
    return Message(
        "This is a fault in Easel",
        f"You did nothing wrong. The details are {where}.",
        "Try again. If it happens again, please report it and add the log.",
    )


_TABLE: dict[type[EaselError], Callable[[Any], Message]] = {
    errors.RecipeProblem: _recipe_problem,
    errors.ModelMissing: _model_missing,
    errors.ModelIncomplete: _model_incomplete,
    errors.ModelDamaged: _model_damaged,
    errors.ModelUnsupported: _model_unsupported,
    errors.PictureUnreadable: _picture_unreadable,
    errors.OutOfMemory: _out_of_memory,
    errors.EngineDied: _engine_died,
    errors.EngineUnresponsive: _engine_unresponsive,
    errors.PlacementUnavailable: _placement_unavailable,
    errors.NotFinite: _not_finite,
    errors.BlackResult: _black_result,
    errors.FlatResult: _flat_result,
    errors.FolderNotWritable: _folder_not_writable,
    errors.NoSpace: _no_space,
    errors.SettingsDamaged: _settings_damaged,
    errors.SettingsTooNew: _settings_too_new,
    errors.AlreadyRunning: _already_running,
}
