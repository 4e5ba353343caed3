"""A picture and its recipe, to the bytes of one file and back."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import __version__
from app.core import recipe_json
from app.core.errors import FolderNotWritable, NoSpace, PictureUnreadable
from app.core.events import Pixels
from app.core.placement import Placement
from app.core.recipe import Recipe
from app.library.recipe_text import parameters, xmp

if TYPE_CHECKING:  # Pillow is imported when the first picture is saved, not with the window
    from PIL import Image

VERSION = 1
KEY = "easel"
"""The keyword of our own chunk."""

PNG_LEVEL = 3
"""Four times faster than Pillow's own level 6, files 10 % larger (measured at 512x512)."""

SUFFIXES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
_JPEG_ROOM = 60_000
"""Bytes of EXIF: one JPEG segment holds 65,533."""
_DESCRIPTION, _EXIF_IFD, _USER_COMMENT = 0x010E, 0x8769, 0x9286


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture on disk and how it came to be.

    ``seconds`` of drawing, without loading; ``created`` has its time zone. ``fell_back`` says why
    it lies in the fallback folder, where it does.
    """

    file: Path
    recipe: Recipe
    placement: Placement
    seconds: float
    created: datetime
    fell_back: FolderNotWritable | NoSpace | None = None


def encode(pixels: Pixels, picture: Picture, suffix: str = ".png") -> bytes:
    """``pixels`` as a file's bytes, with all of ``picture`` but its place inside.

    ``suffix`` is one of ``SUFFIXES``. A JPEG has no room for a recipe of more than 60,000 bytes;
    it is then written without (``read_picture`` tells).
    """
    from PIL import Image

    image = Image.frombytes("RGB", (pixels.width, pixels.height), pixels.rgb)
    out = io.BytesIO()
    if SUFFIXES[suffix] == "PNG":
        image.save(out, "PNG", compress_level=PNG_LEVEL, pnginfo=_chunks(picture))
    elif SUFFIXES[suffix] == "JPEG":
        exif = _exif(picture, _JPEG_ROOM)
        image.save(out, "JPEG", quality=95, subsampling=0, exif=exif, xmp=xmp().encode())
    else:
        image.save(out, "WEBP", quality=95, method=4, exif=_exif(picture), xmp=xmp().encode())
    return out.getvalue()


def read_picture(file: Path) -> Picture:
    """The picture in ``file`` with its recipe; pixels are not decoded.

    Raises PictureUnreadable with the reason "missing", "not a picture" or "no recipe".
    """
    from PIL import Image

    try:
        with Image.open(file, formats=("PNG", "JPEG", "WEBP")) as image:
            text = _own_text(image)
    except FileNotFoundError as error:
        raise PictureUnreadable(str(file), "missing") from error
    except PermissionError as error:
        raise PictureUnreadable(str(file), "permission") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PictureUnreadable(str(file), "not a picture") from error
    try:
        return _from_text(file, text)
    except (ValueError, KeyError, TypeError) as error:
        raise PictureUnreadable(str(file), "no recipe") from error


def _to_text(picture: Picture) -> str:
    data = {
        "version": VERSION,
        "recipe": recipe_json.to_dict(picture.recipe),
        "placement": picture.placement.value,
        "seconds": picture.seconds,
        "created": picture.created.isoformat(),
        "app": __version__,
    }
    return json.dumps(data, sort_keys=True)  # ASCII: also a path that is no Unicode survives


def _from_text(file: Path, text: str) -> Picture:
    try:
        data: Any = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if data["version"] != VERSION:
        raise ValueError(f"version {data['version']!r}")
    return Picture(
        file=file,
        recipe=recipe_json.from_dict(data["recipe"]),
        placement=Placement(data["placement"]),
        seconds=float(data["seconds"]),
        created=datetime.fromisoformat(data["created"]),
    )


def _chunks(picture: Picture) -> Any:
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    chunks.add_itxt("XML:com.adobe.xmp", xmp())
    chunks.add_text("parameters", parameters(picture.recipe).replace("\0", " "))
    chunks.add_itxt(KEY, _to_text(picture))
    return chunks


def _exif(picture: Picture, room: int | None = None) -> bytes:
    """EXIF with our JSON as the description and ``parameters`` as the comment, as far as fits."""
    from PIL import Image

    ours = _to_text(picture)
    theirs = b"UNICODE\0" + parameters(picture.recipe).encode("utf-16-be")
    exif = Image.Exif()
    if room is None or len(ours) < room:
        exif[_DESCRIPTION] = ours
    if room is None or len(ours) + len(theirs) < room:
        exif.get_ifd(_EXIF_IFD)[_USER_COMMENT] = theirs
    return exif.tobytes()


def _own_text(image: Image.Image) -> str:
    if image.format == "PNG":
        return str(image.info.get(KEY, ""))
    return str(image.getexif().get(_DESCRIPTION, ""))
