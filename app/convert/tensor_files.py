"""Foreign weights as names, shapes and, one at a time, tensors; written out as safetensors."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from app.core.errors import ImportRefused, ModelDamaged
from app.files import on_disk
from app.files.safetensors_header import read_header

_WORDS = {"not safetensors": "unknown format", "not JSON": "damaged", "truncated": "damaged"}


class Tensors(Protocol):
    """The tensors of one file. ``read`` may take from disk; what it gives is the caller's.

    ``told`` is what its header says beside them and is worth keeping.
    """

    @property
    def file(self) -> str: ...

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]: ...

    @property
    def told(self) -> Mapping[str, str]: ...

    def read(self, name: str) -> torch.Tensor: ...


_KEPT = ("lora_adapter_metadata",)
"""Of a foreign header: how diffusers says that a LoRA was made. It is read as JSON data only."""


@dataclass(frozen=True, slots=True)
class HeldTensors:
    """Tensors that a pickle gave, all of them already checked."""

    file: str
    held: Mapping[str, torch.Tensor]

    @property
    def told(self) -> Mapping[str, str]:
        return {}

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {name: tuple(tensor.shape) for name, tensor in self.held.items()}

    def read(self, name: str) -> torch.Tensor:
        return self.held[name].clone()  # pickled names may share one block of numbers


@dataclass(frozen=True, slots=True)
class MappedTensors:
    """Tensors of a .safetensors file whose header has been checked, mapped from disk."""

    file: str
    shapes: Mapping[str, tuple[int, ...]]
    opened: Any

    @property
    def told(self) -> Mapping[str, str]:
        found = self.opened.metadata() or {}
        return {key: found[key] for key in _KEPT if key in found}

    def read(self, name: str) -> torch.Tensor:
        tensor: torch.Tensor = self.opened.get_tensor(name)
        return tensor


@contextmanager
def open_safetensors(file: Path) -> Iterator[MappedTensors]:
    """The tensors of ``file``. Raises ImportRefused: "unknown format", "damaged"."""
    try:
        header = read_header(file)
    except ModelDamaged as error:
        raise ImportRefused(str(file), _WORDS.get(error.reason, "damaged")) from error
    try:
        opened = safe_open(str(file), framework="pt", device="cpu")
    except (SafetensorError, ValueError) as error:
        raise ImportRefused(str(file), "damaged") from error
    with opened:
        yield MappedTensors(str(file), header.shapes, opened)


def read_number(tensors: Tensors, name: str, dtype: torch.dtype | None) -> torch.Tensor:
    """The floating-point tensor ``name``, as ``dtype`` (None: as it is), every value finite.

    Raises ImportRefused: "unknown format" (a quantised weight), "not finite".
    """
    tensor = tensors.read(name)
    if not tensor.is_floating_point():
        raise ImportRefused(tensors.file, "unknown format")
    if dtype is not None:
        tensor = tensor.to(dtype)  # what is too large for fp16 becomes infinite, and is found here
    wide = tensor if tensor.element_size() > 1 else tensor.to(torch.float32)
    if not bool(torch.isfinite(wide).all()):
        raise ImportRefused(tensors.file, "not finite")
    return tensor.contiguous()


def write_tensors(
    held: dict[str, torch.Tensor], file: Path, told: Mapping[str, str] | None = None
) -> None:
    """Write ``held`` to the new ``file`` and wait until the disk has it. Raises OSError.

    ``told`` goes into its header.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        save_file(held, file, metadata={"format": "pt", **(told or {})})
    except SafetensorError as error:  # the library's own word for a full or read-only disk
        raise _system_error(error) from error
    sync(file)


def write_json(data: Mapping[str, object], file: Path) -> None:
    """Write ``data`` to the new ``file`` and wait until the disk has it. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(data, indent=2) + "\n", "utf-8")
    sync(file)


def sync(file: Path) -> None:
    with file.open("rb+") as stream:
        on_disk.sync(stream.fileno())


def _system_error(error: SafetensorError) -> Exception:
    """safetensors wraps what the system said in words: "... (os error 28)"."""
    _, found, tail = str(error).partition("os error ")
    number = tail.partition(")")[0]
    if not found or not number.isdigit():
        return error
    return OSError(int(number), os.strerror(int(number)))
