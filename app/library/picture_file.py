"""A picture and its recipe, to the bytes of one file and back."""

from __future__ import annotations

import hashlib
import io
import json
import struct
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from app import __version__
from app.core import recipe_json
from app.core.errors import FolderNotWritable, NoSpace, PictureUnreadable
from app.core.events import Pixels
from app.core.placement import Placement
from app.core.recipe import Recipe
from app.library import metadata, png, xmp
from app.library.metadata import EXIF_IFD, SUFFIXES, USER_COMMENT
from app.library.recipe_text import alt_text, parameters

__all__ = ["SUFFIXES", "Picture", "encode", "read_picture"]

VERSION = 1
KEY, XMP_KEY = "easel", "XML:com.adobe.xmp"
"""The keywords of our own chunk and of XMP's."""

_LONG, _UNDEFINED = 4, 7
"""Types of TIFF 6.0."""

_SEGMENT = 65_000
"""Bytes of XMP or Exif in a JPEG: one segment holds 65,533, names included."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture on disk and how it came to be.

    ``seconds`` of drawing, without loading; ``created`` has its time zone. ``fell_back`` says why
    it lies in the fallback folder, where it does. ``id`` is the picture's own for ever, wherever
    its file goes; "" before it is saved. ``version`` is that of the Easel that drew it.
    """

    file: Path
    recipe: Recipe
    placement: Placement
    seconds: float
    created: datetime
    fell_back: FolderNotWritable | NoSpace | None = None
    id: str = ""
    version: str = __version__


def encode(pixels: Pixels, picture: Picture, suffix: str = ".png", *, bare: bool = False) -> bytes:
    """``pixels`` as a file's bytes, with all of ``picture`` but its place inside.

    ``suffix`` is one of ``SUFFIXES``. ``bare`` leaves out everything but the mark that the picture
    was generated. A JPEG has no room for a recipe of more than 65,000 bytes; it is then written
    without (``read_picture`` tells).
    """
    form = SUFFIXES[suffix]
    if form == "PNG":
        return png.write(pixels, _bare_chunks() if bare else _chunks(picture))
    room = _SEGMENT if form == "JPEG" else None
    said: dict[str, Any] = {"xmp": (xmp.write("", "") if bare else _xmp(picture, room)).encode()}
    if not bare:
        said["exif"] = _exif(picture, room)
    return _coded(pixels, form, said)


def read_picture(file: Path) -> Picture:
    """The picture in ``file`` with its recipe; pixels are not decoded.

    Raises PictureUnreadable with the reason "missing", "permission", "not a picture", "too large"
    or "no recipe".
    """
    picture = picture_of(file, metadata.read(file))
    if picture is None:
        raise PictureUnreadable(str(file), "no recipe")
    return picture


def picture_of(file: Path, said: metadata.Said) -> Picture | None:
    """The picture that ``said`` tells of; None where Easel did not write it, or not whole."""
    # Easel 0.1 had it in the description of what is no PNG.
    text = said.texts.get(KEY) or said.xmp.easel or said.description
    try:
        return _from_text(file, text)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _to_text(picture: Picture) -> str:
    data = {
        "version": VERSION,
        "id": picture.id,
        "recipe": recipe_json.to_dict(picture.recipe),
        "placement": picture.placement.value,
        "seconds": picture.seconds,
        "created": picture.created.isoformat(),
        "app": picture.version,
    }
    return json.dumps(data, sort_keys=True)  # ASCII: also a path that is no Unicode survives


def _from_text(file: Path, text: str) -> Picture:
    try:
        data: Any = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if data["version"] != VERSION:
        raise ValueError(f"version {data['version']!r}")
    created = datetime.fromisoformat(data["created"])
    return Picture(
        file=file,
        recipe=recipe_json.from_dict(data["recipe"]),
        placement=Placement(data["placement"]),
        seconds=float(data["seconds"]),
        created=created if created.tzinfo else created.astimezone(),
        # Easel 0.1 gave none: what the file says is as good a name.
        version=str(data.get("app", "")),
        id=str(data.get("id") or hashlib.sha256(text.encode()).hexdigest()[:32]),
    )


def _chunks(picture: Picture) -> tuple[png.Chunk, ...]:
    prompt = picture.recipe.prompt
    return (
        png.international_chunk(XMP_KEY, xmp.write(prompt, alt_text(prompt))),
        png.text_chunk("parameters", parameters(picture.recipe)),
        png.international_chunk(KEY, _to_text(picture)),
    )


def _bare_chunks() -> tuple[png.Chunk, ...]:
    return (png.international_chunk(XMP_KEY, xmp.write("", "")),)


def _xmp(picture: Picture, room: int | None) -> str:
    """The packet with the recipe in it; of a JPEG as much as there is room for, the recipe first.

    A PNG has the recipe in a chunk of its own.
    """
    prompt, easel = picture.recipe.prompt, _to_text(picture)
    tries = (
        xmp.write(prompt, alt_text(prompt), easel),
        xmp.write("", alt_text(prompt), easel),
        xmp.write("", "", easel),
        xmp.write(prompt, alt_text(prompt)),
    )
    fitting = (packet for packet in tries if room is None or len(packet.encode()) <= room)
    return next(fitting, xmp.write("", ""))


def _exif(picture: Picture, room: int | None) -> bytes:
    """Exif 2.32 with ``parameters`` as the comment, where it fits.

    Written here because Pillow gives the comment the type of a number, which Exif does not allow.
    """
    comment = b"UNICODE\0" + parameters(picture.recipe).encode("utf-16-be", "replace")
    if room is not None and len(comment) > room - 100:
        return b""
    entries = ((0x9000, b"0232"), (USER_COMMENT, comment))  # ExifVersion stands in its entry
    pointer = struct.pack(">HHHLLL", 1, EXIF_IFD, _LONG, 1, 26, 0)
    values_at = 26 + 2 + 12 * len(entries) + 4
    inner = struct.pack(">H", len(entries))
    for tag, value in entries:
        where = value if len(value) == 4 else struct.pack(">L", values_at)
        inner += struct.pack(">HHL", tag, _UNDEFINED, len(value)) + where
    return b"Exif\0\0MM\0*" + struct.pack(">L", 8) + pointer + inner + bytes(4) + comment


def _coded(pixels: Pixels, form: str, said: dict[str, Any]) -> bytes:
    """At a quality where nothing is to be seen of the form's losses."""
    from PIL import Image

    image = Image.frombytes("RGB", (pixels.width, pixels.height), pixels.rgb)
    out = io.BytesIO()
    if form == "JPEG":
        image.save(out, form, quality=95, subsampling=0, **said)
    elif form == "WEBP":
        image.save(out, form, quality=95, method=4, **said)
    else:
        image.save(out, form, quality=90, subsampling="4:4:4", speed=8, **said)
    return out.getvalue()
