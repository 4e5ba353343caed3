"""The words for what went wrong: what happened, and what the person can do about it.

One table, a row a kind of error. Sentences are for someone who draws, not for someone who
programs: no names of classes, no "invalid", a number never without its unit.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.core import errors
from app.core.errors import EaselError, FolderNotWritable, NoSpace
from app.core.events import PartlyUsed
from app.messages import coreml, library, models
from app.messages.asked import recipe_problem
from app.messages.wording import Message, shown, size_text, some

__all__ = ["Message", "describe", "describe_fallback", "describe_partly_used", "shown", "size_text"]


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


def describe_partly_used(event: PartlyUsed) -> str:
    """The line for a LoRA of which some has no place in the model."""
    parts = "one part" if event.unused == 1 else f"{event.unused} parts"
    return f"The model has no place for {parts} of {shown(event.title)}; the rest is used."


def _model_missing(error: errors.ModelMissing) -> Message:
    return Message(
        "The model is not there",
        f"There is no model in {shown(error.folder)}.",
        "Choose another model, or put this one back.",
    )


def _model_incomplete(error: errors.ModelIncomplete) -> Message:
    return Message(
        "The model is not complete",
        f"{shown(error.folder)} lacks {some(error.missing)}.",
        "Copy or download the model again, the whole folder.",
    )


_DAMAGE = {
    "not safetensors": "it is not a safetensors file, whatever its name says",
    "truncated": "it ends too early",
    "not JSON": "its text cannot be read",
    "not finite": "it holds values that are not numbers",
    "not Core ML": "it is not a Core ML model, whatever its name says",
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


_UNREADABLE = {
    "missing": ("There is no such file.", "Check the name, or choose another picture."),
    "permission": (
        "Easel is not allowed to read it.",
        "Change the permissions of the file, or choose another picture.",
    ),
    "not a picture": (
        "It is not a picture of a kind that Easel opens.",
        "Choose a PNG, JPEG, WebP, AVIF, GIF, BMP or TIFF picture.",
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


def _off_scale(_: errors.OffScale) -> Message:
    return Message(
        "The drawing went wrong",
        "The model gave numbers that no picture has. It may not work on this part of the computer.",
        "Try another seed. If it happens again, choose another placement in Settings.",
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


def _program_incomplete(error: errors.ProgramIncomplete) -> Message:
    return Message(
        "Easel is not installed completely",
        f"Parts of it cannot be used: {some(error.missing)}.",
        "Install Easel again.",
    )


def _bug(log: Path | None) -> Message:
    where = f"in {shown(log)}" if log else "in Easel's log"
    return Message(
        "This is a fault in Easel",
        f"You did nothing wrong. The details are {where}.",
        "Try again. If it happens again, please report it and add the log.",
    )


_TABLE: dict[type[EaselError], Callable[[Any], Message]] = {
    errors.RecipeProblem: recipe_problem,
    errors.ModelMissing: _model_missing,
    errors.ModelIncomplete: _model_incomplete,
    errors.ModelDamaged: _model_damaged,
    errors.ModelUnsupported: _model_unsupported,
    errors.HubUnreachable: models.hub_unreachable,
    errors.HubBusy: models.hub_busy,
    errors.HubSilent: models.hub_silent,
    errors.LoginPage: models.login_page,
    errors.CertificateProblem: models.certificate_problem,
    errors.UnsafeRedirect: models.unsafe_redirect,
    errors.ModelWithdrawn: models.model_withdrawn,
    errors.AccessNeeded: models.access_needed,
    errors.ChecksumMismatch: models.checksum_mismatch,
    errors.LicenceNotAccepted: models.licence_not_accepted,
    errors.KeychainUnavailable: models.keychain_unavailable,
    errors.CardProblem: models.card_problem,
    errors.ImportRefused: models.import_refused,
    errors.ModelInUse: models.model_in_use,
    errors.ModelsFolderGone: models.models_folder_gone,
    errors.PictureUnreadable: _picture_unreadable,
    errors.OutOfMemory: _out_of_memory,
    errors.EngineDied: _engine_died,
    errors.EngineUnresponsive: _engine_unresponsive,
    errors.PlacementUnavailable: _placement_unavailable,
    errors.PredictionFailed: coreml.prediction_failed,
    errors.ConversionRefused: coreml.conversion_refused,
    errors.NotFinite: _not_finite,
    errors.OffScale: _off_scale,
    errors.BlackResult: _black_result,
    errors.FlatResult: _flat_result,
    errors.FolderNotWritable: _folder_not_writable,
    errors.NoSpace: _no_space,
    errors.SettingsDamaged: _settings_damaged,
    errors.SettingsTooNew: _settings_too_new,
    errors.TemplateProblem: library.template_problem,
    errors.LibraryDamaged: library.library_damaged,
    errors.IndexTooNew: library.index_too_new,
    errors.AlreadyRunning: _already_running,
    errors.ProgramIncomplete: _program_incomplete,
}
