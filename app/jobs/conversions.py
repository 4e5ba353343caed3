"""What models were converted to: made, listed and taken away. They lie beside their models.

``<models>/ID/coreml-ATTENTION-BITS[-fast]`` is a conversion of the model ``ID``, the starter's too.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.errors import ModelMissing
from app.files.atomic_file import world_error
from app.weights.alone import alone
from app.weights.paths import is_safe_name
from app.weights.receipts import REMOVED_PREFIX

if TYPE_CHECKING:
    from app.convert.coreml.converting import ConversionOptions, Converting
    from app.core.model import Model

PREFIX = "coreml-"
BUSY = "being converted"
_UNITS = {
    "split_einsum": "Neural Engine",
    "split_einsum_v2": "Neural Engine, version 2",
    "sdpa": "GPU",
}
"""What an attention is written for."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """``id`` is that of the Model, where it can be drawn with; ``source`` that of the original.

    ``disk`` in bytes. ``title`` without the original's: "Core ML (Neural Engine, 6-bit)".
    """

    id: str
    source: str
    folder: Path
    title: str
    disk: int


def conversions(root: Path, source: str) -> tuple[Conversion, ...]:
    """The conversions of the model ``source`` below ``root``, whole or not. Raises nothing."""
    found = []
    if is_safe_name(source):
        with contextlib.suppress(OSError):
            for folder in sorted((root / source).glob(f"{PREFIX}*")):
                if folder.is_dir() and not folder.is_symlink():
                    found.append(_read(source, folder))
    return tuple(found)


def find(root: Path, id: str) -> Conversion:
    """The conversion of that id. Raises ModelMissing."""
    source, _, name = id.rpartition(f".{PREFIX}")
    for one in conversions(root, source) if name else ():
        if one.id == id:
            return one
    raise ModelMissing(id)


def convert(
    model: Model,
    root: Path,
    options: ConversionOptions,
    report: Callable[[Converting], None],
    cancelled: Callable[[], bool],
) -> Conversion | None:
    """Convert ``model`` and keep the result below ``root``; blocks. None when stopped.

    One that is there already, made with the same options, is replaced once the new one is whole.
    Raises as ``converting.convert`` does, and ModelInUse.
    """
    from app.jobs import converting

    target = converting.converted_folder(root, model.id, options)
    with _held(target.parent, model.title):
        made = target.with_name(f"{converting.STAGING_PREFIX}{os.urandom(8).hex()}")
        folder = Path(model.folder)
        try:
            if converting.convert(folder, made, options, report, cancelled) is None:
                return None
            if os.path.lexists(target):
                take_away(target)
            try:
                made.rename(target)
            except OSError as error:
                raise world_error(error, target, 0) from error
        finally:
            shutil.rmtree(made, ignore_errors=True)
            _tidy(target.parent)
    return _read(model.id, target)


def remove(conversion: Conversion) -> None:
    """Take it away; the original stays. Raises ModelMissing, ModelInUse, FolderNotWritable."""
    folder = conversion.folder
    if not folder.is_dir():
        raise ModelMissing(conversion.id)
    with _held(folder.parent, conversion.source):
        take_away(folder)
    _tidy(folder.parent)


def take_away(folder: Path) -> None:
    """From one moment to the next it is no model any more. Raises FolderNotWritable."""
    leaving = folder.with_name(f"{REMOVED_PREFIX}{os.urandom(8).hex()}")
    try:
        folder.rename(leaving)
        shutil.rmtree(leaving)
    except OSError as error:
        raise world_error(error, folder, 0) from error


def title_of(folder: Path) -> str:
    """ "Core ML (Neural Engine, 6-bit)", by the folder's name."""
    attention, *rest = folder.name.removeprefix(PREFIX).split("-")
    unit = _UNITS.get(attention, attention.replace("_", " "))
    told = (f"{word}-bit" if word.isdigit() else word for word in rest)
    return f"Core ML ({', '.join((unit, *told))})"


def id_of(source: str, folder: Path) -> str:
    """The id of the conversion of ``source`` in ``folder``."""
    return f"{source}.{folder.name}"


def _read(source: str, folder: Path) -> Conversion:
    disk = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):
            disk += file.stat().st_size if file.is_file() else 0
    return Conversion(id_of(source, folder), source, folder, title_of(folder), disk)


def _tidy(folder: Path) -> None:
    """The starter lies elsewhere: its folder here is for conversions alone."""
    with contextlib.suppress(OSError):
        folder.rmdir()


@contextlib.contextmanager
def _held(folder: Path, model: str) -> Iterator[None]:
    try:
        with alone(folder, model, BUSY):
            yield
    except OSError as error:
        raise world_error(error, folder, 0) from error
