"""What stands in a picture's file beside its pixels, whoever wrote it; read within bounds."""

from __future__ import annotations

import io
import os
import stat
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from app.core.errors import PictureUnreadable
from app.library import png, xmp

if TYPE_CHECKING:  # Pillow is imported for a picture that is no PNG
    from PIL import Image

SUFFIXES = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".avif": "AVIF",
}
"""The forms that Easel writes, and that a library holds."""

MAX_BYTES = 200_000_000
"""A larger file is not opened."""

DESCRIPTION, EXIF_IFD, USER_COMMENT = 0x010E, 0x8769, 0x9286
"""Tags of Exif 2.32."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a file says. ``texts`` are a PNG's by keyword, ``comment`` is Exif's UserComment."""

    width: int
    height: int
    texts: dict[str, str] = field(default_factory=dict)
    description: str = ""
    comment: str = ""
    xmp: xmp.Said = field(default_factory=xmp.Said)


def read(file: Path) -> Said:
    """What ``file`` says, without decoding a pixel.

    Raises PictureUnreadable: "missing", "permission", "not a picture", "too large".
    """
    try:
        # Not blocking: a named pipe would wait for a writer for ever.
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as opened:
            found = os.fstat(opened.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise PictureUnreadable(str(file), "not a picture")
            if found.st_size > MAX_BYTES:
                raise PictureUnreadable(str(file), "too large")
            return read_open(opened, str(file))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PictureUnreadable(str(file), "missing") from error
    except PermissionError as error:
        raise PictureUnreadable(str(file), "permission") from error
    except (OSError, ValueError) as error:
        raise PictureUnreadable(str(file), "not a picture") from error


def read_open(file: BinaryIO, name: str) -> Said:
    """As ``read``, of what is open already. Raises PictureUnreadable("not a picture")."""
    is_png = file.read(8) == png.SIGNATURE
    try:
        return _png(file) if is_png else _other(file)
    except Exception as error:  # Pillow's readers raise many kinds on foreign bytes
        raise PictureUnreadable(name, "not a picture") from error


def _png(file: BinaryIO) -> Said:
    found = png.read(file)
    description, comment = _exif(found.exif) if found.exif else ("", "")
    packet = found.texts.get("XML:com.adobe.xmp", "")
    said = xmp.read(packet) if packet else xmp.Said()
    return Said(found.width, found.height, found.texts, description, comment, said)


def _other(file: BinaryIO) -> Said:
    from PIL import Image

    file.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Exif that is not quite right; large pictures
        forms = tuple(dict.fromkeys(SUFFIXES.values()))
        with Image.open(file, formats=forms) as image:
            width, height = image.size
            packet = image.info.get("xmp", b"")
            said = image.getexif()
            description, comment = _texts(said)
    if isinstance(packet, str):
        packet = packet.encode("utf-8", "replace")
    text = packet[: xmp.MAX_CHARS].decode("utf-8", "replace")
    return Said(width, height, {}, description, comment, xmp.read(text) if text else xmp.Said())


def _exif(data: bytes) -> tuple[str, str]:
    """Description and comment of a PNG's Exif; nothing of one that is broken."""
    from PIL import Image

    exif = Image.Exif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exif.load(b"Exif\0\0" + data)
            return _texts(exif)
    except Exception:  # as above; what else the file says still counts
        return "", ""


def _texts(exif: Image.Exif) -> tuple[str, str]:
    try:
        description = _as_text(exif.get(DESCRIPTION, ""))
        return description, _comment(exif.get_ifd(EXIF_IFD).get(USER_COMMENT, b""))
    except (ValueError, KeyError, TypeError, SyntaxError, OSError, EOFError):
        return "", ""


def _as_text(value: object) -> str:
    if isinstance(value, bytes):
        return value[: png.MAX_TEXT].decode("utf-8", "replace").rstrip("\0")
    return value[: png.MAX_TEXT] if isinstance(value, str) else ""


def _comment(value: object) -> str:
    """UserComment: eight bytes that name the code, then the text. Many programs bend the rule."""
    if not isinstance(value, bytes):
        return _as_text(value)
    code, text = value[:8], value[8 : 8 + png.MAX_TEXT]
    if code == b"UNICODE\0":
        return text.decode(_byte_order(text), "replace").lstrip("\ufeff").rstrip("\0")
    if code in (b"ASCII\0\0\0", bytes(8)):
        return _as_text(text)
    return _as_text(value)


def _byte_order(text: bytes) -> str:
    """Exif asks for the order of the file; most programs write big-endian whatever that is.

    The zero bytes of letters and spaces tell.
    """
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16-le" if text[:1] == b"\xff" else "utf-16-be"
    sample = text[:2000]
    high, low = sample[0::2].count(0), sample[1::2].count(0)
    return "utf-16-le" if low > high else "utf-16-be"


def read_bytes(data: bytes) -> Said:
    """As ``read``, of a picture that was pasted or dropped. Raises PictureUnreadable."""
    if len(data) > MAX_BYTES:
        raise PictureUnreadable("", "too large")
    return read_open(io.BytesIO(data), "")
