"""A grid of pictures as one labelled picture, with a recipe of its own kind.

The sheet is a PNG. Its recipe (``KEY``) says what was varied, what was not, and which pictures are
on it: not how to draw it, for it was not drawn.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import __version__
from app.core import recipe_json
from app.core.errors import FolderNotWritable, NoSpace, PictureUnreadable
from app.core.events import Pixels
from app.core.grid import Axis, Grid, Value
from app.core.recipe import Recipe, Scheduler
from app.files.atomic_file import write_new
from app.library import metadata, png, xmp
from app.library.copies import read_pixels
from app.library.file_names import MAX_SLUG, slug
from app.library.picture_file import XMP_KEY, Picture
from app.library.recipe_text import alt_text

if TYPE_CHECKING:
    from PIL import Image

KEY = "easel-grid"
VERSION = 1

MAX_SIDE = 8000
"""Pixels of a sheet; larger pictures are made smaller on it."""

_PAPER, _INK = (255, 255, 255), (30, 27, 24)
_MISSING = (231, 227, 221)


@dataclass(frozen=True, slots=True)
class ContactSheet:
    """``pictures`` row by row, None for one that was not drawn; ``recipe`` is of the first cell."""

    grid: Grid
    recipe: Recipe
    pictures: tuple[Picture | None, ...]


def save_sheet(sheet: ContactSheet, folders: Sequence[Path], now: datetime) -> Path:
    """Write it below the first of ``folders`` that takes it; the file, never over another.

    Raises PictureUnreadable (one of its pictures has gone), FolderNotWritable, NoSpace (of the
    first folder).
    """
    data = encode_sheet(sheet)
    stem = f"grid-{slug(sheet.recipe.prompt)[:MAX_SLUG].strip('-')}".encode()[:180]
    first: FolderNotWritable | NoSpace | None = None
    for folder in folders:
        try:
            day = folder / now.strftime("%Y-%m-%d")
            return write_new(day, stem.decode("utf-8", "ignore"), ".png", data)
        except (FolderNotWritable, NoSpace) as error:
            first = first or error
    raise first or FolderNotWritable("", "gone")


def encode_sheet(sheet: ContactSheet) -> bytes:
    """The file's bytes."""
    grid, recipe = sheet.grid, sheet.recipe
    said = {
        "version": VERSION,
        "app": __version__,
        "down": {"field": grid.down.value, "values": list(grid.rows)},
        "across": {"field": grid.across.value, "values": list(grid.columns)},
        "recipe": recipe_json.to_dict(recipe),
        "pictures": ["" if picture is None else picture.id for picture in sheet.pictures],
    }
    about = f"{grid.count} pictures in a grid: {alt_text(recipe.prompt)}"
    chunks = (
        png.international_chunk(XMP_KEY, xmp.write(recipe.prompt, about)),
        png.international_chunk(KEY, json.dumps(said, sort_keys=True)),
    )
    return png.write(compose(sheet), chunks)


def read_sheet(file: Path) -> tuple[Grid, Recipe, tuple[str, ...]]:
    """What a sheet says: the grid, the recipe of its first cell, the ids of its pictures.

    Raises PictureUnreadable, with the reason "no recipe" for any other picture.
    """
    text = metadata.read(file).texts.get(KEY, "")
    try:
        data: Any = json.loads(text)
        if data["version"] != VERSION:
            raise ValueError("another version")
        grid = Grid(*_axis(data["down"]), *_axis(data["across"]))
        ids = tuple(str(id) for id in data["pictures"])
        return grid, recipe_json.from_dict(data["recipe"]), ids
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise PictureUnreadable(str(file), "no recipe") from error


def compose(sheet: ContactSheet) -> Pixels:
    """The pictures in rows and columns, with words above the columns and before the rows."""
    from PIL import Image, ImageDraw, ImageFont

    # 1. How large a cell is, and the words
    grid, size = sheet.grid, sheet.recipe.size
    rows, columns = grid.labels()
    scale = min(
        1.0,
        MAX_SIDE * 0.9 / (size.width * len(columns)),
        MAX_SIDE * 0.9 / (size.height * len(rows)),
    )
    width, height = max(1, round(size.width * scale)), max(1, round(size.height * scale))
    text = max(10, min(width, height) // 16)
    font = ImageFont.load_default(text)
    while text > 6 and max(font.getlength(words) for words in columns) > width:
        text -= 1
        font = ImageFont.load_default(text)
    gap, head = max(2, text // 2), 2 * text
    side = round(max(font.getlength(words) for words in rows)) + 2 * gap
    # 2. The paper
    paper = Image.new(
        "RGB",
        (side + len(columns) * (width + gap), head + len(rows) * (height + gap)),
        _PAPER,
    )
    draw = ImageDraw.Draw(paper)
    for at, words in enumerate(columns):
        middle = side + at * (width + gap) + width / 2
        draw.text((middle, head / 2), words, _INK, font, anchor="mm")
    for at, words in enumerate(rows):
        middle = head + at * (height + gap) + height / 2
        draw.text((side - gap, middle), words, _INK, font, anchor="rm")
    # 3. The pictures
    for at, picture in enumerate(sheet.pictures):
        row, column = divmod(at, len(columns))
        corner = (side + column * (width + gap), head + row * (height + gap))
        paper.paste(_cell(picture, (width, height)), corner)
    return Pixels(paper.width, paper.height, paper.tobytes())


def _cell(picture: Picture | None, size: tuple[int, int]) -> Image.Image:
    from PIL import Image

    if picture is None:
        return Image.new("RGB", size, _MISSING)
    pixels = read_pixels(picture.file)
    image = Image.frombytes("RGB", (pixels.width, pixels.height), pixels.rgb)
    return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)


def _axis(data: dict[str, Any]) -> tuple[Axis, tuple[Value, ...]]:
    axis = Axis(data["field"])
    values = data["values"]
    if not values:
        raise ValueError("an axis without values")
    match axis:
        case Axis.SCHEDULER:
            return axis, tuple(Scheduler(value) for value in values)
        case Axis.GUIDANCE:
            return axis, tuple(float(value) for value in values)
        case _:
            return axis, tuple(int(value) for value in values)
