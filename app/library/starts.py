"""Pictures to start from: opened with care, kept as PNG under the name of their content."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.errors import PictureUnreadable
from app.core.recipe import Size
from app.files.atomic_file import write_over

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF")
"""What is opened. Pillow knows many more, some of which run other programs."""

MAX_BYTES = 64_000_000
MAX_PIXELS = 40_000_000
MAX_SIDE = 2048
"""A longer side is scaled down to this: no model draws larger."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture in Easel's own folder: RGB, upright, without transparency; its hash and size."""

    file: Path
    sha256: str
    size: Size


def keep(source: Path | bytes, folder: Path) -> Kept:
    """Open a foreign picture and keep a clean copy of it in ``folder``.

    EXIF rotation is applied, transparency laid over white, colours brought to sRGB; of an
    animation the first frame counts. Files of more than 64 MB or 40 million pixels are refused.
    Raises PictureUnreadable ("missing", "permission", "not a picture", "too large", "damaged"),
    FolderNotWritable, NoSpace.
    """
    name = "" if isinstance(source, bytes) else str(source)
    data = source if isinstance(source, bytes) else _read(source)
    if len(data) > MAX_BYTES:
        raise PictureUnreadable(name, "too large")
    image = _open(data, name)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    sha256 = hashlib.sha256(out.getvalue()).hexdigest()
    file = folder / f"{sha256}.png"
    if not _holds(file, out.getvalue()):
        write_over(file, out.getvalue())
    return Kept(file, sha256, Size(*image.size))


def _read(file: Path) -> bytes:
    """The bytes of a regular file; one more than allowed of a longer one."""
    try:
        # Not blocking: a named pipe would wait for a writer for ever.
        handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as opened:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise PictureUnreadable(str(file), "not a picture")
            return opened.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PictureUnreadable(str(file), "missing") from error
    except PermissionError as error:
        raise PictureUnreadable(str(file), "permission") from error
    except (OSError, ValueError) as error:
        raise PictureUnreadable(str(file), "not a picture") from error


def _open(data: bytes, name: str) -> Image.Image:
    """1 read the header, 2 judge the size, 3 decode, 4 turn, 5 flatten, 6 scale down."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own size limit is looser than ours
            opened = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise PictureUnreadable(name, "too large") from error
    except Exception as error:  # Pillow's readers raise many kinds on foreign bytes
        raise PictureUnreadable(name, "not a picture") from error
    with opened:
        if opened.width * opened.height > MAX_PIXELS:
            raise PictureUnreadable(name, "too large")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                opened.load()
                image = _flat(ImageOps.exif_transpose(opened))
        except Exception as error:
            raise PictureUnreadable(name, "damaged") from error
    image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return image


def _flat(image: Image.Image) -> Image.Image:
    """``image`` as RGB in sRGB, transparency laid over white."""
    from PIL import Image

    if image.mode.startswith(("I", "F")):  # 16 bits a channel
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    profile = image.info.get("icc_profile")
    if image.mode == "CMYK" or not image.has_transparency_data:
        return _to_srgb(image, profile)
    seen = image.convert("RGBA")
    white = Image.new("RGB", seen.size, "white")
    white.paste(_to_srgb(seen.convert("RGB"), profile), mask=seen.getchannel("A"))
    return white


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A profile that cannot be applied is left out: slightly other colours beat no picture."""
    from PIL import ImageCms

    if profile and image.mode in ("RGB", "CMYK"):
        try:
            theirs = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            turned = ImageCms.profileToProfile(image, theirs, srgb, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            turned = None
        if turned is not None:
            turned.info.pop("icc_profile", None)
            return turned
    plain = image.convert("RGB")
    plain.info = {}
    return plain


def _holds(file: Path, data: bytes) -> bool:
    try:
        return file.stat().st_size == len(data) and file.read_bytes() == data
    except OSError:
        return False
