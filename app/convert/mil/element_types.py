"""The element types of MIL: their numbers in the protobuf and in weight files, and torch's dtypes.

Sources: ``MIL.proto`` (DataType) and ``MILBlob/Blob/BlobDataType.hpp`` of coremltools 9.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class ElementType:
    """``bits`` an element takes in a file; ``torch`` what it becomes in memory (whole bytes).

    ``proto`` is its number in a program, ``blob`` its number in a weight file; None where it
    cannot be in one.
    """

    name: str
    proto: int
    blob: int | None
    bits: int
    torch: torch.dtype

    @property
    def packed(self) -> bool:
        """Whether several elements share a byte."""
        return self.bits < 8

    @property
    def signed(self) -> bool:
        return not self.name.startswith("uint")


_ELEMENT_TYPES = (
    ElementType("bool", 1, None, 8, torch.bool),
    ElementType("float16", 10, 1, 16, torch.float16),
    ElementType("float32", 11, 2, 32, torch.float32),
    ElementType("float64", 12, None, 64, torch.float64),
    ElementType("bfloat16", 13, 5, 16, torch.bfloat16),
    ElementType("int8", 21, 4, 8, torch.int8),
    ElementType("int16", 22, 6, 16, torch.int16),
    ElementType("int32", 23, 14, 32, torch.int32),
    ElementType("int64", 24, None, 64, torch.int64),
    ElementType("int4", 25, 8, 4, torch.int8),
    ElementType("uint8", 31, 3, 8, torch.uint8),
    ElementType("uint16", 32, 7, 16, torch.uint16),
    ElementType("uint32", 33, 15, 32, torch.uint32),
    ElementType("uint64", 34, None, 64, torch.uint64),
    ElementType("uint4", 35, 11, 4, torch.uint8),
    ElementType("uint2", 36, 10, 2, torch.uint8),
    ElementType("uint1", 37, 9, 1, torch.uint8),
    ElementType("uint6", 38, 13, 6, torch.uint8),
    ElementType("uint3", 39, 12, 3, torch.uint8),
)

BY_NAME: Mapping[str, ElementType] = {one.name: one for one in _ELEMENT_TYPES}
BY_PROTO: Mapping[int, ElementType] = {one.proto: one for one in _ELEMENT_TYPES}

STRING = 2
"""The number of strings in a program; they are never in tensors that are computed with."""
