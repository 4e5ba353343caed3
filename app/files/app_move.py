"""Copies the app into Applications, whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from app.core.errors import FolderNotWritable
from app.files.atomic_file import world_error

_NOT_YOURS = ("permission", "read-only")
_SIZE = 800_000_000
"""Bytes that an Easel.app takes, about."""


def copy_app(app: Path, folders: Sequence[Path]) -> Path:
    """Copy the bundle ``app`` into the first of ``folders`` that takes it; where it is then.

    An Easel that lies there already is replaced once the new one is whole. Raises
    FolderNotWritable, NoSpace.
    """
    for folder in folders[:-1]:
        try:
            return _copy(app, folder)
        except FolderNotWritable as error:
            if error.reason not in _NOT_YOURS:
                raise
    return _copy(app, folders[-1])


def _copy(app: Path, folder: Path) -> Path:
    """Beside its place first, so that no half of an app is ever to be seen."""
    target, coming, going = (folder / f"{start}{app.name}" for start in ("", ".new-", ".old-"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left in (coming, going):
            if left.exists():
                shutil.rmtree(left)
        shutil.copytree(app, coming, symlinks=True)
        if target.exists():
            target.rename(going)
        coming.rename(target)
    except OSError as error:
        shutil.rmtree(coming, ignore_errors=True)
        if going.exists() and not target.exists():
            going.rename(target)
        raise world_error(_first(error), folder, _SIZE) from error
    shutil.rmtree(going, ignore_errors=True)
    return target


def _first(error: OSError) -> OSError:
    """``copytree`` goes on after a file that fails, and has what was wrong with each as text."""
    found = re.search(r"\[Errno (\d+)\]", str(error))
    if error.errno is not None or found is None:
        return error
    return OSError(int(found[1]), os.strerror(int(found[1])))
