"""What a command prints: results on stdout, all else on stderr."""

from __future__ import annotations

import json
import shutil
from typing import Any, TextIO

from app.core.errors import EaselError
from app.messages import Message

_CLEAR = "\r\x1b[K"


class Terminal:
    """Two streams. On a terminal, one line of stderr shows how far the drawing is.

    With ``as_json`` everything goes to stdout, one JSON object a line, and stderr stays empty.
    """

    def __init__(self, out: TextIO, err: TextIO, as_json: bool = False) -> None:
        self._out, self._err = out, err
        self.as_json = as_json
        self.lively = err.isatty() and not as_json
        self._status = ""

    def result(self, text: str) -> None:
        """A line of stdout; any file name survives, also one that is no Unicode."""
        self.status("")
        _write(self._out, f"{text}\n")

    def results(self, data: object) -> None:
        """All of a command's results at once, as JSON."""
        self.result(json.dumps(data, indent=2))

    def event(self, name: str, **data: Any) -> None:
        """A line of JSON, where JSON was asked for."""
        if self.as_json:
            self.result(json.dumps({"event": name, **data}))

    def note(self, text: str) -> None:
        """A line of stderr."""
        if not self.as_json:
            self.status("")
            _write(self._err, f"{text}\n")

    def problem(self, message: Message, error: EaselError | None = None) -> None:
        """What went wrong and what to do."""
        self.note(f"{message.title}. {message.body}\n{message.next_step}".rstrip())
        self.event(
            "failed",
            error=type(error).__name__ if error else "Usage",
            field=getattr(error, "field", None),
            title=message.title,
            body=message.body,
            next_step=message.next_step,
        )

    def status(self, text: str) -> None:
        """Show ``text`` in the line that moves; "" takes the line away."""
        if not self.lively or text == self._status:
            return
        width = max(20, shutil.get_terminal_size().columns - 1)
        _write(self._err, f"{_CLEAR}{text[:width]}" if text else _CLEAR)
        self._status = text

    def bar(self, part: float, width: int = 24) -> str:
        """A bar filled to ``part`` of 1, in characters that this terminal has."""
        full, empty = ("█", "░") if "utf" in (self._err.encoding or "").lower() else ("#", ".")
        filled = round(part * width)
        return full * filled + empty * (width - filled)


def duration(seconds: float) -> str:
    """ "45 s", "3 min 20 s"."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = stream.encoding or "utf-8"
        try:
            data = text.encode(encoding, "surrogateescape")
        except UnicodeEncodeError:
            data = text.encode(encoding, "backslashreplace")
        stream.flush()
        stream.buffer.write(data)
    stream.flush()
