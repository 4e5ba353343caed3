"""The words for what happens to the program itself: its updates, and its way into Applications."""

from __future__ import annotations

from app.core import errors
from app.messages.wording import Message, shown

_UPDATES = {
    "no answer": ("Nothing came from {host}.", "Check the network, and look again later."),
    "damaged": ("What {host} answered cannot be read.", "Look again later."),
    "not signed": (
        "What {host} answered is not signed by those who make Easel, so it is not believed.",
        "Do not install anything that comes from there. Look again later, in another network.",
    ),
}
_MOVES = {
    "permission": ("You may not write into {folder}.", "Ask whoever looks after this Mac."),
    "no space": ("The disk with {folder} is full.", "Make room for about 1 GB."),
    "not copied": ("Copying to {folder} broke off.", "Open the disk image again."),
}


def update_unknown(error: errors.UpdateUnknown) -> Message:
    why, what = _UPDATES.get(error.reason, _UPDATES["damaged"])
    return Message(
        "Whether there is a newer Easel is not known",
        why.replace("{host}", shown(error.host)),
        what,
    )


def app_not_moved(error: errors.AppNotMoved) -> Message:
    why, what = _MOVES.get(error.reason, _MOVES["not copied"])
    return Message(
        "Easel stayed where it is",
        why.replace("{folder}", shown(error.folder)),
        f"{what} Then drag Easel to Applications yourself.",
    )
