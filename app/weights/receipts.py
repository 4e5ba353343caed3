"""The receipt: the one file that makes a folder a model, written last and removed first.

A model lies in ``installed/ID/REVISION/`` with its receipt and the text of its licence beside the
weights. Standard library only: the window's process reads receipts at start.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.core.card import CardFile, Kind, Origin, Receipt
from app.core.errors import (
    ModelDamaged,
    ModelError,
    ModelIncomplete,
    ModelMissing,
    ModelUnsupported,
)
from app.core.model import Family
from app.files.atomic_file import STALE_AFTER_S, world_error, write_over
from app.files.disk_names import clash
from app.files.on_disk import sync_folder, sync_names
from app.weights.licences import acceptance_from, check_moment
from app.weights.paths import LICENCE_TEXT, RECEIPT, is_safe_name, is_safe_path

SCHEMA_VERSION = 1
MAX_BYTES = 8_000_000
MAX_FILES = 20_000
REMOVED_PREFIX = ".removed-"
STAGING_PREFIX = ".staging-"
"""Hidden folders of ``installed``: on their way out and on their way in."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEYS = frozenset(field for field in Receipt.__dataclass_fields__) | {"schema_version"}
_FILE_KEYS = frozenset(field for field in CardFile.__dataclass_fields__)
_MAX_TEXT = 500


@dataclass(frozen=True, slots=True)
class Installed:
    """A model's folder (absolute where ``installed`` was) and its receipt."""

    folder: Path
    receipt: Receipt


def folder_of(root: Path, id: str, revision: str) -> Path:
    """Where a model is installed below ``root``. Raises ValueError for names that are not safe."""
    if not is_safe_name(id) or not is_safe_name(revision):
        raise ValueError(f"not the name of a folder: {id!r}, {revision!r}")
    return root / id / revision


def write(folder: Path, receipt: Receipt, licence_text: str = "") -> None:
    """Make ``folder`` a model: the last thing an installation does.

    ``licence_text`` is what ``receipt.acceptance`` is of, "" where there was none. Raises
    ModelIncomplete when a file is not there or not of its size, FolderNotWritable, NoSpace, and
    ValueError for a receipt that could not be read again.
    """
    # 1. It will be readable, and it tells the truth
    data = to_data(receipt)
    if from_data(data) != receipt:
        raise ValueError("a receipt that would not come back")
    if receipt.acceptance is not None:
        found = hashlib.sha256(licence_text.encode("utf-8")).hexdigest()
        if found != receipt.acceptance.sha256:
            raise ValueError("the licence's text is not the one that was accepted")
    check(folder, receipt)
    # 2. The licence, then the receipt
    if licence_text:
        write_over(folder / LICENCE_TEXT, licence_text.encode("utf-8"))
    write_over(folder / RECEIPT, f"{json.dumps(data, indent=1, sort_keys=True)}\n".encode())


def read(folder: Path) -> Receipt:
    """The receipt of ``folder``.

    Raises ModelMissing where there is none, ModelUnsupported for one of a newer Easel and
    ModelDamaged for one that is not right.
    """
    file = folder / RECEIPT
    try:
        if file.is_symlink():
            raise ModelDamaged(str(file), "mismatch")
        with file.open("rb") as opened:
            text = opened.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ModelMissing(str(folder)) from error
    except OSError as error:
        raise ModelDamaged(str(file), "truncated") from error
    try:
        data = json.loads(text) if len(text) <= MAX_BYTES else None
    except (ValueError, RecursionError) as error:
        raise ModelDamaged(str(file), "not JSON") from error
    version = data.get("schema_version") if isinstance(data, dict) else None
    if type(version) is int and version > SCHEMA_VERSION:
        raise ModelUnsupported(str(folder), f"a receipt of version {version}")
    try:
        return from_data(data)
    except ValueError as error:
        raise ModelDamaged(str(file), "mismatch") from error


def installed(root: Path) -> tuple[Installed, ...]:
    """Every model below ``root``, by title. Raises nothing.

    A folder without a good receipt is no model; neither is a link, or a folder with the name of
    another model.
    """
    found = []
    for model in _folders(root):
        for folder in _folders(model):
            with contextlib.suppress(ModelError):
                receipt = read(folder)
                if receipt.id == model.name:
                    found.append(Installed(folder, receipt))
    return tuple(sorted(found, key=lambda one: (one.receipt.title, str(one.folder))))


def check(folder: Path, receipt: Receipt) -> None:
    """Every file is there and of its size; costs milliseconds. Raises ModelIncomplete.

    What else lies there does not count: the Finder leaves files of its own.
    """
    place = folder.resolve()
    missing = tuple(
        file.path for file in receipt.files if not _is_whole(place / file.path, file.bytes)
    )
    if missing:
        raise ModelIncomplete(str(folder), missing)


