"""A picture of the library as the index lists it: what its file says and where it lies."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.core import recipe_json
from app.core.errors import PictureUnreadable
from app.core.recipe import Parent, Recipe
from app.library import metadata
from app.library.foreign import recipe_in
from app.library.picture_file import Picture, picture_of

_SAMPLE = 65_536
"""Bytes of a foreign picture's beginning and end that give its id."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells that a file has changed, without opening it."""

    bytes: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> Stamp:
        return cls(found.st_size, found.st_mtime_ns, found.st_ino)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row.

    ``id`` is the picture's own for ever, wherever its file goes (of a foreign picture: a hash of
    its bytes, so it changes with them); two copies have the same. ``program`` is who drew it, ""
    where the file does not say. ``recipe_text`` is the JSON of a recipe of Easel's, else "". What
    a file does not say is "" or None. ``key`` is the row's number, 0 before it has one; it holds
    while the file is listed. Sizes in pixels and bytes, ``seconds`` of drawing.
    """

    file: Path
    stamp: Stamp
    id: str
    width: int
    height: int
    created: datetime
    program: str = ""
    placement: str = ""
    seconds: float | None = None
    version: str = ""
    prompt: str = ""
    negative_prompt: str = ""
    model: str = ""
    scheduler: str = ""
    seed: int | None = None
    steps: int | None = None
    guidance: float | None = None
    recipe_text: str = ""
    parent: Parent | None = None
    favourite: bool = False
    tags: tuple[str, ...] = ()
    key: int = 0

    @property
    def recipe(self) -> Recipe | None:
        """Easel's own recipe; None of a foreign picture (``foreign.read_recipe`` has its)."""
        return recipe_json.from_json(self.recipe_text) if self.recipe_text else None


def read_entry(file: Path) -> Entry:
    """What ``file`` says. Raises PictureUnreadable."""
    said = metadata.read(file)
    try:
        stamp = Stamp.of(file.stat())
        picture = picture_of(file, said)
        if picture is not None:
            return entry_of(picture, stamp, said.width, said.height)
        return _foreign(file, stamp, said)
    except OSError as error:
        raise PictureUnreadable(str(file), "missing") from error


def entry_of(picture: Picture, stamp: Stamp, width: int, height: int) -> Entry:
    """The row of a picture that Easel has drawn."""
    recipe = picture.recipe
    return Entry(
        file=picture.file,
        stamp=stamp,
        id=picture.id,
        width=width,
        height=height,
        created=picture.created,
        program="Easel",
        placement=picture.placement.value,
        seconds=picture.seconds,
        version=picture.version,
        prompt=recipe.prompt,
        negative_prompt=recipe.negative_prompt,
        model=recipe.model,
        scheduler=recipe.scheduler.value,
        seed=recipe.seed,
        steps=recipe.steps,
        guidance=recipe.guidance,
        recipe_text=recipe_json.to_json(recipe),
        parent=recipe.parent,
    )


def _foreign(file: Path, stamp: Stamp, said: metadata.Said) -> Entry:
    found = recipe_in(said)
    id = _hash(file, stamp.bytes)
    created = datetime.fromtimestamp(stamp.mtime_ns / 1e9, UTC)
    if found is None:
        return Entry(file, stamp, id, said.width, said.height, created)
    draft = found.draft
    return Entry(
        file=file,
        stamp=stamp,
        id=id,
        width=said.width,
        height=said.height,
        created=created,
        program=found.program,
        prompt=_whole(draft.prompt),
        negative_prompt=_whole(draft.negative_prompt),
        model=_whole(found.model),
        scheduler=_whole(str(draft.scheduler or "")),
        seed=_small(draft.seed),
        steps=_small(draft.steps),
        guidance=draft.guidance,
    )


def _hash(file: Path, size: int) -> str:
    """Of the size, the beginning and the end: a folder of thousands is listed in seconds."""
    digest = hashlib.sha256(str(size).encode())
    with file.open("rb") as opened:
        digest.update(opened.read(_SAMPLE))
        opened.seek(max(size - _SAMPLE, 0))
        digest.update(opened.read(_SAMPLE))
    return digest.hexdigest()


def _whole(text: str) -> str:
    """``text`` without halves of characters, which no database takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _small(number: int | None) -> int | None:
    return number if number is not None and abs(number) < 2**63 else None
