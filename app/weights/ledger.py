"""The ledger: a line for each connection that Easel ever made. Nothing takes a line out of it.

Standard library only: the window reads it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.files.atomic_file import world_error


@dataclass(frozen=True, slots=True)
class Connection:
    """``when`` it ended (ISO 8601, UTC), with which ``host``, what for, and how much came."""

    when: str
    host: str
    why: str
    received: int


class Ledger:
    """One JSON object a line, in a file that only grows."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def note(self, host: str, why: str, received: int, now: datetime | None = None) -> None:
        """Write down a connection. Raises FolderNotWritable, NoSpace."""
        when = (now or datetime.now(UTC)).isoformat(timespec="seconds")
        line = json.dumps(asdict(Connection(when, host, why, received)))
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="ascii") as file:
                file.write(f"{line}\n")
        except OSError as error:
            raise world_error(error, self._file.parent, len(line)) from error

    def connections(self) -> tuple[Connection, ...]:
        """Every connection, oldest first; a line that a crash left half-written is passed over."""
        try:
            lines = self._file.read_text("utf-8", "replace").splitlines()
        except OSError:
            return ()
        return tuple(known for line in lines if (known := _read(line)) is not None)


def _read(line: str) -> Connection | None:
    try:
        data = json.loads(line)
        return Connection(
            str(data["when"]), str(data["host"]), str(data["why"]), int(data["received"])
        )
    except (ValueError, KeyError, TypeError):
        return None
