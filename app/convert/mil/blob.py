"""Reads weight files ("MIL blob storage", version 2), mapped into memory.

Layout (``MILBlob/Blob/StorageFormat.hpp`` of coremltools 9), all numbers little-endian::

    header     64 bytes: uint32 count, uint32 version (2), reserved
    metadata   64 bytes: uint32 0xDEADBEEF, uint32 type, uint64 bytes, uint64 offset of the data,
               uint64 unused bits at the end of the data (types of less than a byte), reserved
    data       at ``offset``

Metadata and data begin at multiples of 64; a program names a constant by its metadata's offset.
"""

from __future__ import annotations

import math
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from app.convert.mil.bits import as_signed, packed_size, unpack
from app.convert.mil.element_types import ElementType
from app.core.errors import ModelDamaged, ModelIncomplete

ALIGNMENT = 64
_VERSION = 2
_SENTINEL = 0xDEADBEEF
_HEADER = struct.Struct("<II56x")
_METADATA = struct.Struct("<IIQQQ32x")


@dataclass(frozen=True, slots=True)
class Stored:
    """One checked constant of a weight file."""

    file: WeightFile
    element: ElementType
    shape: tuple[int, ...]
    start: int

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    def read(self) -> torch.Tensor:
        """Its numbers: a view of the mapped file, or unpacked where elements share bytes."""
        return self.file.tensor(self.element, self.shape, self.start)


class WeightFile:
    """A weight file, mapped copy-on-write: nobody can change it through what is read."""

    def __init__(self, path: Path) -> None:
        """Raises ModelIncomplete (no such file), ModelDamaged ("truncated", "mismatch")."""
        self._path = path
        try:
            with path.open("rb") as stream:
                self._size = path.stat().st_size
                if self._size < _HEADER.size:
                    raise ModelDamaged(str(path), "truncated")
                self._map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY)
        except (FileNotFoundError, IsADirectoryError) as error:
            raise ModelIncomplete(str(path.parent), (path.name,)) from error
        _, version = _HEADER.unpack_from(self._map)
        if version != _VERSION:
            raise ModelDamaged(str(path), "mismatch")

    def find(self, offset: int, element: ElementType, shape: tuple[int, ...]) -> Stored:
        """The constant whose metadata is at ``offset``, which a program says is of this type.

        Raises ModelDamaged: "truncated" (past the end of the file), "mismatch".
        """
        # 1. The metadata is where the program says
        if offset % ALIGNMENT or offset < _HEADER.size:
            raise ModelDamaged(str(self._path), "mismatch")
        if offset + _METADATA.size > self._size:
            raise ModelDamaged(str(self._path), "truncated")
        sentinel, kind, size, start, unused = _METADATA.unpack_from(self._map, offset)
        if sentinel != _SENTINEL or kind != element.blob or start % ALIGNMENT:
            raise ModelDamaged(str(self._path), "mismatch")
        # 2. and speaks of as many elements as the program does
        count = math.prod(shape)
        if size != packed_size(element.bits, count):
            raise ModelDamaged(str(self._path), "mismatch")
        if element.packed and unused != size * 8 - count * element.bits:
            raise ModelDamaged(str(self._path), "mismatch")
        # 3. which are all there
        if start < offset + _METADATA.size:
            raise ModelDamaged(str(self._path), "mismatch")
        if start + size > self._size:
            raise ModelDamaged(str(self._path), "truncated")
        return Stored(self, element, shape, start)

    def tensor(self, element: ElementType, shape: tuple[int, ...], start: int) -> torch.Tensor:
        """The numbers at ``start``, as ``find`` has checked them."""
        count = math.prod(shape)
        if count == 0:
            return torch.empty(shape, dtype=element.torch)
        if not element.packed:
            flat = torch.frombuffer(self._map, dtype=element.torch, count=count, offset=start)
            return flat.reshape(shape)
        size = packed_size(element.bits, count)
        packed = np.frombuffer(self._map, np.uint8, size, start)
        return unpacked(packed, element, shape)


def unpacked(
    packed: np.ndarray[tuple[int], np.dtype[np.uint8]], element: ElementType, shape: tuple[int, ...]
) -> torch.Tensor:
    """Elements of less than a byte, one a byte (uint8, or int8 where signed)."""
    values = unpack(packed, element.bits, math.prod(shape))
    if element.signed:
        return torch.from_numpy(as_signed(values, element.bits)).reshape(shape)
    return torch.from_numpy(values).reshape(shape)
