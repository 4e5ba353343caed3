"""A contact sheet shows each picture in its place, and says what was varied."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image

from app.core.errors import FolderNotWritable, PictureUnreadable
from app.core.events import Finished, Pixels
from app.core.grid import Axis, Grid
from app.core.placement import Placement
from app.core.recipe import Recipe, Scheduler, Size
from app.library.contact_sheet import MAX_SIDE, ContactSheet, encode_sheet, read_sheet, save_sheet
from app.library.gallery import Gallery
from app.library.library import Library, Picture

NOW = datetime.fromisoformat("2026-11-25T10:00:00+01:00")
COLOURS = ((200, 30, 20), (20, 160, 30), (20, 30, 200), (220, 200, 20))
GRID = Grid(Axis.SEED, (7, 8), Axis.GUIDANCE, (3.0, 7.5))


SMALL = Size(96, 64)


def recipe(size: Size = SMALL) -> Recipe:
    return Recipe("a “red” apple; 🍎\nتفاحة", "starter", size, 8, 4.0, 7, Scheduler.EULER)


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[Picture, ...]:
    library = Library(tmp_path / "pictures", tmp_path / "fallback")
    made = []
    for seed, colour in enumerate(COLOURS, 7):
        pixels = Pixels(96, 64, bytes(colour) * 96 * 64)
        drawn = Finished("job", pixels, Placement.CPU, 1.0)
        made.append(library.save(replace(recipe(), seed=seed), drawn))
    return tuple(made)


def blocks(data: bytes) -> list[tuple[int, int, int]]:
    """The colours of the pictures on a sheet, row by row: those that fill a good part of it."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    counted = image.getcolors(image.width * image.height) or []
    large = {colour for count, colour in counted if count > 96 * 64 * 0.9}
    places = {}
    for y in range(image.height):
        for x in range(image.width):
            pixel = image.getpixel((x, y))
            if pixel in large and pixel != (255, 255, 255):
                places.setdefault(pixel, (y, x))
    return [colour for colour, _ in sorted(places.items(), key=lambda one: one[1])]


def test_each_picture_is_in_its_row_and_column(pictures: tuple[Picture, ...]) -> None:
    data = encode_sheet(ContactSheet(GRID, recipe(), pictures))
    assert blocks(data) == list(COLOURS)
    image = Image.open(io.BytesIO(data)).convert("RGB")
    assert image.width > 2 * 96
    assert image.height > 2 * 64
    head = image.crop((0, 0, image.width, 16))
    side = image.crop((0, 20, image.width - 2 * 96 - 20, image.height))
    for part in (head, side):  # there are words
        assert part.convert("L").getextrema()[0] < 100


def test_a_cell_that_was_not_drawn_is_empty(pictures: tuple[Picture, ...]) -> None:
    sheet = ContactSheet(GRID, recipe(), (pictures[0], None, pictures[2], pictures[3]))
    assert blocks(encode_sheet(sheet)) == [COLOURS[0], (231, 227, 221), COLOURS[2], COLOURS[3]]


def test_it_says_what_was_varied_and_what_is_on_it(
    pictures: tuple[Picture, ...], tmp_path: Path
) -> None:
    sheet = ContactSheet(GRID, recipe(), (*pictures[:3], None))
    file = save_sheet(sheet, [tmp_path / "pictures"], NOW)
    assert file.parent == tmp_path / "pictures" / "2026-11-25"
    assert file.name == "grid-a-red-apple-تفاحة.png"
    assert read_sheet(file) == (GRID, recipe(), (*(one.id for one in pictures[:3]), ""))
    assert b"trainedAlgorithmicMedia" in file.read_bytes()
    again = save_sheet(sheet, [tmp_path / "pictures"], NOW)
    assert again != file
    with pytest.raises(PictureUnreadable):
        read_sheet(pictures[0].file)


def test_samplers_and_steps_come_back_too(pictures: tuple[Picture, ...], tmp_path: Path) -> None:
    grid = Grid(Axis.SCHEDULER, (Scheduler.EULER_A, Scheduler.DDIM), Axis.STEPS, (10, 20))
    file = save_sheet(ContactSheet(grid, recipe(), pictures), [tmp_path / "p"], NOW)
    assert read_sheet(file)[0] == grid


def test_large_grids_stay_within_bounds(tmp_path: Path, pictures: tuple[Picture, ...]) -> None:
    size = Size(1024, 1024)
    grid = Grid(Axis.SEED, (1, 2), Axis.GUIDANCE, tuple(float(g) for g in range(1, 11)))
    sheet = ContactSheet(grid, recipe(size), (pictures[0],) * 20)
    image = Image.open(io.BytesIO(encode_sheet(sheet)))
    assert max(image.size) <= MAX_SIDE
    assert tmp_path.exists()


def test_the_other_folder_takes_it_where_the_first_does_not(
    pictures: tuple[Picture, ...], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    sheet = ContactSheet(GRID, recipe(), pictures)
    file = save_sheet(sheet, [tmp_path / "file", tmp_path / "fallback"], NOW)
    assert file.is_relative_to(tmp_path / "fallback")
    with pytest.raises(FolderNotWritable):
        save_sheet(sheet, [tmp_path / "file"], NOW)


def test_the_gallery_lists_a_sheet_without_a_recipe_to_draw(
    pictures: tuple[Picture, ...], tmp_path: Path
) -> None:
    root = tmp_path / "pictures"
    file = save_sheet(ContactSheet(GRID, recipe(), pictures), [root], NOW)
    gallery = Gallery(tmp_path / "index.sqlite3", tmp_path / "marks.json", lambda: (root,))
    gallery.refresh()
    entry = gallery.at(file)
    assert entry is not None
    assert entry.recipe is None
    gallery.close()
