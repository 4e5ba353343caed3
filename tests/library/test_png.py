"""PNG files of our own are what Pillow reads; foreign ones are read within bounds."""

from __future__ import annotations

import io
import struct
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngImageFile, PngInfo

from app.core.events import Pixels
from app.library import png


@given(st.integers(1, 20), st.integers(1, 20), st.data())
def test_any_pixels_are_read_by_pillow_as_they_were(
    width: int, height: int, data: st.DataObject
) -> None:
    size = width * height * 3
    rgb = data.draw(st.binary(min_size=size, max_size=size))
    with Image.open(io.BytesIO(png.write(Pixels(width, height, rgb)))) as image:
        image.verify()
    with Image.open(io.BytesIO(png.write(Pixels(width, height, rgb)))) as image:
        assert image.size == (width, height)
        assert image.mode == "RGB"
        assert image.tobytes() == rgb


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=100))
def test_any_text_is_read_by_us_and_by_pillow(text: str) -> None:
    data = png.write(Pixels(1, 1, b"abc"), [png.text_chunk("parameters", text)])
    with Image.open(io.BytesIO(data)) as image:
        assert image.info["parameters"] == text.replace("\0", " ")
    assert png.read(io.BytesIO(data)).texts == {"parameters": text.replace("\0", " ")}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("text", ["plain", "café", "苹果 🍎", "x" * 10_000])
def test_what_pillow_writes_is_read(text: str, packed: bool) -> None:
    chunks = PngInfo()
    chunks.add_text("first", text, packed)
    chunks.add_itxt("second", text, zip=packed)
    chunks.add_text("first", "again")
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "described"
    Image.new("RGB", (3, 2)).save(out, "PNG", pnginfo=chunks, exif=exif)
    said = png.read(out)
    assert (said.width, said.height) == (3, 2)
    assert said.texts == {"first": text, "second": text}
    assert b"described" in said.exif


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


HEADER = png.SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
BOMB = zlib.compress(bytes(50_000_000), 9)


@pytest.mark.parametrize(
    "rest",
    [
        b"",
        b"\0",
        struct.pack(">I", 2**32 - 1) + b"tEXt" + b"a\0b",
        chunk(b"zTXt", b"a\0\0" + BOMB),
        chunk(b"iTXt", b"a\0\1\0\0\0" + BOMB),
        chunk(b"zTXt", b"a\0\0" + b"not zlib"),
        chunk(b"tEXt", b"a\0" + bytes(png.MAX_TEXT + 1)),
        chunk(b"tEXt", b"no keyword ends"[:0]),
        chunk(b"iTXt", b"a\0"),
        b"".join(chunk(b"zTXt", b"%d\0\0" % n + BOMB) for n in range(30)),
        chunk(b"abcd", b"") * 100_000,
    ],
    ids=range(11),
)
def test_hostile_chunks_cost_little_and_say_nothing(rest: bytes) -> None:
    began = time.process_time()
    said = png.read(io.BytesIO(HEADER + rest))
    assert sum(len(text) for text in said.texts.values()) <= 1
    assert (said.width, said.height) == (8, 8)
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize("data", [b"", b"\x89PNG", png.SIGNATURE, HEADER[:20], b"GIF89a" * 10])
def test_what_is_no_png_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        png.read(io.BytesIO(data))


def test_text_behind_the_pixels_is_found() -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    data = out.getvalue()
    end = data.index(b"IEND") - 4
    late = data[:end] + chunk(b"tEXt", b"late\0words") + data[end:]
    with Image.open(io.BytesIO(late)) as image:
        assert isinstance(image, PngImageFile)
        assert image.text == {"late": "words"}
    assert png.read(io.BytesIO(late)).texts == {"late": "words"}
