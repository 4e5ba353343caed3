"""Starting pictures and masks: opened safely, brought to size, kept parts kept byte for byte."""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.core.errors import PictureUnreadable, RecipeProblem
from app.core.events import Pixels
from app.core.recipe import Size, Start
from app.engine.start_pictures import MAX_PIXELS, OpenedStart, keep_unmasked, open_start

SIZE = Size(64, 48)


def saved(picture: Image.Image, file: Path, **options: object) -> Start:
    picture.save(file, **options)
    return Start(str(file), hashlib.sha256(file.read_bytes()).hexdigest())


def gradient(mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    return Image.radial_gradient("L").resize(size).convert(mode)


def masked(start: Start, mask: Image.Image, file: Path) -> Start:
    mask.save(file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Start(start.file, start.sha256, start.strength, str(file), digest)


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.webp", "x.bmp", "x.gif", "x.tiff"])
@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
def test_common_pictures_are_opened_as_rgb(name: str, mode: str, tmp_path: Path) -> None:
    picture = gradient("L" if mode == "P" and name in ("x.jpg", "x.webp") else mode)
    opened = open_start(saved(picture, tmp_path / name), SIZE)
    assert (opened.picture.mode, opened.picture.size) == ("RGB", (64, 48))
    assert opened.mask is None


def test_transparency_becomes_white(tmp_path: Path) -> None:
    start = saved(Image.new("RGBA", (64, 48), (255, 0, 0, 0)), tmp_path / "x.png")
    assert open_start(start, SIZE).picture.getpixel((3, 3)) == (255, 255, 255)


def test_a_picture_of_the_recipes_size_is_not_touched(tmp_path: Path) -> None:
    picture = Image.effect_noise((64, 48), 80).convert("RGB")
    start = saved(picture, tmp_path / "x.png")
    assert open_start(start, SIZE).picture.tobytes() == picture.tobytes()


def test_a_picture_of_another_shape_is_cut_at_the_middle_and_not_squeezed(tmp_path: Path) -> None:
    picture = Image.new("RGB", (480, 48), "red")
    picture.paste("blue", (208, 0, 272, 48))
    opened = open_start(saved(picture, tmp_path / "x.png"), SIZE)
    assert opened.picture.size == (64, 48)
    assert opened.picture.getpixel((32, 24)) == (0, 0, 255)
    assert opened.picture.getpixel((2, 24)) == (0, 0, 255)


def test_a_photograph_lying_on_its_side_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.new("RGB", (48, 64), "white")
    picture.paste("black", (0, 0, 48, 8))
    opened = open_start(saved(picture, tmp_path / "x.jpg", exif=exif), SIZE)
    assert opened.picture.getpixel((62, 24)) < (40, 40, 40)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"<svg/>", b"%!PS"])
def test_what_is_no_picture_is_named(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.png"
    file.write_bytes(content)
    start = Start(str(file), hashlib.sha256(content).hexdigest())
    with pytest.raises(PictureUnreadable) as caught:
        open_start(start, SIZE)
    assert caught.value == PictureUnreadable(str(file), "not a picture")


def test_a_picture_that_ends_half_way_is_named(tmp_path: Path) -> None:
    file = tmp_path / "x.png"
    Image.effect_noise((64, 48), 80).save(file)
    file.write_bytes(file.read_bytes()[:1000])
    start = Start(str(file), hashlib.sha256(file.read_bytes()).hexdigest())
    with pytest.raises(PictureUnreadable, match="not a picture"):
        open_start(start, SIZE)


def test_a_picture_of_a_billion_pixels_is_refused_unread(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        whole = kind + data
        return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))

    side = 11_000
    assert side * side > MAX_PIXELS
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    file = tmp_path / "x.png"
    file.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(100)))
        + chunk(b"IEND", b"")
    )
    start = Start(str(file), hashlib.sha256(file.read_bytes()).hexdigest())
    with pytest.raises(PictureUnreadable, match="too large"):
        open_start(start, SIZE)


def test_a_file_that_is_gone_is_missing(tmp_path: Path) -> None:
    for name in ("gone.png", "no\0name.png"):
        with pytest.raises(PictureUnreadable, match="missing"):
            open_start(Start(str(tmp_path / name), "0" * 64), SIZE)


def test_a_file_that_is_not_the_one_the_recipe_meant_is_changed(tmp_path: Path) -> None:
    start = saved(gradient(), tmp_path / "x.png")
    gradient("L").save(tmp_path / "x.png")
    with pytest.raises(PictureUnreadable, match="changed"):
        open_start(start, SIZE)


def test_a_mask_of_another_size_is_a_problem_of_the_recipe(tmp_path: Path) -> None:
    start = saved(gradient(), tmp_path / "x.png")
    start = masked(start, Image.new("L", (64, 47)), tmp_path / "m.png")
    with pytest.raises(RecipeProblem, match="same size as the start"):
        open_start(start, SIZE)


def test_a_mask_is_black_or_white_also_after_scaling(tmp_path: Path) -> None:
    start = saved(gradient(size=(640, 480)), tmp_path / "x.png")
    opened = open_start(masked(start, gradient("L", (640, 480)), tmp_path / "m.png"), SIZE)
    assert opened.mask is not None
    assert opened.mask.size == (64, 48)
    assert set(opened.mask.tobytes()) == {0, 255}


def test_kept_pixels_are_kept_byte_for_byte_and_the_rest_is_new() -> None:
    picture = Image.effect_noise((64, 48), 80).convert("RGB")
    mask = Image.new("L", (64, 48), 0)
    mask.paste(255, (20, 10, 50, 40))
    new = Pixels(64, 48, bytes((9, 200, 9)) * (64 * 48))
    result = keep_unmasked(new, OpenedStart(picture, mask))
    was = np.asarray(picture)
    now = np.frombuffer(result.rgb, np.uint8).reshape(48, 64, 3)
    kept = np.asarray(mask) == 0
    assert (now[kept] == was[kept]).all()
    assert (now[25, 35] == (9, 200, 9)).all(), "the middle is all new"
    assert (now[~kept] != was[~kept]).any(axis=1).mean() > 0.95


def test_a_thin_stroke_of_the_brush_is_drawn_too() -> None:
    picture = Image.new("RGB", (64, 48), "black")
    mask = Image.new("L", (64, 48), 0)
    mask.paste(255, (30, 0, 31, 48))
    white = Pixels(64, 48, b"\xff" * (64 * 48 * 3))
    now = np.frombuffer(keep_unmasked(white, OpenedStart(picture, mask)).rgb, np.uint8)
    assert (now.reshape(48, 64, 3)[:, 30] >= 127).all()


def test_without_a_mask_the_drawn_picture_stays() -> None:
    drawn = Pixels(64, 48, bytes(64 * 48 * 3))
    assert keep_unmasked(drawn, OpenedStart(gradient(), None)) is drawn
