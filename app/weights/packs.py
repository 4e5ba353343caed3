"""One installed model as one file, for a Mac without a network: an ``.easelpack``.

A pack is a zip whose entries are stored, not deflated: ``easel-pack.json`` (the receipt and the
revision), ``LICENSE.txt`` where there is one, then the model's files below ``files/``. A pack from
elsewhere is believed in nothing: names, sizes and hashes are proven before it becomes a model.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from app.core.card import Acceptance, CardFile, Origin, Receipt
from app.core.errors import ImportRefused, LicenceNotAccepted, ModelDamaged, ModelError, NoSpace
from app.files.atomic_file import PART_PREFIX, PART_SUFFIX, free_bytes, world_error
from app.files.disk_names import clash
from app.files.on_disk import sync
from app.files.zip_reading import MAX_READ_BYTES, entry_opened, opened_zip
from app.weights import receipts
from app.weights.paths import LICENCE_TEXT, is_safe_name, is_safe_path

SUFFIX = ".easelpack"
SCHEMA_VERSION = 1
MANIFEST = "easel-pack.json"
FILES = "files/"

MAX_LICENCE_BYTES = 1_000_000
HEADROOM = 2**30
"""Bytes left free on the disk beyond what is unpacked."""

_CHUNK = 1 << 20
Report = Callable[[int], None]
"""Told the bytes done so far, after each MiB. Raising from it stops, and leaves nothing."""


def _silent(_done: int) -> None:
    """Nobody is told."""


@dataclass(frozen=True, slots=True)
class Pack:
    """What a pack says it holds; ``licence_text`` is "" where no licence was asked for."""

    receipt: Receipt
    revision: str
    licence_text: str


def export_pack(folder: Path, target: Path, report: Report = _silent) -> None:
    """Write the model installed in ``folder`` (``ID/REVISION``) to ``target``, whole or not at all.

    Raises ModelMissing, ModelIncomplete, ModelDamaged (a file's hash is no longer the receipt's),
    NoSpace, FolderNotWritable.
    """
    # 1. The model is whole, as far as that is cheap
    receipt = receipts.read(folder)
    receipts.check(folder, receipt)
    place = target.parent
    if free_bytes(place) < receipt.disk + HEADROOM:
        raise NoSpace(str(place), receipt.disk + HEADROOM, free_bytes(place))
    # 2. Into a hidden file beside the target, each hash proven on the way
    part = place / f"{PART_PREFIX}{os.urandom(8).hex()}{PART_SUFFIX}"
    try:
        with part.open("xb") as opened:
            with zipfile.ZipFile(opened, "w", zipfile.ZIP_STORED) as pack:
                _write_pack(pack, folder, receipt, report)
            opened.flush()
            sync(opened.fileno())
        part.replace(target)
    except OSError as error:
        raise world_error(error, place, receipt.disk) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def read_pack(file: Path) -> Pack:
    """What ``file`` says it holds, to show its licence before anything is unpacked.

    Raises ImportRefused.
    """
    with opened_zip(file) as pack:
        return _read(file, pack)[0]


def import_pack(
    file: Path,
    root: Path,
    acceptance: Acceptance | None,
    report: Report = _silent,
) -> Path:
    """Install the model in ``file`` below ``root`` and return its folder.

    ``acceptance`` is of the person at this Mac; the pack's own is of whoever exported it. Raises
    LicenceNotAccepted where it is not of the pack's licence, ImportRefused, NoSpace,
    FolderNotWritable. A model that is there already is replaced when all is proven.
    """
    with opened_zip(file) as zipped:
        # 1. What it says it holds, and that the person may have it
        pack, entries = _read(file, zipped)
        had = pack.receipt.acceptance
        if had is not None and (acceptance is None or acceptance.sha256 != had.sha256):
            raise LicenceNotAccepted(had.licence, had.sha256)
        if free_bytes(root) < pack.receipt.disk + HEADROOM:
            raise NoSpace(str(root), pack.receipt.disk + HEADROOM, free_bytes(root))
        # 2. Unpack where nothing looks for models, each hash proven on the way
        staging = root / f"{receipts.STAGING_PREFIX}{os.urandom(8).hex()}"
        try:
            staging.mkdir(parents=True)
            done = 0
            for row in pack.receipt.files:
                done = _unpack(file, zipped, entries[FILES + row.path], row, staging, done, report)
            # 3. The receipt last, and then its place
            receipt = replace(
                pack.receipt,
                origin=Origin.PACK,
                acceptance=acceptance if had is not None else None,
                installed=datetime.now(UTC).isoformat(timespec="seconds"),
            )
            receipts.write(staging, receipt, pack.licence_text)
            folder = receipts.folder_of(root, receipt.id, pack.revision)
            return receipts.move_in(staging, folder)
        except OSError as error:
            raise world_error(error, root, pack.receipt.disk) from error
        except ModelError as error:  # the disk lost what was written a moment ago
            raise ImportRefused(str(file), "damaged") from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)


# --- writing --------------------------------------------------------------------------------


def _write_pack(pack: zipfile.ZipFile, folder: Path, receipt: Receipt, report: Report) -> None:
    head = {
        "schema_version": SCHEMA_VERSION,
        "revision": folder.name,
        "receipt": receipts.to_data(receipt),
    }
    pack.writestr(zipfile.ZipInfo(MANIFEST), json.dumps(head, indent=1, sort_keys=True))
    if receipt.acceptance is not None:
        text = (folder / LICENCE_TEXT).read_bytes()
        if hashlib.sha256(text).hexdigest() != receipt.acceptance.sha256:
            raise ModelDamaged(str(folder / LICENCE_TEXT), "mismatch")
        pack.writestr(zipfile.ZipInfo(LICENCE_TEXT), text)
    done = 0
    for row in receipt.files:
        entry = zipfile.ZipInfo(FILES + row.path)
        entry.file_size = row.bytes
        with (folder / row.path).open("rb") as source, pack.open(entry, "w") as into:
            size, sha256 = _copy(source, into, done, report)
        if (size, sha256) != (row.bytes, row.sha256):
            raise ModelDamaged(str(folder / row.path), "mismatch")
        done += size


def _copy(source: IO[bytes], into: IO[bytes], done: int, report: Report) -> tuple[int, str]:
    """The bytes copied, and their SHA-256; ``done`` is what was done before."""
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
        into.write(chunk)
        size += len(chunk)
        report(done + size)
    return size, digest.hexdigest()


# --- reading --------------------------------------------------------------------------------


def _read(file: Path, zipped: zipfile.ZipFile) -> tuple[Pack, dict[str, zipfile.ZipInfo]]:
    # 1. The entries are plain files with names that stay inside
    entries = _entries(file, zipped)
    # 2. The manifest, and the licence that it was installed under
    pack = _pack(file, zipped, entries)
    # 3. They are the files of the receipt, no more, no less, and of its sizes
    wanted = {FILES + row.path: row.bytes for row in pack.receipt.files}
    found = {name: entry.file_size for name, entry in entries.items() if name.startswith(FILES)}
    if wanted != found:
        raise ImportRefused(str(file), "damaged")
    return pack, entries


def _entries(file: Path, zipped: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    listed = zipped.infolist()
    if len(listed) > receipts.MAX_FILES + 2:
        raise ImportRefused(str(file), "too large")
    for entry in listed:
        if entry.filename != entry.orig_filename or not _is_name(entry.filename):
            raise ImportRefused(str(file), "unsafe names")
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG) or entry.flag_bits & 0x1:  # a link; encrypted
            raise ImportRefused(str(file), "hostile")
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
            raise ImportRefused(str(file), "hostile")
    if clash(entry.filename for entry in listed):
        raise ImportRefused(str(file), "unsafe names")
    # Entries that lie over each other hold more together than the file does
    if sum(entry.file_size for entry in listed) > file.stat().st_size:
        raise ImportRefused(str(file), "hostile")
    return {entry.filename: entry for entry in listed}


def _is_name(name: str) -> bool:
    if name in (MANIFEST, LICENCE_TEXT):
        return True
    return name.startswith(FILES) and is_safe_path(name.removeprefix(FILES))


def _pack(file: Path, zipped: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo]) -> Pack:
    if MANIFEST not in entries:
        raise ImportRefused(str(file), "unknown format")
    try:
        data = json.loads(_small(file, zipped, entries[MANIFEST], MAX_READ_BYTES))
        if not isinstance(data, dict) or set(data) != {"schema_version", "revision", "receipt"}:
            raise ValueError("not a manifest")
        if data["schema_version"] != SCHEMA_VERSION or not isinstance(data["revision"], str):
            raise ValueError("not a version or a revision")
        if not is_safe_name(data["revision"]):
            raise ValueError("no name of a folder")
        receipt = receipts.from_data(data["receipt"])
        text = ""
        if receipt.acceptance is not None:
            licence = _small(file, zipped, entries[LICENCE_TEXT], MAX_LICENCE_BYTES)
            if hashlib.sha256(licence).hexdigest() != receipt.acceptance.sha256:
                raise ImportRefused(str(file), "checksum")
            text = licence.decode("utf-8")
        elif LICENCE_TEXT in entries:
            raise ValueError("a licence that nobody accepted")
    except (ValueError, KeyError, RecursionError) as error:
        raise ImportRefused(str(file), "damaged") from error
    return Pack(receipt, data["revision"], text)


def _small(file: Path, zipped: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    if entry.file_size > most:
        raise ImportRefused(str(file), "too large")
    with entry_opened(zipped, entry) as opened:
        return opened.read(most)


def _unpack(
    file: Path,
    zipped: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    row: CardFile,
    staging: Path,
    done: int,
    report: Report,
) -> int:
    """Write one file of the model, proven and on the disk; the bytes done by then."""
    target = staging / row.path
    target.parent.mkdir(parents=True, exist_ok=True)
    with entry_opened(zipped, entry) as source, target.open("xb") as into:
        size, sha256 = _copy(source, into, done, report)
        into.flush()
        sync(into.fileno())
    if (size, sha256) != (row.bytes, row.sha256):
        raise ImportRefused(str(file), "checksum")
    return done + size
