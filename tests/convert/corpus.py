"""The list of hostile files, and the two ways of adding to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Build = Callable[[Path, Path], Path]
"""Given a folder, and the file that a payload would make were it ever run: writes the file."""

CORPUS: dict[str, tuple[Build, frozenset[str]]] = {}
"""Each with the reasons that it may be refused for."""

NOT_MADE = frozenset({"code inside", "unknown objects"})
UNSOUND = frozenset({"damaged", "unknown format"})


def add(name: str, reasons: frozenset[str] | str, build: Build) -> None:
    assert name not in CORPUS, name
    allowed = frozenset({reasons}) if isinstance(reasons, str) else reasons
    CORPUS[name] = (build, allowed)


def content(name: str, reasons: frozenset[str] | str, suffix: str, data: bytes) -> None:
    def build(folder: Path, _: Path) -> Path:
        file = folder / f"hostile{suffix}"
        file.write_bytes(data)
        return file

    add(name, reasons, build)
