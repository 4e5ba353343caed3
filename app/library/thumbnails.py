"""Small pictures for the gallery, kept in the caches folder; made when they are first asked for.

Decoding takes milliseconds and is done on whatever thread asks (``jobs.thumbnailer`` has some).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.errors import EaselError, PictureUnreadable
from app.core.events import Pixels
from app.files.atomic_file import write_over
from app.library.entry import Entry
from app.library.metadata import MAX_BYTES, SUFFIXES
from app.library.starts import MAX_PIXELS

if TYPE_CHECKING:
    from PIL import Image

SIDE = 256
"""Pixels of the longer side: 128 points on a screen of twice the usual density."""

MAX_CACHE = 500_000_000
"""Bytes: some 30,000 small pictures. The ones not looked at for longest go first."""

_KEEP = 0.8


class Thumbnails:
    """The small pictures in ``folder``, of at most ``room`` bytes together. Any thread may ask."""

    def __init__(self, folder: Path, room: int = MAX_CACHE) -> None:
        self._folder = folder
        self._room = room
        self._lock = threading.Lock()
        self._held: int | None = None
        """Bytes in the folder; None: not counted yet."""

    def get(self, entry: Entry) -> Pixels:
        """The picture of ``entry``, at most ``SIDE`` pixels a side, RGB, over white.

        Raises PictureUnreadable: "missing", "permission", "not a picture", "too large", "damaged".
        """
        kept = self._file(entry)
        found = _kept(kept)
        if found is not None:
            return found
        image = _small(entry.file)
        out = io.BytesIO()
        image.save(out, "JPEG", quality=88, subsampling=0)
        with contextlib.suppress(EaselError):  # it is made again the next time
            write_over(kept, out.getvalue(), durable=False)
            self._count(len(out.getvalue()))
        return Pixels(image.width, image.height, image.tobytes())

    def kept(self, entry: Entry) -> bytes | None:
        """The same as a JPEG, where it was made before; it may turn out to be damaged."""
        try:
            return self._file(entry).read_bytes()
        except OSError:
            return None

    def _file(self, entry: Entry) -> Path:
        """Named by what the picture is and not by where: a moved one needs no new one."""
        stamp = entry.stamp
        name = f"{entry.id} {stamp.bytes} {stamp.mtime_ns} {SIDE}"
        digest = hashlib.sha256(name.encode()).hexdigest()[:40]
        return self._folder / digest[:2] / f"{digest}.jpg"

    def _count(self, added: int) -> None:
        """Keep the folder within its room."""
        with self._lock:
            if self._held is None:
                self._held = sum(size for _, size, _ in self._files())
            else:
                self._held += added
            if self._held <= self._room:
                return
            for _, size, path in sorted(self._files()):
                if self._held <= self._room * _KEEP:
                    break
                with contextlib.suppress(OSError):
                    Path(path).unlink()
                self._held -= size

    def _files(self) -> list[tuple[float, int, str]]:
        """(last used, bytes, path) of each."""
        found = []
        for place, _, names in os.walk(self._folder):
            for name in names:
                path = Path(place) / name
                with contextlib.suppress(OSError):
                    stat = path.stat()
                    found.append((max(stat.st_mtime, stat.st_atime), stat.st_size, str(path)))
        return found


def _kept(file: Path) -> Pixels | None:
    """What is in the cache; None where there is nothing, or nothing whole."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(file.read_bytes()), formats=("JPEG",)) as image:
            if max(image.size) > SIDE:
                return None
            rgb = image.convert("RGB")
            return Pixels(rgb.width, rgb.height, rgb.tobytes())
    except (OSError, ValueError, SyntaxError):
        return None


def _small(file: Path) -> Image.Image:
    from PIL import Image, ImageOps

    try:
        if file.stat().st_size > MAX_BYTES:
            raise PictureUnreadable(str(file), "too large")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            opened = Image.open(file, formats=tuple(dict.fromkeys(SUFFIXES.values())))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PictureUnreadable(str(file), "missing") from error
    except PermissionError as error:
        raise PictureUnreadable(str(file), "permission") from error
    except Image.DecompressionBombError as error:
        raise PictureUnreadable(str(file), "too large") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise PictureUnreadable(str(file), "not a picture") from error
    with opened:
        if opened.width * opened.height > MAX_PIXELS:
            raise PictureUnreadable(str(file), "too large")
        try:
            opened.draft("RGB", (SIDE, SIDE))  # a JPEG can be decoded at an eighth
            return _over_white(ImageOps.exif_transpose(opened))
        except Exception as error:  # Pillow's readers raise many kinds on foreign bytes
            raise PictureUnreadable(str(file), "damaged") from error


def _over_white(image: Image.Image) -> Image.Image:
    from PIL import Image

    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    if not image.has_transparency_data:
        return image.convert("RGB")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return white.convert("RGB")
