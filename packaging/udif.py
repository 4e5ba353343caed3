"""Writes a compressed disk image (UDIF, kind UDZO) around a volume.

The format is Apple's and undocumented; this follows J. Mabillard's "Demystifying the DMG File
Format" (2013): chunks of zlib, a property list with a table of them, a trailer called ``koly``.
"""

from __future__ import annotations

import plistlib
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

_SECTOR = 512
_CHUNK = 512
"""Sectors that are compressed together: 256 KiB, as hdiutil has it."""
_ZLIB, _ZEROS, _END = 0x80000005, 0x00000002, 0xFFFFFFFF
_CRC32 = (2, 32)


def write(volume: Path, image: Path) -> None:
    """Make ``image`` from the bytes of ``volume``, a whole number of 512-byte sectors."""
    with volume.open("rb") as source, image.open("wb") as target:
        runs, sectors, checksum = _write_chunks(source, target)
        length = target.tell()
        table = _table(runs, sectors, checksum)
        listing = plistlib.dumps({"resource-fork": {"blkx": [_resource(table)], "plst": []}})
        target.write(listing)
    data = zlib.crc32(image.read_bytes()[:length])
    master = zlib.crc32(struct.pack(">I", checksum))
    with image.open("ab") as target:
        target.write(_trailer(length, len(listing), sectors, data, master))


def _write_chunks(source: BinaryIO, target: BinaryIO) -> tuple[list[bytes], int, int]:
    """The runs of the table, the number of sectors, and the CRC-32 of all of them."""
    runs: list[bytes] = []
    sector, checksum = 0, 0
    while part := source.read(_CHUNK * _SECTOR):
        count, short = divmod(len(part), _SECTOR)
        if short:
            raise ValueError("a volume is a whole number of sectors")
        checksum = zlib.crc32(part, checksum)
        at = target.tell()
        if any(part):
            size = target.write(zlib.compress(part, 9))
            runs.append(struct.pack(">IIQQQQ", _ZLIB, 0, sector, count, at, size))
        else:
            runs.append(struct.pack(">IIQQQQ", _ZEROS, 0, sector, count, at, 0))
        sector += count
    runs.append(struct.pack(">IIQQQQ", _END, 0, sector, 0, target.tell(), 0))
    return runs, sector, checksum


def _table(runs: list[bytes], sectors: int, checksum: int) -> bytes:
    head = struct.pack(">4sIQQQII24x", b"mish", 1, 0, sectors, 0, _CHUNK + 8, 0)
    return head + _checksum(checksum) + struct.pack(">I", len(runs)) + b"".join(runs)


def _resource(table: bytes) -> dict[str, object]:
    name = "whole disk (Apple_HFS : 0)"
    return {"Attributes": "0x0050", "CFName": name, "Data": table, "ID": "0", "Name": name}


def _trailer(length: int, listing: int, sectors: int, data: int, master: int) -> bytes:
    whole = struct.pack(">4sIIIQQQQQII16x", b"koly", 4, 512, 1, 0, 0, length, 0, 0, 1, 1)
    whole += _checksum(data) + struct.pack(">QQ120x", length, listing)
    return whole + _checksum(master) + struct.pack(">IQ12x", 1, sectors)


def _checksum(crc: int) -> bytes:
    return struct.pack(">III124x", *_CRC32, crc)
