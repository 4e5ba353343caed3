"""A saved picture once more, elsewhere and in the form its new name asks for."""

from __future__ import annotations

from pathlib import Path

from app.core.errors import PictureUnreadable
from app.core.events import Pixels
from app.files.atomic_file import write_over
from app.library.picture_file import SUFFIXES, Picture, encode


def copy_to(picture: Picture, target: Path, *, bare: bool = False) -> Path:
    """Write ``picture`` to ``target``, recipe included, whole or not at all; the file written.

    The suffix says the form (``picture_file.SUFFIXES``); any other gets ".png" added. In the form
    that it has it is the same bytes as the saved one. ``bare`` leaves the recipe out, but not the
    mark that the picture was generated. Raises PictureUnreadable, FolderNotWritable, NoSpace.
    """
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        target, suffix = target.with_name(f"{target.name}.png"), ".png"
    if not bare and SUFFIXES[suffix] == SUFFIXES.get(picture.file.suffix.lower()):
        write_over(target, _bytes(picture.file))
    else:
        write_over(target, encode(read_pixels(picture.file), picture, suffix, bare=bare))
    return target


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise PictureUnreadable(str(file), "missing") from error
    except OSError as error:
        raise PictureUnreadable(str(file), "permission") from error


def read_pixels(file: Path) -> Pixels:
    """The pixels of a saved picture. Raises PictureUnreadable."""
    import io

    from PIL import Image

    data = _bytes(file)
    try:
        with Image.open(io.BytesIO(data), formats=tuple(set(SUFFIXES.values()))) as opened:
            image = opened.convert("RGB")
    except Exception as error:  # Pillow's readers raise many kinds on foreign bytes
        raise PictureUnreadable(str(file), "not a picture") from error
    return Pixels(image.width, image.height, image.tobytes())
