"""The licences of the models on the shelf, and which of them the person has accepted.

Standard library only: the window's process reads it at start.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.core.card import Acceptance, Licence
from app.core.errors import CardProblem, LicenceNotAccepted, SettingsTooNew
from app.files.atomic_file import world_error, write_over

SCHEMA_VERSION = 1
MAX_BYTES = 1_000_000

_RESTRICTIONS = re.compile(r"^Attachment A\s*$", re.MULTILINE)
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class _Source:
    title: str
    file: str
    origin: str


_SOURCES = {
    "openrail-m": _Source(
        "CreativeML Open RAIL-M",
        "CreativeML-OpenRAIL-M.txt",
        "invokeai 6.14.2 on PyPI, one misprint removed: the text of CompVis/stable-diffusion",
    ),
    "openrail++-m": _Source(
        "CreativeML Open RAIL++-M",
        "CreativeML-OpenRAIL++-M.txt",
        "stable-diffusion-sdkit 2.1.5 on PyPI",
    ),
    "openrail++-m-sdxl": _Source(
        "CreativeML Open RAIL++-M (SDXL 1.0)",
        "CreativeML-OpenRAIL++-M-SDXL.txt",
        "invokeai 6.14.2 on PyPI",
    ),
    "mit-taesd": _Source(
        "MIT License (TAESD)",
        "MIT-TAESD.txt",
        "madebyollin/taesd on GitHub",
    ),
}

KNOWN = frozenset(_SOURCES)
"""The ids a card may name."""


def licence(folder: Path, id: str) -> Licence:
    """The licence ``id`` whose text lies in ``folder`` (``resources/licenses``).

    Raises CardProblem for an id that is not known and for a text that is not there.
    """
    source = _SOURCES.get(id)
    if source is None:
        raise CardProblem(id, "Easel does not know a licence of this name")
    try:
        text = (folder / source.file).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CardProblem(id, "the text of its licence is missing") from error
    return licence_of(id, source.title, text, source.origin)


def licence_of(id: str, title: str, text: str, origin: str) -> Licence:
    """``text`` as a licence, its use restrictions set apart where it has an Attachment A."""
    sha256 = hashlib.sha256(text.encode("utf-8")).hexdigest()
    headings = list(_RESTRICTIONS.finditer(text))
    restrictions = text[headings[-1].start() :].rstrip() if headings else ""
    return Licence(id, title, text, sha256, restrictions, origin)


class Acceptances:
    """What the person has accepted, in one JSON file, by the SHA-256 of the text.

    The file is read each time: the window and the command line are two programs. When both accept
    at the same moment one of the two is asked once more, and nothing worse.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def all(self) -> tuple[Acceptance, ...]:
        """Everything accepted so far, oldest first; nothing where the file is damaged.

        A damaged file is put aside. Raises SettingsTooNew, FolderNotWritable (not readable).
        """
        try:
            with self._file.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise world_error(error, self._file.parent, 0) from error
        try:
            return self._parse(data)
        except (ValueError, KeyError, TypeError, RecursionError):
            self._put_aside()
            return ()

    def of(self, licence: Licence) -> Acceptance | None:
        """The acceptance of exactly this text, or None. Raises as ``all`` does."""
        return next((had for had in self.all() if had.sha256 == licence.sha256), None)

    def accept(self, licence: Licence, now: datetime | None = None) -> Acceptance:
        """Keep that the person accepted ``licence`` now; the first date stays when it was already.

        ``now`` with a time zone. Raises FolderNotWritable, NoSpace, SettingsTooNew.
        """
        accepted = self.all()
        for had in accepted:
            if had.sha256 == licence.sha256:
                return had
        when = (now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")
        acceptance = Acceptance(licence.id, licence.sha256, when)
        rows = [asdict(had) for had in (*accepted, acceptance)]
        text = json.dumps({"schema_version": SCHEMA_VERSION, "accepted": rows}, indent=2)
        write_over(self._file, f"{text}\n".encode())
        return acceptance

    def require(self, licence: Licence) -> Acceptance:
        """The acceptance of ``licence``. Raises LicenceNotAccepted, and as ``all`` does."""
        acceptance = self.of(licence)
        if acceptance is None:
            raise LicenceNotAccepted(licence.id, licence.sha256)
        return acceptance

    def _parse(self, data: bytes) -> tuple[Acceptance, ...]:
        if len(data) > MAX_BYTES:
            raise ValueError("too long")
        document = json.loads(data)
        version = document["schema_version"]
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise SettingsTooNew(str(self._file), version)
        return tuple(acceptance_from(row) for row in document["accepted"])

    def _put_aside(self) -> None:
        """Give the file a free name beside its own, so that the next write does not end it."""
        number = 1
        while True:
            ending = "" if number == 1 else f"-{number}"
            aside = self._file.with_name(f"{self._file.stem}.damaged{ending}.json")
            if not os.path.lexists(aside):
                break
            number += 1
        try:
            self._file.rename(aside)
        except OSError as error:
            raise world_error(error, self._file.parent, 0) from error


def acceptance_from(row: object) -> Acceptance:
    """The acceptance that a JSON object holds. Raises ValueError for anything else."""
    if not isinstance(row, dict) or set(row) != {"licence", "sha256", "when"}:
        raise ValueError("not an acceptance")
    if not all(isinstance(value, str) for value in row.values()):
        raise ValueError("not text")
    if not _HEX.fullmatch(row["sha256"]) or len(row["licence"]) > 200:
        raise ValueError("not an acceptance")
    check_moment(row["when"])
    return Acceptance(row["licence"], row["sha256"], row["when"])


def check_moment(text: str) -> None:
    """Raises ValueError unless ``text`` is a moment in ISO 8601 with its zone."""
    if len(text) > 40 or datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("not a moment")
