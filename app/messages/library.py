"""The words for what can go wrong with what is kept: names, the index, favourites."""

from __future__ import annotations

from app.core import errors
from app.messages.wording import Message, shown

_TEMPLATE = {
    "too long": "It is too long.",
    "character": "It holds a character that file names cannot have.",
    "braces": "Its braces do not fit together.",
    "placeholder": "There is a word in braces that Easel does not know.",
    "empty name": "A part of it is empty.",
    "dot or space": "A part of it begins or ends with a dot or a space.",
    "always the same": "It gives every picture the same name.",
}


def template_problem(error: errors.TemplateProblem) -> Message:
    why = _TEMPLATE.get(error.reason, shown(error.reason))
    return Message(
        "Pictures cannot be named like that",
        f"“{shown(error.template)}” is no pattern for names. {why}",
        "Write something like {date}/{words}-{seed}; time, year, month, day, model, size, steps, "
        "guidance and scheduler may stand in braces too.",
    )


def not_an_address(typed: str) -> Message:
    """The words for a mirror that cannot be one."""
    return Message(
        "That is no mirror",
        f"“{shown(typed[:80])}” is no address of a server.",
        "Write one that begins with https:// and has no name, password or question in it.",
    )


def library_damaged(error: errors.LibraryDamaged) -> Message:
    kept = f" The old one is kept as {shown(error.kept_as)}." if error.kept_as else ""
    if error.what == "marks":
        return Message(
            "Favourites and tags could not be read",
            f"{shown(error.file)} is damaged, so no picture has any now.{kept}",
            "Put back a copy of that file, or mark your favourites once more.",
        )
    return Message(
        "The list of pictures was damaged",
        f"Easel makes it again from the pictures themselves; no picture is lost.{kept}",
        "There is nothing to do. With many pictures it takes a while until all are listed.",
    )


def index_too_new(error: errors.IndexTooNew) -> Message:
    return Message(
        "The list of pictures is from a newer Easel",
        f"{shown(error.file)} was written by a newer version. Easel leaves it as it is, and goes "
        "on saving pictures.",
        "Use the newer version of Easel.",
    )
