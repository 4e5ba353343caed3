"""Writes a small Mach-O file for arm64, for bundles that are signed and read but never started.

Structures and constants: Apple's ``mach-o/loader.h`` and ``mach-o/nlist.h``.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

_PAGE = 0x4000
_CPU_ARM64, _CPU_X86_64 = 0x0100000C, 0x01000007
_EXECUTE, _DYLIB = 2, 6
_FLAGS = 0x85  # NOUNDEFS, DYLDLINK, TWOLEVEL
_SEGMENT_64, _SYMTAB, _DYSYMTAB, _LOAD_DYLIB, _ID_DYLIB = 0x19, 0x02, 0x0B, 0x0C, 0x0D
_MAIN, _BUILD_VERSION = 0x80000028, 0x32
_MACOS = 1
_UNDEFINED_EXTERNAL = 0x01
_WEAK_REFERENCE = 0x40
SYSTEM = "/usr/lib/libSystem.B.dylib"


def mach_o(
    minimum: tuple[int, int] = (14, 0),
    *,
    install_name: str | None = None,
    libraries: Sequence[str] = (SYSTEM,),
    imports: Sequence[str] = (),
    weak_imports: Sequence[str] = (),
    intel: bool = False,
) -> bytes:
    """A program, or with ``install_name`` a library, for macOS ``minimum`` and later.

    It loads ``libraries`` and takes ``imports`` from the first of them. Unsigned.
    """
    names = [(name, 0) for name in imports] + [(name, _WEAK_REFERENCE) for name in weak_imports]
    strings, symbols = b"\0", b""
    for name, weak in names:
        symbols += struct.pack("<IBBHQ", len(strings), _UNDEFINED_EXTERNAL, 0, 0x0100 | weak, 0)
        strings += name.encode() + b"\0"
    strings += b"\0" * (-len(strings) % 8)

    commands = [
        _text(0x100000000),
        _segment(b"__LINKEDIT", 0x100000000 + _PAGE, _PAGE, _PAGE, len(symbols + strings), 1),
        struct.pack("<6I", _SYMTAB, 24, _PAGE, len(names), _PAGE + len(symbols), len(strings)),
        struct.pack("<20I", _DYSYMTAB, 80, 0, 0, 0, 0, 0, len(names), *(12 * (0,))),
        struct.pack("<6I", _BUILD_VERSION, 24, _MACOS, _packed(minimum), _packed(minimum), 0),
    ]
    if install_name is None:
        commands.insert(0, _segment(b"__PAGEZERO", 0, 0x100000000, 0, 0, 0))
        commands.append(struct.pack("<IIQQ", _MAIN, 24, _PAGE - 4, 0))
    else:
        commands.append(_library(_ID_DYLIB, install_name))
    commands += [_library(_LOAD_DYLIB, name) for name in libraries]

    body = b"".join(commands)
    kind = _EXECUTE if install_name is None else _DYLIB
    processor, variety = (_CPU_X86_64, 3) if intel else (_CPU_ARM64, 0)
    header = struct.pack(
        "<8I", 0xFEEDFACF, processor, variety, kind, len(commands), len(body), _FLAGS, 0
    )
    text = (header + body).ljust(_PAGE - 4, b"\0") + b"\xc0\x03\x5f\xd6"  # ret
    return text + symbols + strings


def _segment(name: bytes, address: int, size: int, offset: int, length: int, may: int) -> bytes:
    return struct.pack(
        "<II16sQQQQIIII", _SEGMENT_64, 72, name, address, size, offset, length, may, may, 0, 0
    )


def _text(address: int) -> bytes:
    """The segment of the code, with one section: the last instruction of its page."""
    segment = bytearray(_segment(b"__TEXT", address, _PAGE, 0, _PAGE, 5))
    struct.pack_into("<I", segment, 4, 72 + 80)
    struct.pack_into("<I", segment, 64, 1)
    at = _PAGE - 4
    section = (b"__text", b"__TEXT", address + at, 4, at, 2, 0, 0, 0x80000400, 0, 0, 0)
    return bytes(segment) + struct.pack("<16s16sQQ8I", *section)


def _library(command: int, name: str) -> bytes:
    text = name.encode() + b"\0"
    text += b"\0" * (-len(text) % 8)
    return struct.pack("<6I", command, 24 + len(text), 24, 2, 0x10000, 0x10000) + text


def _packed(version: tuple[int, int]) -> int:
    return version[0] << 16 | version[1] << 8
