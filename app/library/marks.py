"""Favourites and tags: what the person says of pictures, by the pictures' own ids.

They are in a file of their own and not in the pictures: to mark a picture must never risk it, and
one that other programs have edited since is not to be written over. The file is the truth; the
index has a copy, so that it can be made again.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.errors import FolderNotWritable, LibraryDamaged
from app.files.atomic_file import write_over

VERSION = 1
MAX_BYTES = 100_000_000
MAX_TAG = 80


@dataclass(frozen=True, slots=True)
class Mark:
    """Of one picture."""

    favourite: bool = False
    tags: tuple[str, ...] = ()


class Marks:
    """The marks of ``file``; a change is on the disk when its method returns.

    A file that is not what it should be is put aside and said in ``problem``. One that the system
    does not give us stays where it is, and nothing is written over it. May be called from any
    thread.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.problem: LibraryDamaged | None = None
        self._lock = threading.Lock()
        self._withheld = False
        self._marks: dict[str, Mark] = {}
        try:
            self._marks = _read(file)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError:
            self._withheld = True
            self.problem = LibraryDamaged("marks", str(file), "")
        except (ValueError, TypeError, AttributeError, KeyError):
            self.problem = LibraryDamaged("marks", str(file), put_aside(file))

    def all(self) -> dict[str, Mark]:
        """Every picture that has one."""
        with self._lock:
            return dict(self._marks)

    def set_favourite(self, ids: Iterable[str], favourite: bool) -> None:
        """Raises FolderNotWritable, NoSpace; then nothing has changed."""
        self._change(ids, lambda mark: Mark(favourite, mark.tags))

    def add_tag(self, ids: Iterable[str], tag: str) -> None:
        """As ``set_favourite``. A tag is trimmed to ``MAX_TAG`` characters on one line."""
        tag = clean(tag)
        if tag:
            self._change(ids, lambda mark: Mark(mark.favourite, tuple(sorted({*mark.tags, tag}))))

    def remove_tag(self, ids: Iterable[str], tag: str) -> None:
        """As ``set_favourite``."""
        tag = clean(tag)
        self._change(
            ids,
            lambda mark: Mark(mark.favourite, tuple(other for other in mark.tags if other != tag)),
        )

    def _change(self, ids: Iterable[str], change: Any) -> None:
        with self._lock:
            if self._withheld:
                raise FolderNotWritable(str(self.file.parent), "permission")
            marks = dict(self._marks)
            for id in ids:
                marks[id] = change(marks.get(id, Mark()))
                if marks[id] == Mark():
                    del marks[id]
            if marks != self._marks:
                write_over(self.file, _bytes(marks))
                self._marks = marks


def clean(tag: str) -> str:
    """A tag as it is kept: one line, no more than ``MAX_TAG`` characters, whole characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in tag).split())
    return line[:MAX_TAG].strip()


def put_aside(file: Path) -> str:
    """Rename ``file`` to "NAME.damaged", over an older one; "" when that is refused."""
    aside = file.with_name(f"{file.name}.damaged")
    try:
        file.replace(aside)
    except OSError:
        return ""
    return str(aside)


def _read(file: Path) -> dict[str, Mark]:
    if file.stat().st_size > MAX_BYTES:
        raise ValueError("too long")
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if data["version"] != VERSION:
        raise ValueError("another version")
    return {
        str(id): Mark(bool(mark.get("favourite")), tuple(str(tag) for tag in mark.get("tags", ())))
        for id, mark in data["marks"].items()
    }


def _bytes(marks: dict[str, Mark]) -> bytes:
    data: dict[str, dict[str, object]] = {}
    for id, mark in sorted(marks.items()):
        data[id] = {"favourite": True} if mark.favourite else {}
        if mark.tags:
            data[id]["tags"] = list(mark.tags)
    return json.dumps({"version": VERSION, "marks": data}, indent=1).encode()
