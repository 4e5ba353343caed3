"""Where the compiled form of a package lies: Core ML keeps its own cache by that place."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from app.files.atomic_file import world_error

COMPILED = ".mlmodelc"


def place_of(package: Path, compiled: Path) -> Path:
    """The place below ``compiled`` for the package at this path, as it is now.

    The same every time; another one when a file of the package has changed.
    """
    seen = hashlib.sha256()
    for file in sorted(one for one in package.rglob("*") if one.is_file()):
        about = file.stat()
        name = file.relative_to(package).as_posix()
        seen.update(f"{name}\0{about.st_size}\0{about.st_mtime_ns}\0".encode())
    home = hashlib.sha256(str(package.resolve()).encode()).hexdigest()[:16]
    return compiled / home / f"{package.stem}-{seen.hexdigest()[:16]}{COMPILED}"


def move_in(made: Path, place: Path) -> None:
    """Give ``made``, fresh from the compiler, its ``place``; older forms of the package go.

    Raises NoSpace, FolderNotWritable; then nothing is left at ``place``.
    """
    staging = place.with_suffix(".part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(staging, ignore_errors=True)
        shutil.move(made, staging)  # a copy where the temporary folder is another disk
        for older in place.parent.glob(f"*{COMPILED}"):
            shutil.rmtree(older, ignore_errors=True)
        staging.rename(place)
    except (OSError, shutil.Error) as error:
        wrong = error if isinstance(error, OSError) else OSError(str(error))
        raise world_error(wrong, place.parent, 0) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        shutil.rmtree(made, ignore_errors=True)
