"""Small pictures: right, kept, bounded, and made again whatever happens to the cache."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from app.core.errors import PictureUnreadable
from app.library.entry import Entry, read_entry
from app.library.thumbnails import SIDE, Thumbnails
from tests.library.test_starts import png_claiming


def entry(file: Path, image: Image.Image, form: str = "PNG", **options: object) -> Entry:
    image.save(file, form, **options)  # type: ignore[arg-type]
    return read_entry(file)


def wide() -> Image.Image:
    """Left half red, right half blue, 1024 by 512."""
    image = Image.new("RGB", (1024, 512), "blue")
    image.paste("red", (0, 0, 512, 512))
    return image


def kept(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_a_small_picture_has_the_shape_and_colours_of_the_large_one(
    tmp_path: Path, form: str
) -> None:
    of = entry(tmp_path / "a.png", wide(), form)
    for _ in range(2):  # made, then out of the cache
        small = Thumbnails(tmp_path / "cache").get(of)
        assert (small.width, small.height) == (SIDE, SIDE // 2)
        image = Image.frombytes("RGB", (small.width, small.height), small.rgb)
        for x, wanted in ((20, (255, 0, 0)), (SIDE - 20, (0, 0, 255))):
            found = image.getpixel((x, 60))
            assert isinstance(found, tuple)
            assert all(abs(int(a) - b) < 16 for a, b in zip(found, wanted, strict=True))
    assert len(kept(tmp_path / "cache")) == 1


def test_the_second_time_the_picture_itself_is_not_needed(tmp_path: Path) -> None:
    of = entry(tmp_path / "a.png", wide())
    cache = Thumbnails(tmp_path / "cache")
    first = cache.get(of)
    of.file.unlink()
    again = cache.get(of)
    assert (again.width, again.height) == (first.width, first.height)


def test_a_moved_picture_keeps_its_small_one_and_a_changed_one_does_not(tmp_path: Path) -> None:
    of = entry(tmp_path / "a.png", wide())
    cache = Thumbnails(tmp_path / "cache")
    cache.get(of)
    of.file.rename(tmp_path / "b.png")
    cache.get(read_entry(tmp_path / "b.png"))
    assert len(kept(tmp_path / "cache")) == 1
    cache.get(entry(tmp_path / "b.png", Image.new("RGB", (64, 64))))
    assert len(kept(tmp_path / "cache")) == 2


@pytest.mark.parametrize("damage", [b"", b"no picture", os.urandom(500)])
def test_a_damaged_small_picture_is_made_again(tmp_path: Path, damage: bytes) -> None:
    of = entry(tmp_path / "a.png", wide())
    cache = Thumbnails(tmp_path / "cache")
    cache.get(of)
    (file,) = kept(tmp_path / "cache")
    whole = file.read_bytes()
    file.write_bytes(damage)
    assert cache.get(of).width == SIDE
    assert file.read_bytes() == whole
    file.write_bytes(whole[: len(whole) // 2])
    assert cache.get(of).width == SIDE


def test_transparency_lies_over_white_and_turned_photos_stand_upright(tmp_path: Path) -> None:
    cache = Thumbnails(tmp_path / "cache")
    clear = cache.get(entry(tmp_path / "a.png", Image.new("RGBA", (8, 8), (0, 0, 0, 0))))
    assert clear.rgb == b"\xff" * 8 * 8 * 3
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = cache.get(entry(tmp_path / "b.jpg", wide(), "JPEG", exif=exif.tobytes()))
    assert (turned.width, turned.height) == (SIDE // 2, SIDE)


def test_the_cache_stays_within_its_room_and_the_oldest_go_first(tmp_path: Path) -> None:
    cache = Thumbnails(tmp_path / "cache", room=20_000)
    entries = []
    for n in range(12):
        noise = Image.frombytes("RGB", (64, 64), os.urandom(64 * 64 * 3))
        entries.append(entry(tmp_path / f"{n}.png", noise))
        cache.get(entries[-1])
        for age, file in enumerate(
            sorted(kept(tmp_path / "cache"), key=lambda f: f.stat().st_mtime)
        ):
            os.utime(file, (1000 + age, 1000 + age))
    assert 0 < sum(file.stat().st_size for file in kept(tmp_path / "cache")) <= 20_000
    before = len(kept(tmp_path / "cache"))
    cache.get(entries[-1])
    assert len(kept(tmp_path / "cache")) == before


def test_where_nothing_can_be_kept_it_is_made_each_time(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, not a folder")
    cache = Thumbnails(tmp_path / "cache")
    of = entry(tmp_path / "a.png", wide())
    assert cache.get(of) == cache.get(of)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, "missing"),
        (b"no picture", "not a picture"),
        (png_claiming(20_000, 20_000), "too large"),
        (png_claiming(100, 100), "damaged"),
    ],
)
def test_what_cannot_be_shown_is_a_typed_error(
    tmp_path: Path, data: bytes | None, reason: str
) -> None:
    of = entry(tmp_path / "a.png", Image.new("RGB", (8, 8)))
    of.file.unlink()
    if data is not None:
        of.file.write_bytes(data)
    with pytest.raises(PictureUnreadable) as caught:
        Thumbnails(tmp_path / "cache").get(replace(of, id="other"))
    assert caught.value == PictureUnreadable(str(of.file), reason)
    assert kept(tmp_path / "cache") == []
