"""The words for what is found out about the program itself."""

from __future__ import annotations

from app.messages.wording import Message, shown
from app.weights.channel import Unknown, Why

_UPDATES = {
    Why.NO_ANSWER: ("Nothing came from {host}.", "Check the network, and look again later."),
    Why.DAMAGED: ("What {host} answered cannot be read.", "Look again later."),
    Why.NOT_SIGNED: (
        "What {host} answered is not signed by those who make Easel, so it is not believed.",
        "Install nothing that comes from there. Look again later, in another network.",
    ),
}


def describe_unknown(unknown: Unknown) -> Message:
    """The words for an update that could not be looked for."""
    why, what = _UPDATES[unknown.why]
    title = "Whether there is a newer Easel is not known"
    return Message(title, why.replace("{host}", shown(unknown.host)), what)
