"""Reads and checks the header of a .safetensors file without reading a weight of it.

Format: 8 bytes little-endian header length, that many bytes of JSON, then the tensors' bytes
(https://github.com/huggingface/safetensors#format). The limits keep a hostile header from eating
memory or time: real models have a few thousand tensors and some hundred kilobytes of header.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.errors import ModelDamaged

MAX_HEADER = 4 * 1024 * 1024
MAX_TENSORS = 20_000

_ITEM_BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2", "F8_E8M0"), 8),
}


@dataclass(frozen=True, slots=True)
class Header:
    """What a weight file holds: ``dtype`` is that of most of its bytes ("F16", "F32", ...)."""

    file: Path
    dtype: str
    data_bytes: int
    shapes: dict[str, tuple[int, ...]]


def read_header(file: Path) -> Header:
    """The checked header of ``file``.

    Raises ModelDamaged: "not safetensors" (no such format, or over the limits), "truncated" (ends
    before its tensors do), "not JSON", "mismatch" (offsets or shapes that contradict each other).
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if size < 10 or not 2 <= length <= MAX_HEADER:
            raise ModelDamaged(str(file), "not safetensors")
        if length > size - 8:
            raise ModelDamaged(str(file), "truncated")
        text = stream.read(length)
    if text[:1] != b"{":
        raise ModelDamaged(str(file), "not safetensors")
    try:
        entries = json.loads(text, object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as error:
        raise ModelDamaged(str(file), "not JSON") from error
    entries.pop("__metadata__", None)
    return _checked(file, entries, size - 8 - length)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers may each take another one of two entries with the same name."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _checked(file: Path, entries: dict[str, Any], room: int) -> Header:
    if not 1 <= len(entries) <= MAX_TENSORS:
        raise ModelDamaged(str(file), "not safetensors")
    shapes: dict[str, tuple[int, ...]] = {}
    extents: list[tuple[int, int]] = []
    dtypes: Counter[str] = Counter()
    for name, entry in entries.items():
        try:
            begin, end = entry["data_offsets"]
            shape = tuple(entry["shape"])
            bits = _ITEM_BITS[entry["dtype"]]
            whole = all(type(n) is int and 0 <= n < 2**63 for n in (begin, end, *shape))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelDamaged(str(file), "mismatch") from error
        if not whole or len(shape) > 16 or (end - begin) * 8 != math.prod(shape) * bits:
            raise ModelDamaged(str(file), "mismatch")
        shapes[name] = shape
        extents.append((begin, end))
        dtypes[entry["dtype"]] += end - begin
    _check_extents(file, extents, room)
    return Header(file, dtypes.most_common(1)[0][0], room, shapes)


def _check_extents(file: Path, extents: list[tuple[int, int]], room: int) -> None:
    """The tensors lie one after the other and fill the file exactly."""
    at = 0
    for begin, end in sorted(extents):
        if begin != at:
            raise ModelDamaged(str(file), "mismatch")
        at = end
    if at > room:
        raise ModelDamaged(str(file), "truncated")
    if at < room:
        raise ModelDamaged(str(file), "mismatch")