def remove(folder: Path) -> None:
    """Take the model in ``folder`` away: the receipt first, then the files.

    Whenever that ends early, the model is gone, and ``sweep`` takes away what is left. Raises
    ModelMissing where there is no receipt (nothing is touched), FolderNotWritable.
    """
    if folder.is_symlink() or not os.path.lexists(folder / RECEIPT):
        raise ModelMissing(str(folder))
    try:
        (folder / RECEIPT).unlink()
        leaving = folder.with_name(f"{REMOVED_PREFIX}{os.urandom(8).hex()}")
        folder.rename(leaving)
        shutil.rmtree(leaving)
    except OSError as error:
        raise world_error(error, folder, 0) from error
    with contextlib.suppress(OSError):  # another revision is there
        folder.parent.rmdir()


def move_in(staging: Path, folder: Path) -> Path:
    """Give ``staging``, a whole model on the same disk, its place, and return that.

    What lay there goes, and comes back if it fails: the same model, or an unfinished download of
    it. Raises FolderNotWritable, NoSpace.
    """
    try:
        sync_names(staging)
        folder.parent.mkdir(parents=True, exist_ok=True)
        leaving = folder.with_name(f"{REMOVED_PREFIX}{os.urandom(8).hex()}")
        with contextlib.suppress(FileNotFoundError):
            folder.rename(leaving)
        try:
            staging.rename(folder)
        except OSError:
            with contextlib.suppress(OSError):
                leaving.rename(folder)
            raise
        sync_folder(folder.parent)
    except OSError as error:
        raise world_error(error, folder, 0) from error
    shutil.rmtree(leaving, ignore_errors=True)
    return folder


def sweep(root: Path) -> None:
    """Take away what removals and imports that were killed left below ``root``. Raises nothing."""
    with contextlib.suppress(OSError):
        for leaving in root.glob(f"*/{REMOVED_PREFIX}*"):
            _take_away(leaving)
        for staging in root.glob(f"{STAGING_PREFIX}*"):
            with contextlib.suppress(OSError):
                if time.time() - _last_written(staging) > STALE_AFTER_S:
                    _take_away(staging)


def to_data(receipt: Receipt) -> dict[str, Any]:
    """``receipt`` as its JSON object."""
    lists = {"files": [asdict(file) for file in receipt.files], "needs": list(receipt.needs)}
    return asdict(receipt) | lists | {"schema_version": SCHEMA_VERSION}


def from_data(data: object) -> Receipt:
    """The receipt that a JSON object holds. Raises ValueError for anything else."""
    # 1. The form
    if not isinstance(data, dict) or set(data) != _KEYS:
        raise ValueError("not the keys of a receipt")
    if type(data["schema_version"]) is not int or data["schema_version"] != SCHEMA_VERSION:
        raise ValueError("another version")
    # 2. The names: nothing leads out of the folder
    id = _text(data["id"])
    if not is_safe_name(id):
        raise ValueError("not the name of a model")
    needs = _list(data["needs"])
    if not all(is_safe_name(_text(need)) for need in needs):
        raise ValueError("needs something that is no model")
    files = tuple(_file(row) for row in _list(data["files"]))
    if not files or len(files) > MAX_FILES or clash(file.path for file in files):
        raise ValueError("no files, too many, or two in one place")
    # 3. The rest
    acceptance = data["acceptance"]
    check_moment(_text(data["installed"]))
    return Receipt(
        id=id,
        title=_text(data["title"]),
        kind=Kind(_text(data["kind"])),
        family=Family(_text(data["family"])),
        origin=Origin(_text(data["origin"])),
        source=_text(data["source"]),
        files=files,
        installed=data["installed"],
        acceptance=None if acceptance is None else acceptance_from(acceptance),
        memory=_count(data["memory"]),
        needs=tuple(needs),
    )


def _file(row: object) -> CardFile:
    if not isinstance(row, dict) or set(row) != _FILE_KEYS or type(row["shipped"]) is not bool:
        raise ValueError("not a file of a receipt")
    path, sha256 = _text(row["path"]), _text(row["sha256"])
    if not is_safe_path(path) or not _SHA256.fullmatch(sha256):
        raise ValueError("not a path and a hash")
    return CardFile(path, _count(row["bytes"]), sha256, row["shipped"])


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _MAX_TEXT or not value.isprintable():
        raise ValueError("not a line of text")
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list) or len(value) > MAX_FILES:
        raise ValueError("not a list")
    return value


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError("not a number of bytes")
    return value


def _folders(place: Path) -> list[Path]:
    """The folders in ``place`` that may be of models: not hidden, not links."""
    try:
        with os.scandir(place) as entries:
            names = [one.name for one in entries if one.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return [place / name for name in sorted(names) if is_safe_name(name)]


def _is_whole(file: Path, size: int) -> bool:
    """A real file of ``size`` bytes at exactly this place: no link on the way."""
    try:
        return file.resolve() == file and file.is_file() and file.stat().st_size == size
    except (OSError, RuntimeError):  # RuntimeError: links in a circle
        return False


def _last_written(folder: Path) -> float:
    """When anything in ``folder`` last changed: a slow disk may take hours over one file of it."""
    places = (Path(place, name) for place, _, names in os.walk(folder) for name in (".", *names))
    return max((place.lstat().st_mtime for place in places), default=0.0)


def _take_away(folder: Path) -> None:
    with contextlib.suppress(OSError):
        shutil.rmtree(folder)
