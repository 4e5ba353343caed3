"""A saved picture once more, elsewhere and in the form its new name asks for."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from app.core.errors import PictureUnreadable
from app.core.events import Pixels
from app.files.atomic_file import write_new, write_over
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


def copies_in(pictures: Sequence[Picture], folder: Path, suffix: str | None) -> tuple[Path, ...]:
    """Copies of ``pictures`` in ``folder``, none over another file; the files written.

    In the form that ``suffix`` says, or that they have. Raises PictureUnreadable,
    FolderNotWritable, NoSpace; what was copied until then stays.
    """
    copied = []
    for picture in pictures:
        form = suffix or picture.file.suffix
        if SUFFIXES.get(form) == SUFFIXES.get(picture.file.suffix.lower()):
            data = _bytes(picture.file)
        else:
            data = encode(read_pixels(picture.file), picture, form)
        copied.append(write_new(folder, picture.file.stem, form, data))
    return tuple(copied)


def copy_for_others(
    picture: Picture, folder: Path, suffix: str | None, *, bare: bool = False
) -> Path:
    """A file of ``picture`` for another program: the saved one where it is as wanted.

    Else a copy under the same name in a folder of its own below ``folder``, which ``sweep_copies``
    takes away. Raises as ``copy_to``.
    """
    form = suffix or picture.file.suffix.lower()
    if not bare and SUFFIXES.get(form) == SUFFIXES.get(picture.file.suffix.lower()):
        return picture.file
    kind = "bare" if bare else "whole"
    below = folder / f"{picture.id[:16]}-{kind}"
    return copy_to(picture, below / f"{picture.file.stem}{form}", bare=bare)


def sweep_copies(folder: Path, before: float) -> None:
    """Take away what ``copy_for_others`` left there before that time (seconds since the epoch)."""
    for below in folder.glob("*-*") if folder.is_dir() else ():
        with contextlib.suppress(OSError):
            if below.is_dir() and below.stat().st_mtime < before:
                for file in below.iterdir():
                    file.unlink()
                below.rmdir()


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
