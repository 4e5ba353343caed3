"""PNG files, written quickly and read carefully (https://www.w3.org/TR/png-3/).

Pillow tries five filters on each row and lets zlib look for repeats that a drawn picture does not
have. One filter for all rows (Average) and runs of equal bytes only (``zlib.Z_RLE``) cost a quarter
of that or less and give files at most a fifth larger: ``easel bench png``.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from app.core.events import Pixels

SIGNATURE = b"\x89PNG\r\n\x1a\n"
AVERAGE = 3

MAX_TEXT = 4_000_000
"""Bytes of text in one file, unpacked. What is beyond is not read."""

MAX_CHUNKS = 20_000

Chunk = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Said:
    """What stands in a PNG beside its pixels. ``exif`` as in a JPEG, from its byte order on."""

    width: int
    height: int
    texts: dict[str, str]
    exif: bytes = b""


def write(pixels: Pixels, chunks: Iterable[Chunk] = ()) -> bytes:
    """The file: ``chunks`` stand before the pixels, so that reading them needs no more of it."""
    header = struct.pack(">IIBBBBB", pixels.width, pixels.height, 8, 2, 0, 0, 0)
    packer = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    data = packer.compress(_filtered(pixels)) + packer.flush()
    all_of_it = [(b"IHDR", header), *chunks, (b"IDAT", data), (b"IEND", b"")]
    return SIGNATURE + b"".join(_packed(kind, content) for kind, content in all_of_it)


def text_chunk(keyword: str, text: str) -> Chunk:
    """``tEXt`` for ASCII, which all readers understand alike, else ``iTXt``. No NUL in either."""
    text = text.replace("\0", " ")
    if text.isascii():
        return b"tEXt", keyword.encode() + b"\0" + text.encode()
    return international_chunk(keyword, text)


def international_chunk(keyword: str, text: str) -> Chunk:
    """``iTXt``, not compressed: other programs find XMP by looking for its bytes."""
    return b"iTXt", keyword.encode() + b"\0\0\0\0\0" + text.encode("utf-8", "replace")


def read(file: BinaryIO) -> Said:
    """What the file says; its pixels are skipped. Raises ValueError for what is no PNG.

    Of a keyword that comes twice the first counts. A broken or endless text is left out.
    """
    file.seek(0)
    if file.read(8) != SIGNATURE:
        raise ValueError("not a PNG")
    chunks = _chunks(file)
    kind, header = next(chunks, (b"", b""))
    if kind != b"IHDR" or len(header) != 13:
        raise ValueError("no header")
    width, height = struct.unpack(">II", header[:8])
    texts: dict[str, str] = {}
    exif, room = b"", MAX_TEXT
    for kind, data in chunks:
        if kind == b"eXIf":
            exif = exif or data
            continue
        keyword, text = _text(kind, data, room)
        room -= len(text)
        if keyword:
            texts.setdefault(keyword, text)
    return Said(width, height, texts, exif)


def _filtered(pixels: Pixels) -> bytes:
    """Each row after the number of its filter, as the differences that the filter leaves."""
    from PIL import Image, ImageChops

    image = Image.frombytes("RGB", (pixels.width, pixels.height), pixels.rgb)
    left, above = (Image.new("RGB", image.size) for _ in range(2))
    left.paste(image, (1, 0))
    above.paste(image, (0, 1))
    rest = ImageChops.subtract_modulo(image, ImageChops.add(left, above, 2)).tobytes()
    rows, length, number = memoryview(rest), pixels.width * 3, bytes([AVERAGE])
    return b"".join(
        part for at in range(0, len(rest), length) for part in (number, rows[at : at + length])
    )


def _packed(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _chunks(file: BinaryIO) -> Iterator[Chunk]:
    """Those that can say something, until the end or the first that cannot be."""
    size = file.seek(0, 2)
    at = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        length = int.from_bytes(head[:4])
        if at + 12 + length > size:
            return
        if head[4:] in (b"IHDR", b"tEXt", b"zTXt", b"iTXt", b"eXIf") and length <= MAX_TEXT:
            yield head[4:], file.read(length)
        at += 12 + length


def _text(kind: bytes, data: bytes, room: int) -> tuple[str, str]:
    """Keyword and text of one chunk; two empty ones where there is nothing to be had."""
    keyword, _, rest = data.partition(b"\0")
    try:
        if kind == b"tEXt":
            text = _any_text(rest)
        elif kind == b"zTXt":
            text = _any_text(_unpacked(rest[1:], room))
        elif kind == b"iTXt":
            packed = rest[:1] == b"\1"
            rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
            text = (_unpacked(rest, room) if packed else rest).decode("utf-8", "replace")
        else:
            return "", ""
    except (ValueError, zlib.error):
        return "", ""
    return (keyword.decode("latin-1"), text) if len(text) <= room else ("", "")


def _any_text(data: bytes) -> str:
    """Latin-1 says the standard; UTF-8 say several programs that write it."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _unpacked(data: bytes, room: int) -> bytes:
    unpacker = zlib.decompressobj()
    text = unpacker.decompress(data, room + 1)
    if len(text) > room:
        raise ValueError("too long")
    return text
