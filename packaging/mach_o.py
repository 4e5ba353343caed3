"""Reads what a Mach-O file asks of a Mac, and its signature.

Load commands and symbols are read by LIEF (structures: Apple's ``mach-o/loader.h``, ``nlist.h``),
the signature here (structures and constants: XNU's ``osfmk/kern/cs_blobs.h``).
"""

from __future__ import annotations

import hashlib
import plistlib
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import lief

Version = tuple[int, ...]

MAGIC = {b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"}
_JAVA = 45
"""The least version of a Java class file, whose magic is that of a fat Mach-O: no file has as
many slices."""
_WEAK_REFERENCE = 0x40
_OF_THE_SYSTEM = ("/usr/lib/", "/System/Library/", "@rpath/", "@loader_path/", "@executable_path/")

LATE: Mapping[str, Version] = {
    "__ZNSt3__117bad_function_callD": (15, 4),
    "__ZNKSt3__117bad_function_call4what": (15, 4),
    "__ZTINSt3__117bad_function_callE": (15, 4),
    "__ZTVNSt3__117bad_function_callE": (15, 4),
    "__ZNSt3__119__is_posix_terminal": (15, 0),
    "__ZNSt3__118__get_ostream_file": (15, 0),
    "___cxa_init_primary_exception": (15, 0),
    "__ZNSt3__113__hash_memory": (26, 0),
    "_os_sync_wait_on_address": (14, 4),
    "_os_sync_wake_by_address": (14, 4),
    "_strchrnul": (15, 4),
}
"""Beginnings of names that the system's libraries export since that macOS (libc++'s
``__configuration/availability.h``; the SDK's headers). Not whole: it has what toolchains of 2024
and later put into a program of themselves."""

_BINDING = re.compile(r"(Qt\w+\.abi3\.so|Shiboken\.abi3\.so|lib(pyside6\w*|shiboken6)\..*\.dylib)")
_BINDINGS_SAY = (15, 0)


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one slice: the least macOS it names, what it needs that is later, and foreign libraries.

    ``late_symbols`` has each with the macOS that brought it; weak ones, that may be absent, are
    not in it. ``foreign`` are paths of libraries that are neither the system's nor the bundle's.
    """

    minimum: Version
    late_symbols: Mapping[str, Version]
    foreign: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """Of one slice. ``intact``: each page of the file is the one that was signed.

    ``identities`` are its cdhashes, 20 bytes each, by which the bundle's list names the file.
    ``seals`` has the digests of what lies beside it, by special slot and name of the algorithm.
    """

    hardened: bool
    entitlements: Mapping[str, object]
    intact: bool
    identities: frozenset[bytes]
    seals: Mapping[tuple[int, str], bytes]

    INFO_PLIST = 1
    RESOURCES = 3

    def covers(self, slot: int, data: bytes) -> bool:
        """Whether ``data`` is what the slot was signed with."""
        digests = [
            (name, digest) for (number, name), digest in self.seals.items() if number == slot
        ]
        return bool(digests) and all(
            hashlib.new(name, data).digest()[: len(digest)] == digest for name, digest in digests
        )


def version(text: str) -> Version:
    """``"14.0"`` as (14, 0)."""
    return tuple(int(part) for part in text.split("."))


def is_mach_o(file: Path) -> bool:
    """Whether ``file`` begins as a Mach-O does, thin or fat."""
    with file.open("rb") as opened:
        start = opened.read(8)
    if len(start) < 8 or start[:4] not in MAGIC:
        return False
    return start[:3] != b"\xca\xfe\xba" or int.from_bytes(start[4:], "big") < _JAVA


def slices(file: Path) -> Mapping[str, Facts]:
    """What each slice asks, by its processor: ``arm64``, ``x86_64``. Raises ValueError."""
    return {_processor(binary): _facts(binary) for binary in _binaries(file)}


def allowed_later(name: str, facts: Facts) -> bool:
    """Whether a file may name a later macOS than the floor, since it needs nothing of it.

    That is so for the bindings of PySide6 6.11, which are built for 15.0 beside a Qt for 13.0.
    """
    return (
        _BINDING.fullmatch(name) is not None
        and facts.minimum <= _BINDINGS_SAY
        and not facts.late_symbols
    )


def is_late(symbol: str, floor: Version) -> Version | None:
    """The macOS that brought ``symbol``, where that is later than ``floor``."""
    for start, since in LATE.items():
        if symbol.startswith(start) and since > floor:
            return since
    return None


def signatures(file: Path) -> Mapping[str, Signature | None]:
    """The signature embedded in each slice, by its processor; None for a slice without one."""
    data = file.read_bytes()
    found: dict[str, Signature | None] = {}
    for binary in _binaries(file):
        command = binary.code_signature
        if command is None:
            found[_processor(binary)] = None
            continue
        code = data[binary.fat_offset :]
        blob = code[command.data_offset : command.data_offset + command.data_size]
        found[_processor(binary)] = _signature(code, blob)
    return found


def signature(file: Path) -> Signature | None:
    """The signature of the arm64 slice; None where there is none."""
    return signatures(file).get("arm64")


# --- load commands and symbols --------------------------------------------------------------


def _binaries(file: Path) -> Iterator[lief.MachO.Binary]:
    settings = lief.MachO.ParserConfig()
    settings.parse_dyld_bindings = False
    settings.parse_dyld_exports = False
    settings.parse_dyld_rebases = False
    read = lief.MachO.parse(str(file), settings)
    if read is None:
        raise ValueError(f"{file} is no Mach-O that can be read")
    # The list owns its binaries, so it has to live as long as they are looked at.
    yield from (read.at(index) for index in range(len(read)))


def _processor(binary: lief.MachO.Binary) -> str:
    return str(binary.header.cpu_type.name).lower()


def _facts(binary: lief.MachO.Binary) -> Facts:
    command = lief.MachO.LoadCommand.TYPE
    wanted = (command.LOAD_DYLIB, command.REEXPORT_DYLIB)
    foreign = [
        str(library.name)
        for library in binary.libraries
        if library.command in wanted and not str(library.name).startswith(_OF_THE_SYSTEM)
    ]
    late: dict[str, Version] = {}
    for symbol in binary.imported_symbols:
        since = is_late(str(symbol.name), (0,))
        if since is not None and not symbol.description & _WEAK_REFERENCE:
            late[str(symbol.name)] = since
    return Facts(_minimum(binary), late, tuple(foreign))


def _minimum(binary: lief.MachO.Binary) -> Version:
    if binary.build_version is not None:
        named = binary.build_version.minos
    elif binary.version_min is not None:
        named = binary.version_min.version
    else:
        return (0, 0)
    return tuple(named[:2]) if not named[2] else tuple(named)


# --- the signature --------------------------------------------------------------------------

_SUPERBLOB = 0xFADE0CC0
_CODE_DIRECTORY = 0xFADE0C02
_ENTITLEMENTS = 0xFADE7171
_RUNTIME = 0x10000
_ALGORITHMS = {1: "sha1", 2: "sha256", 3: "sha256", 4: "sha384"}
_CDHASH = 20


def _signature(code: bytes, superblob: bytes) -> Signature | None:
    magic, _length, count = struct.unpack_from(">III", superblob)
    if magic != _SUPERBLOB:
        return None
    directories: list[bytes] = []
    entitlements: Mapping[str, object] = {}
    for index in range(count):
        (offset,) = struct.unpack_from(">I", superblob, 12 + 8 * index + 4)
        magic, length = struct.unpack_from(">II", superblob, offset)
        blob = superblob[offset : offset + length]
        if magic == _CODE_DIRECTORY:
            directories.append(blob)
        elif magic == _ENTITLEMENTS:
            entitlements = plistlib.loads(blob[8:])
    if not directories:
        return None
    seals: dict[tuple[int, str], bytes] = {}
    for directory in directories:
        seals |= _special_slots(directory)
    return Signature(
        hardened=all(struct.unpack_from(">I", each, 12)[0] & _RUNTIME for each in directories),
        entitlements=entitlements,
        intact=all(_pages_are_as_signed(each, code) for each in directories),
        identities=frozenset(
            hashlib.new(_algorithm(each), each).digest()[:_CDHASH] for each in directories
        ),
        seals=seals,
    )


def _algorithm(directory: bytes) -> str:
    return _ALGORITHMS[directory[37]]


def _pages_are_as_signed(directory: bytes, code: bytes) -> bool:
    """A code directory has a digest of each page of the file up to the signature."""
    start, _identity, _special, pages, limit = struct.unpack_from(">5I", directory, 16)
    size, algorithm, page = directory[36], _algorithm(directory), 1 << directory[39]
    for number in range(pages):
        part = code[number * page : min((number + 1) * page, limit)]
        at = start + number * size
        if hashlib.new(algorithm, part).digest()[:size] != directory[at : at + size]:
            return False
    return pages * page >= limit


def _special_slots(directory: bytes) -> dict[tuple[int, str], bytes]:
    """Digests of Info.plist, the list of resources and so on: before the pages', backwards."""
    start, _identity, special = struct.unpack_from(">3I", directory, 16)
    size, algorithm = directory[36], _algorithm(directory)
    digests = {}
    for slot in range(1, special + 1):
        digest = directory[start - slot * size : start - (slot - 1) * size]
        if any(digest):
            digests[slot, algorithm] = digest
    return digests
