"""What every message is made of."""

from __future__ import annotations

from dataclasses import dataclass


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


def some(names: tuple[str, ...]) -> str:
    """The first three of ``names``, and how many more there are."""
    listed = ", ".join(shown(name) for name in names[:3])
    return listed + (f" and {len(names) - 3} more" if len(names) > 3 else "")
