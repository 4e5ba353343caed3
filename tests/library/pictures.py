"""A folder of pictures, quickly made, and what an index says of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.core.placement import Placement
from app.core.recipe import Recipe
from app.library.entry import Entry
from app.library.gallery import Gallery
from app.library.picture_file import Picture, encode
from app.library.search import Query, Sort
from tests.library.examples import finished, recipe

BEGIN = datetime(2026, 11, 23, 12, tzinfo=UTC)


def draw(folder: Path, of: Recipe | str, number: int, suffix: str = ".png") -> Picture:
    """A picture of Easel's, drawn ``number`` seconds after the first."""
    made = recipe(of, number) if isinstance(of, str) else of
    file = folder / f"{number:05}{suffix}"
    folder.mkdir(parents=True, exist_ok=True)
    created = BEGIN + timedelta(seconds=number)
    picture = Picture(file, made, Placement.CPU, 1.5, created, id=f"{number:032x}")
    file.write_bytes(encode(finished().pixels, picture, suffix))
    return picture


def open_gallery(home: Path) -> Gallery:
    """Its pictures are in ``home / "pictures"``."""
    return Gallery(
        home / "support" / "index.sqlite3",
        home / "support" / "marks.json",
        lambda: (home / "pictures",),
    )


def listed(gallery: Gallery, query: Query | None = None) -> list[Entry]:
    return list(gallery.entries(gallery.keys(query or Query(sort=Sort.OLDEST))))


def names(gallery: Gallery, query: Query | None = None) -> list[str]:
    return [entry.file.name for entry in listed(gallery, query)]


def content(gallery: Gallery) -> list[Entry]:
    """All that an index says, but the numbers of its rows."""
    return sorted((replace(entry, key=0) for entry in listed(gallery)), key=lambda e: str(e.file))
