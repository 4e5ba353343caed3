"""What travels with converted weights: their licence, and word that they were modified."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from app.convert.tensor_files import sync

CHANGES = "MODIFIED.txt"
_LICENCES = ("LICENSE*", "LICENCE*", "License*", "Licence*", "NOTICE*", "COPYING*")
_FOLDERS = ("licences", "licenses", "LICENSES")


def copy_licences(source: Path, target: Path) -> str:
    """Copy every licence and notice in ``source``; the relative path of the first, "" for none.

    Links are left behind: a licence is a file. Raises OSError.
    """
    found = [file for pattern in _LICENCES for file in sorted(source.glob(pattern))]
    found += [file for folder in _FOLDERS for file in sorted((source / folder).glob("*"))]
    copied: list[str] = []
    for file in found:
        name = file.relative_to(source).as_posix()
        if name in copied or not file.is_file() or file.is_symlink():
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target / name)
        sync(target / name)
        copied.append(name)
    licences = [name for name in copied if "NOTICE" not in name.upper()]
    return next(iter(licences or copied), "")


def write_notice(target: Path, title: str, licence: str, changes: Iterable[str]) -> None:
    """Write that ``title`` was modified, and how. Raises OSError."""
    lines = [
        f"The files in this folder were made from “{title}”. They are not the original:",
        "Easel converted them to the Core ML format, so the weights were modified by conversion.",
        "",
        *(f"- {change}" for change in changes),
        "",
        f"The licence of the original ({licence or 'see the licence files beside this one'})",
        "applies to them unchanged, with its restrictions on use.",
    ]
    file = target / CHANGES
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sync(file)
