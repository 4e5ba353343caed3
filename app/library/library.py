"""What the person keeps: pictures, each a file with its recipe inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from app.core.errors import FolderNotWritable, NoSpace
from app.core.events import Finished
from app.core.recipe import Recipe
from app.files.atomic_file import sweep, write_new, write_over
from app.library.file_names import picture_stem
from app.library.picture_file import Picture, encode, read_picture

__all__ = ["Library", "Picture", "read_picture"]


def _now() -> datetime:
    return datetime.now().astimezone()


class Library:
    """Saves pictures under ``folder``, or under ``fallback`` where that cannot be written.

    May be called from any thread; two programs may share a folder.
    """

    def __init__(self, folder: Path, fallback: Path, now: Callable[[], datetime] = _now) -> None:
        self.folder = folder
        self.fallback = fallback
        self._now = now
        self._swept: set[Path] = set()

    def save(self, recipe: Recipe, finished: Finished) -> Picture:
        """Put the picture on the disk, whole, and say where.

        ``<folder>/<YYYY-MM-DD>/<words-of-prompt>-<seed>.png``; never over another file. Raises
        FolderNotWritable or NoSpace (of the first folder) when neither folder takes it.
        """
        picture = self._picture(Path(), recipe, finished)
        data = encode(finished.pixels, picture)
        try:
            return replace(picture, file=self._write(self.folder, picture, data))
        except (FolderNotWritable, NoSpace) as error:
            if self.fallback == self.folder:
                raise
            try:
                file = self._write(self.fallback, picture, data)
            except (FolderNotWritable, NoSpace):
                raise error from None
            return replace(picture, file=file, fell_back=error)

    def save_as(self, recipe: Recipe, finished: Finished, file: Path) -> Picture:
        """Put the picture in ``file``, over what was there.

        The suffix says the form (``picture_file.SUFFIXES``). Raises FolderNotWritable, NoSpace.
        """
        picture = self._picture(file, recipe, finished)
        write_over(file, encode(finished.pixels, picture, file.suffix.lower()))
        return picture

    def _picture(self, file: Path, recipe: Recipe, finished: Finished) -> Picture:
        return Picture(file, recipe, finished.placement, finished.seconds, self._now())

    def _write(self, folder: Path, picture: Picture, data: bytes) -> Path:
        day = folder / picture.created.strftime("%Y-%m-%d")
        if day not in self._swept:
            sweep(day)
            self._swept.add(day)
        stem = picture_stem(picture.recipe.prompt, picture.recipe.seed)
        return write_new(day, stem, ".png", data)
