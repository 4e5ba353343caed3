"""The prompts that were drawn, newest first: what Alt-Up goes back through."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from app.core.errors import FolderNotWritable, NoSpace
from app.files.atomic_file import write_over
from app.library.marks import put_aside

VERSION = 1
MOST = 200
MAX_BYTES = 20_000_000
LONGEST = 20_000
"""Characters of a prompt that is remembered."""

log = logging.getLogger(__name__)


class PromptMemory:
    """Kept in ``file``; one that is damaged is put aside, and one that cannot be written is let be.

    Nothing here is worth an error to the person: the prompts are in the pictures too.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._prompts: list[str] | None = None

    def all(self) -> tuple[str, ...]:
        """Each once, the one drawn last first."""
        return tuple(self._known())

    def add(self, prompt: str) -> None:
        """``prompt`` was drawn."""
        known = self._known()
        if not prompt.strip() or len(prompt) > LONGEST or known[:1] == [prompt]:
            return
        self._prompts = [prompt, *(other for other in known if other != prompt)][:MOST]
        try:
            write_over(self._file, _bytes(self._prompts), durable=False)
        except (FolderNotWritable, NoSpace) as error:
            log.warning("prompts could not be remembered: %s", type(error).__name__)

    def forget(self) -> None:
        """All of them. Raises FolderNotWritable, NoSpace."""
        self._prompts = []
        if self._file.exists():
            write_over(self._file, _bytes([]))

    def _known(self) -> list[str]:
        if self._prompts is None:
            self._prompts = _read(self._file)
        return self._prompts


def _read(file: Path) -> list[str]:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ValueError("too long")
        data = json.loads(file.read_text(encoding="utf-8"))
        if data["version"] != VERSION:
            raise ValueError("another version")
        return [str(prompt) for prompt in data["prompts"]][:MOST]
    except OSError:
        return []
    except (ValueError, TypeError, KeyError, RecursionError):
        put_aside(file)
        return []


def _bytes(prompts: list[str]) -> bytes:
    return json.dumps({"version": VERSION, "prompts": prompts}).encode()
