"""What the person keeps: pictures, each a file with its recipe inside."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from app.core.errors import FolderNotWritable, NoSpace
from app.core.events import Finished
from app.core.recipe import Recipe
from app.files.atomic_file import sweep, write_new, write_over
from app.library.file_names import Template
from app.library.picture_file import Picture, encode, read_picture

__all__ = ["Library", "Picture", "read_picture"]


log = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now().astimezone()


class Library:
    """Saves pictures under ``folder``, or under ``fallback`` where that cannot be written.

    ``template`` says what they are called, ``suffix`` (of ``picture_file.SUFFIXES``) which form
    they have; both may be changed. ``saved`` is told of each picture after it is on the disk, and
    its failing never makes a saved picture fail. May be called from any thread; two programs may
    share a folder.
    """

    def __init__(
        self,
        folder: Path,
        fallback: Path,
        now: Callable[[], datetime] = _now,
        template: Template = Template(),  # noqa: B008 (a frozen value)
        suffix: str = ".png",
        saved: Callable[[Picture], None] | None = None,
    ) -> None:
        self.folder = folder
        self.fallback = fallback
        self.template = template
        self.suffix = suffix
        self._now = now
        self._tell = saved
        self._swept: set[Path] = set()

    def save(self, recipe: Recipe, finished: Finished) -> Picture:
        """Put the picture on the disk, whole, and say where.

        By itself ``<folder>/<YYYY-MM-DD>/<words-of-prompt>-<seed>.png``; never over another file.
        Raises FolderNotWritable or NoSpace (of the first folder) when neither folder takes it.
        """
        # 1. The bytes
        suffix = self.suffix
        picture = self._picture(Path(), recipe, finished)
        data = encode(finished.pixels, picture, suffix)
        # 2. The file
        picture = self._place(picture, data, suffix)
        # 3. Then the row
        if self._tell is not None:
            try:
                self._tell(picture)
            except Exception:  # the file is there: the index finds it at the next look
                log.warning("a picture was saved and not listed", exc_info=True)
        return picture

    def save_as(self, recipe: Recipe, finished: Finished, file: Path) -> Picture:
        """Put the picture in ``file``, over what was there.

        The suffix says the form (``picture_file.SUFFIXES``). Raises FolderNotWritable, NoSpace.
        """
        picture = self._picture(file, recipe, finished)
        write_over(file, encode(finished.pixels, picture, file.suffix.lower()))
        return picture

    def _picture(self, file: Path, recipe: Recipe, finished: Finished) -> Picture:
        return Picture(
            file,
            recipe,
            finished.placement,
            finished.seconds,
            self._now(),
            id=secrets.token_hex(16),
        )

    def _place(self, picture: Picture, data: bytes, suffix: str) -> Picture:
        """``picture`` with the file that it is in now."""
        try:
            return replace(picture, file=self._write(self.folder, picture, data, suffix))
        except (FolderNotWritable, NoSpace) as error:
            if self.fallback == self.folder:
                raise
            try:
                file = self._write(self.fallback, picture, data, suffix)
            except (FolderNotWritable, NoSpace):
                raise error from None
            return replace(picture, file=file, fell_back=error)

    def _write(self, root: Path, picture: Picture, data: bytes, suffix: str) -> Path:
        below, stem = self.template.name(picture.recipe, picture.created)
        folder = root / below
        if folder not in self._swept:
            sweep(folder)
            self._swept.add(folder)
        return write_new(folder, stem, suffix, data)
