"""Small pictures: what was kept is decoded by Qt, what was not is made; both look alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtWidgets import QApplication

from app.core.events import Pixels
from app.library.entry import Entry, read_entry
from app.library.thumbnails import Thumbnails
from app.ui.gallery.thumbs import KeptFirst, rounded


@pytest.fixture
def entry(tmp_path: Path) -> Entry:
    """Of a width that fills no whole words."""
    file = tmp_path / "picture.png"
    Image.linear_gradient("L").resize((255, 101)).convert("RGB").save(file)
    return read_entry(file)


def test_what_was_kept_is_the_same_picture(qapp: QApplication, entry: Entry) -> None:  # noqa: ARG001
    folder = entry.file.parent / "small"
    first = KeptFirst(Thumbnails(folder)).get(entry)
    kept = KeptFirst(Thumbnails(folder)).get(entry)
    assert (kept.width, kept.height, len(kept.rgb)) == (255, 101, 255 * 101 * 3)
    assert max(abs(a - b) for a, b in zip(first.rgb, kept.rgb, strict=True)) < 12


def test_a_damaged_one_is_made_again(qapp: QApplication, entry: Entry) -> None:  # noqa: ARG001
    folder = entry.file.parent / "small"
    whole = KeptFirst(Thumbnails(folder)).get(entry)
    (file,) = folder.rglob("*.jpg")
    file.write_bytes(b"no picture")
    assert KeptFirst(Thumbnails(folder)).get(entry) == whole


@pytest.mark.parametrize(("side", "width"), [(100, 64), (20, 40)])
def test_it_is_as_large_as_it_is_shown_and_never_blown_up(
    qapp: QApplication,  # noqa: ARG001
    side: int,
    width: int,
) -> None:
    pixels = Pixels(64, 32, bytes((200, 30, 20)) * 64 * 32)
    image = rounded(pixels, side, 2.0, 6.0)
    assert (image.width(), image.height()) == (width, width // 2)
    assert image.pixelColor(0, 0).alpha() == 0
    assert image.pixelColor(width // 2, width // 4).name() == "#c81e14"
