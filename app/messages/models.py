"""The words for getting models: downloads, licences, files from elsewhere."""

from __future__ import annotations

from app.core import errors
from app.messages.wording import Message, shown

_KEPT = "What has arrived is kept."

_UNREACHABLE = {
    "no connection": "There is no connection to {host}.",
    "name not found": "The address of {host} could not be looked up.",
    "proxy": "The proxy of this network does not let Easel through to {host}.",
    "broken off": "The connection to {host} breaks off again and again.",
    "too slow": "The connection to {host} is too slow to be of use.",
}


def hub_unreachable(error: errors.HubUnreachable) -> Message:
    host = shown(error.host)
    why = _UNREACHABLE.get(error.reason, "There is a fault at {host}: " + shown(error.reason) + ".")
    return Message(
        "The model cannot be downloaded now",
        f"{why.replace('{host}', host)} {_KEPT}",
        "Check the network and press Resume: it goes on where it was.",
    )


def hub_busy(error: errors.HubBusy) -> Message:
    return Message(
        "The download has to wait",
        f"“{shown(error.host)}” is busy and asks to come back in {waiting(error.retry_after)}. "
        f"{_KEPT}",
        "Press Resume later.",
    )


def hub_silent(error: errors.HubSilent) -> Message:
    return Message(
        "There is no answer",
        f"“{shown(error.host)}” has said nothing for {error.seconds:.0f} seconds. {_KEPT}",
        "Check the network and press Resume: it goes on where it was.",
    )


def login_page(error: errors.LoginPage) -> Message:
    return Message(
        "The network wants a log-in first",
        f"A web page came where {shown(error.host)} should have sent the model, as in hotels and "
        f"airports. {_KEPT}",
        "Open a web browser, log in to the network, and press Resume.",
    )


_CERTIFICATES = {
    "self-signed": "its certificate is one that it made itself",
    "expired": "its certificate has expired",
    "another name": "its certificate belongs to another name",
}


def certificate_problem(error: errors.CertificateProblem) -> Message:
    why = _CERTIFICATES.get(error.reason, shown(error.reason))
    return Message(
        "The connection is not safe",
        f"“{shown(error.host)}” could not prove who it is: {why}. Nothing was downloaded from it.",
        "Check the date of this computer, or try in another network.",
    )


def unsafe_redirect(error: errors.UnsafeRedirect) -> Message:
    where = "in circles" if error.target == "too many" else f"to {shown(error.target)}"
    return Message(
        "The download led somewhere unsafe",
        f"“{shown(error.host)}” sent Easel {where}, and it did not follow.",
        "Try again later, or in another network.",
    )


def model_withdrawn(error: errors.ModelWithdrawn) -> Message:
    parts = {"repository": "The model", "revision": "This version of the model"}
    what = parts.get(error.what, f"The file {shown(error.what)}")
    return Message(
        "The model is not there any more",
        f"{what} has been taken out of {shown(error.repository)}, or its name is not right.",
        "Check the name, or choose another model.",
    )


_ACCESS = {
    "gated": (
        "Its makers let in only people who have agreed to their terms on the website.",
        "Open its page, agree there, and give Easel your access token.",
    ),
    "private": (
        "It is private, or there is no such model.",
        "Check the name, or give Easel an access token of an account that may read it.",
    ),
    "token refused": (
        "The access token was refused.",
        "Make a new token on the website and give it to Easel.",
    ),
}


def access_needed(error: errors.AccessNeeded) -> Message:
    why, step = _ACCESS.get(error.reason, (f"The reason: {shown(error.reason)}.", "Try another."))
    return Message(f"Access to {shown(error.repository)} is needed", why, step)


def checksum_mismatch(error: errors.ChecksumMismatch) -> Message:
    return Message(
        "A file is not what it should be",
        f"“{shown(error.file)}” was downloaded twice, and both times it did not match its "
        "checksum. It is not used.",
        "Try again later, or in another network.",
    )


def licence_not_accepted(error: errors.LicenceNotAccepted) -> Message:
    return Message(
        "The licence has not been accepted",
        f"This model comes under the licence {shown(error.licence)}. Nothing is downloaded before "
        "it has been read and accepted.",
        f"Read it, then accept it; in scripts with --accept-licence {shown(error.sha256)}.",
    )


def keychain_unavailable(error: errors.KeychainUnavailable) -> Message:
    if error.reason == "locked":
        return Message(
            "The keychain did not answer",
            "It is locked, or Easel is not allowed to use it. Access tokens are kept nowhere else.",
            "Unlock the keychain, allow Easel to use it, and try again.",
        )
    return Message(
        "There is no keychain",
        "Easel keeps access tokens in the keychain of the system and nowhere else, and this "
        "computer has none that it can use.",
        "Choose a model that needs no token, or download its file with a web browser and bring "
        "that in.",
    )


def card_problem(error: errors.CardProblem) -> Message:
    return Message(
        "Easel cannot use this model",
        f"The description of {shown(error.card)} is not right: {shown(error.reason)}.",
        "Choose another model.",
    )


IMPORT_REASONS = {
    "missing": "There is no such file.",
    "permission": "Easel is not allowed to read it.",
    "unknown format": "It is not a model file of a kind that Easel opens.",
    "damaged": "A part of it is missing or damaged.",
    "hostile": "It is built to do something other than hold a model.",
    "code inside": "It holds program code, and Easel never runs code from a model file.",
    "unknown objects": "It holds objects that Easel does not know and will not make.",
    "too large": "It holds more than any model of its kind.",
    "too slow": "It took longer to read than any sound file of its size would.",
    "too much memory": "It wanted more memory than any sound file of its size would.",
    "unknown family": "It is not a part of Stable Diffusion 1.x, 2.x or SDXL.",
    "not finite": "It holds values that are not numbers.",
    "wrong family": "It was made for another family of models.",
    "checksum": "A file inside does not match its checksum.",
    "unsafe names": "It holds file names that lead out of its folder.",
}
"""Every ``reason`` of ``ImportRefused``."""


def import_refused(error: errors.ImportRefused) -> Message:
    why = IMPORT_REASONS.get(error.reason, f"The reason: {shown(error.reason)}.")
    name = shown(error.file.rpartition("/")[2])
    return Message(
        "The file cannot be brought in",
        f"Easel will not use “{name}”. {why} Nothing of it was kept.",
        "Get the model again from where it came from, as .safetensors if there is one.",
    )


def model_in_use(error: errors.ModelInUse) -> Message:
    return Message(
        "The model is busy",
        f"“{shown(error.model)}” is {shown(error.what)} just now.",
        "Wait until that is done, or stop it, and try again.",
    )


def models_folder_gone(error: errors.ModelsFolderGone) -> Message:
    return Message(
        "The folder with your models is not there",
        f"Easel keeps them in {shown(error.folder)}, perhaps on a disk that is not plugged in.",
        "Plug the disk in, or choose another folder: Move… in the Models window.",
    )


def waiting(seconds: int) -> str:
    """``seconds`` as a person says it: "5 minutes", "a day"."""
    for size, one, many in (
        (86400, "a day", "days"),
        (3600, "an hour", "hours"),
        (60, "a minute", "minutes"),
    ):
        if seconds >= size:
            count = round(seconds / size)
            return one if count == 1 else f"{count} {many}"
    return f"{seconds} seconds"
