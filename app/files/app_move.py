"""Copies the app into Applications, whole or not at all."""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from app.core.errors import AppNotMoved

_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}
_FULL = {errno.ENOSPC, errno.EDQUOT}


def copy_app(app: Path, folders: Sequence[Path]) -> Path:
    """Copy the bundle ``app`` into the first of ``folders`` that takes it; where it is then.

    An Easel that lies there already is replaced once the new one is whole. Raises AppNotMoved.
    """
    for folder in folders[:-1]:
        try:
            return _copy(app, folder)
        except AppNotMoved as error:
            if error.reason != "permission":
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
        raise AppNotMoved(str(folder), _reason(error)) from error
    shutil.rmtree(going, ignore_errors=True)
    return target


def _reason(error: OSError) -> str:
    """``copytree`` goes on after a file that fails, and has what was wrong with each as text."""
    found = {error.errno, *map(int, re.findall(r"\[Errno (\d+)\]", str(error)))}
    if found & _FULL:
        return "no space"
    return "permission" if found & _NOT_ALLOWED else "not copied"
