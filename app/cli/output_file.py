"""Pictures that go where ``-o`` says."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from app.core.errors import FolderNotWritable, NoSpace, RecipeProblem
from app.core.events import Finished
from app.core.recipe import Recipe
from app.library.library import Library
from app.library.picture_file import SUFFIXES, Picture


class OutputFile:
    """Writes a run's pictures to one file, or to file-1, file-2, ... where there are several.

    A picture that cannot be written there goes to the library instead: it is not lost.
    """

    def __init__(self, file: Path, count: int, library: Library) -> None:
        """Raises RecipeProblem or FolderNotWritable when ``file`` can never be written."""
        if file.suffix.lower() not in SUFFIXES:
            raise RecipeProblem("output", file.name[-80:], ".png, .jpg, .webp or .avif")
        self._file = file.absolute()
        self._count = count
        self._library = library
        self._written = 0
        _check(self._file)

    def save(self, recipe: Recipe, finished: Finished) -> Picture:
        """Write the next picture, over what was there. Raises FolderNotWritable, NoSpace."""
        self._written += 1
        number = f"-{self._written}" if self._count > 1 else ""
        file = self._file.with_name(f"{self._file.stem}{number}{self._file.suffix}")
        try:
            return self._library.save_as(recipe, finished, file)
        except (FolderNotWritable, NoSpace) as error:
            try:
                kept = self._library.save(recipe, finished)
            except (FolderNotWritable, NoSpace):
                raise error from None
            return replace(kept, fell_back=error)


def _check(file: Path) -> None:
    """Refuse before the drawing what would be refused after it."""
    folder = str(file.parent)
    try:
        if file.is_dir():
            raise FolderNotWritable(folder, "a folder is in the way")
        there = next(place for place in file.parents if place.exists())
        os.fsencode(file)
    except ValueError as error:
        raise FolderNotWritable(folder, "name not allowed") from error
    except OSError as error:
        raise FolderNotWritable(folder, "name too long") from error
    if not there.is_dir():
        raise FolderNotWritable(folder, "not a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise FolderNotWritable(folder, "permission")
