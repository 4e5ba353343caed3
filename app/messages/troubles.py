"""What can go wrong, for reading: the words of every kind of error, with general names in them.

Made by ``describe`` from one example a kind, so that help says what the window says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.core import errors
from app.core.errors import EaselError
from app.messages.wording import Message

_HUB = "Hugging Face"
_MB = 1_000_000

EXAMPLES: tuple[tuple[str, tuple[EaselError, ...]], ...] = (
    (
        "Drawing",
        (
            errors.RecipeProblem("prompt", "", "text"),
            errors.RecipeProblem("size", "500x500", "256 to 1024 a side, in steps of 8"),
            errors.OutOfMemory(),
            errors.EngineDied(-9),
            errors.EngineUnresponsive(60.0),
            errors.PlacementUnavailable("this part of the computer", "it is not there"),
            errors.PredictionFailed("unet", "compile"),
            errors.NotFinite("denoising"),
            errors.OffScale(100.0),
            errors.BlackResult(),
            errors.FlatResult("#808080"),
        ),
    ),
    (
        "Models on this computer",
        (
            errors.ModelMissing("the folder"),
            errors.ModelIncomplete("The folder", ("a file",)),
            errors.ModelDamaged("the file that is named", "truncated"),
            errors.ModelUnsupported("the folder", "another kind"),
            errors.ModelInUse("The model", "drawing"),
            errors.ModelsFolderGone("the folder you chose"),
            errors.ImportRefused("the file", "unknown"),
            errors.ConversionRefused("the model", "unknown"),
            errors.CardProblem("the model", "a part of it is missing"),
        ),
    ),
    (
        "Getting models",
        (
            errors.HubUnreachable(_HUB, "no connection"),
            errors.HubBusy(_HUB, 600),
            errors.HubSilent(_HUB, 15.0),
            errors.LoginPage(_HUB),
            errors.CertificateProblem(_HUB, "expired"),
            errors.UnsafeRedirect(_HUB, "another server"),
            errors.ModelWithdrawn("the model", "repository"),
            errors.AccessNeeded("the model", "gated"),
            errors.ChecksumMismatch("the file", "", ""),
            errors.LicenceNotAccepted("its licence", ""),
            errors.KeychainUnavailable("locked"),
        ),
    ),
    (
        "Pictures and folders",
        (
            errors.PictureUnreadable("", "damaged"),
            errors.FolderNotWritable("the folder", "permission"),
            errors.NoSpace("The disk", 200 * _MB, 20 * _MB),
            errors.TemplateProblem("{word}", "placeholder"),
            errors.LibraryDamaged("index", "the file", ""),
            errors.IndexTooNew("The list", 2),
        ),
    ),
    (
        "Easel itself",
        (
            errors.SettingsDamaged("The file", ""),
            errors.SettingsTooNew("The file", 2),
            errors.AlreadyRunning(1),
            errors.ProgramIncomplete(("a part",)),
            errors.Bug(""),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Troubles:
    """Under ``heading`` what can go wrong there."""

    heading: str
    messages: tuple[Message, ...]


def troubles(describe: Callable[[EaselError], Message]) -> tuple[Troubles, ...]:
    """Every kind of error in the words of ``describe``, by where one meets it."""
    return tuple(
        Troubles(heading, tuple(_sentence(describe(error)) for error in listed))
        for heading, listed in EXAMPLES
    )


def _sentence(message: Message) -> Message:
    body = message.body
    return Message(message.title, body[:1].upper() + body[1:], message.next_step)
