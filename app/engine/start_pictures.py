"""Opens the picture to start from and its mask, and puts kept pixels back at the end.

Both are opened from the bytes whose SHA-256 the recipe names, by Pillow with a short list of
formats and a limit on pixels, so that a hostile file costs little and runs nothing.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.errors import PictureUnreadable, RecipeProblem
from app.core.events import Pixels
from app.core.recipe import Size, Start

if TYPE_CHECKING:
    from PIL import Image

MAX_BYTES = 200_000_000
MAX_PIXELS = 100_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")


@dataclass(frozen=True, slots=True)
class OpenedStart:
    """The starting picture (RGB) and, where given, the mask (L: 255 redrawn, 0 kept), at the
    recipe's size."""

    picture: Image.Image
    mask: Image.Image | None


def open_start(start: Start, size: Size) -> OpenedStart:
    """Read ``start`` and bring it to ``size``: scaled, and cut at the middle where shapes differ.

    Raises PictureUnreadable (reason "missing", "changed", "too large", "not a picture") and
    RecipeProblem when the mask is not of the picture's size.
    """
    from PIL import Image, ImageOps

    picture = _open(start.file, start.sha256)
    mask = None
    if start.mask is not None:
        mask = _open(start.mask, start.mask_sha256)
        if mask.size != picture.size:
            raise RecipeProblem("start", f"{mask.width}x{mask.height}", "same size as the start")
        mask = mask.convert("L").point([0] * 128 + [255] * 128)
    wanted = (size.width, size.height)
    if picture.size != wanted:
        picture = ImageOps.fit(picture, wanted, Image.Resampling.LANCZOS)
        mask = mask and ImageOps.fit(mask, wanted, Image.Resampling.NEAREST)
    return OpenedStart(picture, mask)


def keep_unmasked(drawn: Pixels, opened: OpenedStart) -> Pixels:
    """``drawn`` where the mask is white, the starting picture, byte for byte, where it is black.

    The edge is softened inside the white part only.
    """
    from PIL import Image, ImageFilter

    if opened.mask is None:
        return drawn
    import numpy as np

    size = (drawn.width, drawn.height)
    soft = opened.mask.filter(ImageFilter.GaussianBlur(max(1.0, min(size) / 96)))
    inside = np.asarray(opened.mask) > 0
    share = np.where(inside, np.maximum(np.asarray(soft), 128), 0).astype(np.uint8)
    share[inside & (share > 250)] = 255
    new = Image.frombytes("RGB", size, drawn.rgb)
    together = Image.composite(new, opened.picture, Image.fromarray(share))
    return Pixels(drawn.width, drawn.height, together.tobytes())


def _open(file: str, sha256: str | None) -> Image.Image:
    """The picture in ``file`` as RGB, upright, on white where it was transparent."""
    from PIL import Image, ImageOps

    data = _read(file)
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256.lower():
        raise PictureUnreadable(file, "changed")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise PictureUnreadable(file, "too large")
                upright = ImageOps.exif_transpose(opened)
                rgba = upright.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PictureUnreadable(file, "not a picture") from error
    ground = Image.new("RGBA", rgba.size, "white")
    return Image.alpha_composite(ground, rgba).convert("RGB")


def _read(file: str) -> bytes:
    path = Path(file)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PictureUnreadable(file, "too large")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise PictureUnreadable(file, "missing") from error
