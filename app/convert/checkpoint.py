"""Opens a ``.ckpt``: a pickle, read without running any of it, and only in a limited child.

``torch.load(weights_only=True)`` interprets the pickle itself and makes nothing but tensors and
plain containers. What it lets through all the same (archives that inflate, dictionaries that
contain themselves, views that repeat one number a billion times) is refused here. There is no
second, less careful way.
"""

from __future__ import annotations

import math
import pickle
import re
import sys
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from app.convert.tensor_files import HeldTensors
from app.core.errors import ImportRefused
from app.files.safetensors_header import MAX_TENSORS

MAX_MEMBERS = 40_000
MAX_PICKLE = 16_000_000
"""Bytes of the pickle inside an archive; those of real models are under two million."""
MAX_NESTING = 3
INFLATION = 1.05
_DEEPER = ("state_dict", "string_to_param")
"""Where training programs put the tensors: Lightning's, and the one for embeddings."""

ZIP_MARK = b"PK\x03\x04"

_GLOBAL = re.compile(r"(?:Unsupported global: GLOBAL|unsupported GLOBAL) (\S+)")
_BLOCKED = re.compile(r"whose module \S+ is blocked")
_DATA = frozenset(
    {"argparse", "collections", "copyreg", "datetime", "decimal", "enum", "fractions", "uuid"}
)
_RUNS_CODE = (sys.stdlib_module_names | {"__builtin__", "torch"}) - _DATA
"""First part of a module's name. What torch has for data is let in without being asked for here."""


class _Inert:
    """Stands in for a numpy scalar or its dtype: takes what it is given and keeps nothing."""

    def __init__(self, *given: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


class _InertCallback:
    """Stands in for Lightning's ModelCheckpoint, whose class is a key of its own state."""


STAND_INS: tuple[tuple[Any, str], ...] = (
    (_Inert, "numpy.core.multiarray.scalar"),
    (_Inert, "numpy._core.multiarray.scalar"),
    (_Inert, "numpy.dtype"),
    (_InertCallback, "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint"),
)
"""The globals of the official sd-v1-4.ckpt beyond tensors. Nothing else is let in."""


def open_checkpoint(file: Path) -> HeldTensors:
    """The tensors of the checkpoint ``file``, mapped from disk where it is a zip.

    Raises ImportRefused: "unknown format", "damaged", "hostile", "code inside", "unknown objects",
    "too large", "too much memory".
    """
    # 1. The wrapping, before torch sees it
    with file.open("rb") as stream:
        mark = stream.read(4)
    zipped = mark == ZIP_MARK
    if zipped:
        inspect_archive(file)
    elif mark[:1] != pickle.PROTO:
        raise ImportRefused(str(file), "unknown format")
    # 2. The pickle, interpreted and not run
    loaded = _load(file, zipped)
    # 3. The dictionary of tensors in it
    state = _state_dict(file, loaded)
    # 4. Each a plain block of numbers that is really there
    _check_blocks(file, state)
    return HeldTensors(str(file), state)


def inspect_archive(file: Path) -> None:
    """Look at the table of contents of a zip. Raises ImportRefused as ``open_checkpoint`` does."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError) as error:
        raise ImportRefused(str(file), "damaged") from error
    names = [member.filename for member in members]
    if len(members) > MAX_MEMBERS:
        raise ImportRefused(str(file), "too large")
    if len(set(names)) != len(names):
        raise ImportRefused(str(file), "hostile")
    if any(name.endswith("/constants.pkl") or "/code/" in name for name in names):
        raise ImportRefused(str(file), "code inside")  # TorchScript
    # torch writes its members stored; a deflated one can be a thousand times its size
    deflated = any(member.compress_type != zipfile.ZIP_STORED for member in members)
    if deflated or sum(member.file_size for member in members) > INFLATION * file.stat().st_size:
        raise ImportRefused(str(file), "hostile")
    pickles = [member for member in members if member.filename.endswith("data.pkl")]
    if not pickles:
        raise ImportRefused(str(file), "unknown format")
    if len(pickles) > 1:
        raise ImportRefused(str(file), "hostile")
    if pickles[0].file_size > MAX_PICKLE:
        raise ImportRefused(str(file), "too large")


def _load(file: Path, zipped: bool) -> object:
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(list(STAND_INS)):
            warnings.simplefilter("ignore")  # about old forms of storages, which are fine
            return torch.load(file, map_location="cpu", weights_only=True, mmap=zipped)
    except pickle.UnpicklingError as error:
        raise ImportRefused(str(file), _refusal(str(error))) from error
    except MemoryError as error:
        raise ImportRefused(str(file), "too much memory") from error
    except Exception as error:  # whatever a broken pickle or archive provokes
        words = str(error)
        memory = "allocate memory" in words or "Cannot allocate" in words
        raise ImportRefused(str(file), "too much memory" if memory else "damaged") from error


def _refusal(words: str) -> str:
    """Which refusal torch's sentence means: it says the name of what it would not make."""
    found = _GLOBAL.search(words)
    if _BLOCKED.search(words) or (found and found[1].split(".")[0] in _RUNS_CODE):
        return "code inside"
    if found or "Unsupported operand" in words or "unrecognized function" in words:
        return "unknown objects"
    return "unknown objects" if "Can only" in words else "damaged"


def _state_dict(file: Path, loaded: object) -> dict[str, torch.Tensor]:
    """The named tensors: of the training state's ``state_dict``, of an embedding, or as they lie.

    Beside a ``state_dict`` lie numbers about the training, which are dropped; in it lie tensors.
    """
    seen: set[int] = set()
    inside = False
    while isinstance(loaded, Mapping):
        if id(loaded) in seen or len(seen) > MAX_NESTING:
            raise ImportRefused(str(file), "hostile")
        seen.add(id(loaded))
        deeper = next(
            (loaded[key] for key in ("state_dict", "string_to_param") if key in loaded), None
        )
        if deeper is None:
            break
        loaded, inside = deeper, True
    if not isinstance(loaded, Mapping):
        raise ImportRefused(str(file), "unknown format")
    state: dict[str, torch.Tensor] = {}
    for name, value in loaded.items():
        if isinstance(value, torch.Tensor) and isinstance(name, str):
            state[name] = value.detach()
        elif inside or isinstance(value, Mapping | list | tuple | set):
            raise ImportRefused(str(file), "unknown objects")
    if not state:
        raise ImportRefused(str(file), "unknown format")
    if len(state) > MAX_TENSORS:
        raise ImportRefused(str(file), "too large")
    return state


def _check_blocks(file: Path, state: Mapping[str, torch.Tensor]) -> None:
    """Nothing sparse, quantised or without data, and no view larger than what it looks at."""
    total = 0
    for tensor in state.values():
        plain = tensor.layout is torch.strided and tensor.device.type == "cpu"
        if not plain or tensor.is_quantized or tensor.is_nested:
            raise ImportRefused(str(file), "unknown objects")
        size = math.prod(tensor.shape) * tensor.element_size()
        if size > tensor.untyped_storage().nbytes() or len(tensor.shape) > 16:
            raise ImportRefused(str(file), "hostile")
        total += size
    if total > 2 * file.stat().st_size:  # many names for one block; real models share a few
        raise ImportRefused(str(file), "hostile")
