"""The part of ``importing`` that needs torch: from foreign tensors to files of our own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.convert.checkpoint import open_checkpoint
from app.convert.families import Found, recognise
from app.convert.folder import copy_folder, look_through
from app.convert.importing import Brought, Importing, Stage, Stopped
from app.convert.single_file import component_count, convert_autoencoder, convert_checkpoint
from app.convert.tensor_files import Tensors, open_safetensors, read_number, write_tensors
from app.core.card import CardFile, Kind
from app.core.errors import ImportRefused

_GIB = 1024**3
_MOST = {
    Kind.CHECKPOINT: 32 * _GIB,
    Kind.VAE: 2 * _GIB,
    Kind.LORA: 8 * _GIB,
    Kind.EMBEDDING: _GIB // 8,
}
"""No sound file of its kind is larger."""
_NAMES = {Kind.LORA: "lora.safetensors", Kind.EMBEDDING: "embedding.safetensors"}
_BLOCK = 1 << 20


def bring(
    file: Path,
    pickled: bool,
    staging: Path,
    configs: Path,
    report: Callable[[Importing], None],
    cancelled: Callable[[], bool],
) -> Brought:
    """Fill ``staging`` from ``file``. Raises Stopped, ImportRefused, OSError."""

    def go_on() -> None:
        if cancelled():
            raise Stopped

    # 1. Names, shapes and what they mean
    go_on()
    if file.is_dir():
        layout = look_through(file)
        found = layout.found
        report(Importing(Stage.CHECKING, 1, 1))
        copy_folder(layout, staging, _Counted(report, go_on, found))
        return _brought(found, staging, report, go_on)
    with _opened(file, pickled) as tensors:
        found = recognise(str(file), tensors.shapes)
        if file.stat().st_size > _MOST[found.kind]:
            raise ImportRefused(str(file), "too large")
        report(Importing(Stage.CHECKING, 1, 1))
        go_on()
        # 2. Converted, part by part
        _convert(tensors, found, configs, staging, _Counted(report, go_on, found))
    # 3. Proof of what lies there now
    return _brought(found, staging, report, go_on)


def _brought(
    found: Found, staging: Path, report: Callable[[Importing], None], go_on: Callable[[], None]
) -> Brought:
    files = tuple(_proven(staging, report, go_on))
    kind = Kind.DIFFUSERS if found.kind is Kind.CHECKPOINT else found.kind
    return Brought(kind, found.family, files, found.inpainting)


class _Counted:
    """Says that a part has been written, and how many there are."""

    def __init__(
        self, report: Callable[[Importing], None], go_on: Callable[[], None], found: Found
    ) -> None:
        self._report = report
        self._go_on = go_on
        self._done = 0
        self._total = component_count(found.family) if found.kind is Kind.CHECKPOINT else 1

    def __call__(self, part: str) -> None:
        self._done += 1
        self._report(Importing(Stage.CONVERTING, self._done, self._total, part))
        self._go_on()


def _convert(
    tensors: Tensors, found: Found, configs: Path, staging: Path, wrote: Callable[[str], None]
) -> None:
    if found.kind is Kind.CHECKPOINT:
        convert_checkpoint(tensors, found, configs, staging, wrote)
        return
    if found.kind is Kind.VAE:
        convert_autoencoder(tensors, found.family, configs, staging)
    else:
        held = {name: read_number(tensors, name, None) for name in tensors.shapes}
        write_tensors(held, staging / _NAMES[found.kind], tensors.told)
    wrote(found.kind.value)


@contextmanager
def _opened(file: Path, pickled: bool) -> Iterator[Tensors]:
    if pickled:
        yield open_checkpoint(file)
        return
    with open_safetensors(file) as tensors:
        yield tensors


def _proven(
    staging: Path, report: Callable[[Importing], None], go_on: Callable[[], None]
) -> Iterator[CardFile]:
    """Each file with its bytes and SHA-256, in the order of their paths."""
    files = sorted(path for path in staging.rglob("*") if path.is_file())
    for number, path in enumerate(files, start=1):
        digest = hashlib.sha256()
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
                go_on()
        name = path.relative_to(staging).as_posix()
        report(Importing(Stage.PROVING, number, len(files), name))
        yield CardFile(name, path.stat().st_size, digest.hexdigest())
