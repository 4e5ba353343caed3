"""Brings in a file or folder from elsewhere: checked first, converted once, whole or not at all.

It opens foreign weights, and so it runs in ``jobs.limited_child``.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.core.card import CardFile, Kind
from app.core.errors import ImportRefused, NoSpace
from app.core.model import Family
from app.files.atomic_file import free_bytes, world_error

MARGIN = 256 * 1024 * 1024
"""Bytes that stay free: a full disk is trouble for everyone."""

_PICKLES = frozenset({".ckpt", ".pt", ".pth", ".bin"})


class Stage(StrEnum):
    """What is being done to the file."""

    CHECKING = "checking"
    CONVERTING = "converting"
    PROVING = "proving"  # hashes for the receipt


@dataclass(frozen=True, slots=True)
class Importing:
    """``done`` of ``total`` parts of ``stage`` are ready; ``part`` is the one just finished."""

    stage: Stage
    done: int
    total: int
    part: str = ""


@dataclass(frozen=True, slots=True)
class Brought:
    """What now lies in the staging folder; ``files`` are all of it, for the receipt.

    ``inpainting`` is true for a checkpoint that only fills in masks.
    """

    kind: Kind
    family: Family
    files: tuple[CardFile, ...]
    inpainting: bool = False


class Stopped(Exception):
    """The person said stop: an event, not an error; ``bring_in`` makes it None."""


def bring_in(
    file: Path,
    staging: Path,
    resources: Path,
    report: Callable[[Importing], None],
    cancelled: Callable[[], bool],
) -> Brought | None:
    """Bring ``file`` into the new folder ``staging``, which the caller then gives its name.

    ``file`` may be a folder in diffusers layout. A checkpoint becomes such a folder (kind
    DIFFUSERS) in fp16, a VAE one component of one, a LoRA or an embedding one safetensors file.
    None when it was stopped. Whatever goes wrong, and when stopped, ``staging`` is gone again.
    Raises ImportRefused, NoSpace, FolderNotWritable; FileExistsError for a ``staging`` that is
    there.
    """
    # 1. A file that can be read, of a kind that is opened at all
    report(Importing(Stage.CHECKING, 0, 1))
    size, pickled = _look_at(file)
    # 2. Room for it
    free = free_bytes(staging.parent)
    if free < size + MARGIN:
        raise NoSpace(str(staging.parent), size + MARGIN, free)
    # 3. Whole or nothing
    from app.convert.bringing import bring  # torch: whoever only names ``bring_in`` goes without

    try:
        with whole_or_nothing(staging, size):
            return bring(file, pickled, staging, resources / "configs", report, cancelled)
    except Stopped:
        return None


def _look_at(file: Path) -> tuple[int, bool]:
    """Its size, and whether it is a pickle. The name has to say so, and then the content too."""
    try:
        if file.is_dir():
            return _weights_in(file), False
        size = file.stat().st_size
        with file.open("rb") as stream:
            mark = stream.read(4)
    except FileNotFoundError as error:
        raise ImportRefused(str(file), "missing") from error
    except (OSError, ValueError) as error:
        raise ImportRefused(str(file), "permission") from error
    suffix = file.suffix.lower()
    looks_pickled = mark == b"PK\x03\x04" or mark[:1] == b"\x80"
    if suffix in _PICKLES and looks_pickled:
        return size, True
    if suffix == ".safetensors":
        return size, False  # a header that begins as a zip or pickle does is refused by its length
    raise ImportRefused(str(file), "unknown format")


def _weights_in(folder: Path) -> int:
    """Bytes of the components of a diffusers folder."""
    return sum(file.stat().st_size for file in folder.glob("*/*.safetensors"))


@contextmanager
def whole_or_nothing(staging: Path, size: int) -> Iterator[None]:
    """Makes ``staging``; takes it away again when anything is raised. Types the disk's errors."""
    try:
        staging.mkdir(parents=True)
    except FileExistsError:
        raise
    except OSError as error:
        raise world_error(error, staging, size) from error
    try:
        yield
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise world_error(error, staging, size) from error
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
