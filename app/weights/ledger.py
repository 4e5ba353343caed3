"""The ledger: every connection that Easel ever made. Nothing takes a line out of it.

A connection has two lines: one is written before it is made, so that not even a power cut makes it
unseen, and one when it has ended. Standard library only: the window reads it.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from app.files.atomic_file import world_error


@dataclass(frozen=True, slots=True)
class Connection:
    """``when`` it ended (ISO 8601, UTC), with which ``host``, what for, and how much came.

    Of one whose end was never written down it is the beginning, and 0 bytes.
    """

    when: str
    host: str
    why: str
    received: int


class Ledger:
    """One JSON object a line, in a file that only grows."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def note(self, host: str, why: str, received: int, key: str = "") -> None:
        """Write down a connection; a line with the ``key`` of an earlier one takes its place.

        Raises FolderNotWritable, NoSpace.
        """
        when = datetime.now(UTC).isoformat(timespec="seconds")
        line = json.dumps({**asdict(Connection(when, host, why, received)), "key": key})
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("ab+") as file:
                lost = "" if not file.tell() or _ends_well(file) else "\n"
                file.write(f"{lost}{line}\n".encode("ascii"))
        except OSError as error:
            raise world_error(error, self._file.parent, len(line)) from error

    def connections(self) -> tuple[Connection, ...]:
        """Every connection, oldest first; a line that a crash left half-written is passed over."""
        try:
            lines = self._file.read_text("utf-8", "replace").split("\n")
        except OSError:
            return ()
        found: dict[str, Connection] = {}
        for number, line in enumerate(lines):
            known = _read(line)
            if known is not None:
                key, connection = known
                found[key or f"line {number}"] = connection
        return tuple(found.values())


def _ends_well(file: BinaryIO) -> bool:
    """False after a line that a crash left half-written: the next is not to be lost with it."""
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _read(line: str) -> tuple[str, Connection] | None:
    """A line's key ("" in those of older Easels) and its connection."""
    try:
        data = json.loads(line)
        key, received = data.get("key", ""), data["received"]
        texts = (data["when"], data["host"], data["why"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if type(received) is not int or not all(isinstance(text, str) for text in (key, *texts)):
        return None
    return key, Connection(*texts, received)
