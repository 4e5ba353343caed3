"""A model that a person names as "org/name": resolved once to a commit and a manifest.

The hub is asked for the commit, the licence's tag and the list of files. Git LFS keeps the SHA-256
of the large ones; the small ones are fetched, proven by git's own hash and pinned by SHA-256. What
comes out is a card like those of the shelf.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from app.core.card import CardFile, Kind, Licence, ModelCard
from app.core.errors import AccessNeeded, CardProblem
from app.core.model import Family
from app.weights.choosing import INDEX, Chosen, Entry, check_names, choose, family_of
from app.weights.events import Cancelled, Report, Stopped
from app.weights.hub import Hub
from app.weights.licences import licence, licence_of
from app.weights.named import Named
from app.weights.names import check_card
from app.weights.patience import Options
from app.weights.progress import Progress
from app.weights.question import Questions
from app.weights.setback import Stop

MAX_INFO = 8_000_000
MAX_PAGE = 8_000_000
MAX_PAGES = 50
MAX_ENTRIES = 20_000
MAX_SMALL = 5_000_000
"""Bytes of a file that is fetched when the model is named, because LFS does not keep its hash."""
MAX_LICENCE = 1_000_000
MAX_FILE = 100 * 2**30
LICENCE_FILES = ("LICENSE", "LICENSE.md", "LICENSE.txt")
DEFAULT_REVISION = "main"

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_REVISION = re.compile(r"[A-Za-z0-9][\w./+-]{0,127}", re.ASCII)
_SHA1 = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NEXT = re.compile(r'<([^<>]*)>\s*;\s*rel="?next"?')
_SHIPPED = {"creativeml-openrail-m": "openrail-m", "openrail++": "openrail++-m"}
"""The tags of the hub whose text is always the same, and ships with Easel."""
_MEMORY_SPARE = 1_500_000_000
"""What drawing takes beside the weights, in bytes."""


def resolve(
    repository: str,
    revision: str,
    licences: Path,
    report: Report,
    cancelled: Cancelled,
    options: Options,
) -> Named | Stopped:
    """The card of ``repository`` ("org/name") at ``revision``, "" for its main one.

    ``licences`` is where the texts lie that ship with Easel. Raises CardProblem (a name that is
    none; nothing to draw with; hostile names; no known licence), AccessNeeded, ModelWithdrawn and
    every other DownloadError.
    """
    # 1. Only what can be a name is asked for
    if not _NAME.fullmatch(repository) or ".." in repository:
        raise CardProblem(repository[:200], "a model of the hub has a name like org/name")
    revision = revision or DEFAULT_REVISION
    if not _REVISION.fullmatch(revision) or ".." in revision:
        raise CardProblem(repository, "its revision is not a branch, a tag or a commit")
    # 2. Then the hub is asked
    progress = Progress(0, report, cancelled, options.patience.report_s)
    try:
        with contextlib.closing(Hub(options)) as hub:
            ask = Questions(repository, hub, options, progress)
            return _Naming(ask, licences).named(revision)
    except Stop:
        return Stopped(0, 0)


def slug(repository: str) -> str:
    """The card's id: a name that every disk takes."""
    return re.sub(r"[^a-z0-9]+", "-", repository.lower()).strip("-")


@dataclass(frozen=True, slots=True)
class _Info:
    commit: str
    gated: bool
    tag: str


class _Naming:
    """One repository, asked about question by question."""

    def __init__(self, ask: Questions, licences: Path) -> None:
        self._ask, self._licences = ask, licences
        self._name, self._endpoint = ask.repository, ask.options.endpoint.rstrip("/")
        self._known: dict[str, bytes] = {}

    def named(self, revision: str) -> Named:
        # 1. The commit, and whether we may
        info = self._info(revision)
        if info.gated and not self._ask.options.token:
            raise AccessNeeded(self._name, "gated")
        # 2. Every file of it
        entries = self._entries(info)
        by_path = {entry.path: entry for entry in entries}
        # 3. What of that is needed
        index = self._json(info, by_path[INDEX]) if INDEX in by_path else None
        chosen = choose(self._name, entries, index)
        check_names(self._name, chosen.entries)
        unet = by_path.get("unet/config.json")
        family = family_of(chosen, index, self._json(info, unet) if index and unet else {})
        # 4. What it comes under, before anything is fetched for good
        under = self._licence(info, by_path)
        # 5. Each file with its SHA-256
        files = tuple(self._pinned(info, entry) for entry in chosen.entries)
        card = self._card(info, chosen, files, under, family)
        check_card(card)
        return Named(card, under)

    def _info(self, revision: str) -> _Info:
        url = f"{self._endpoint}/api/models/{self._name}/revision/{quote(revision, safe='')}"
        data = self._parsed(self._ask.ask(url, "revision", MAX_INFO).data)
        commit = data.get("sha") if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(commit, str) or not _SHA1.fullmatch(commit):
            raise CardProblem(self._name, "the hub does not say which commit it is")
        about, tags = data.get("cardData"), data.get("tags")
        tag = about.get("license") if isinstance(about, dict) else None
        if not isinstance(tag, str):
            marks = map(str, tags if isinstance(tags, list) else ())
            found = (mark.partition(":")[2] for mark in marks if mark.startswith("license:"))
            tag = next(found, "")
        return _Info(commit, data.get("gated", False) not in (False, None), tag)

    def _entries(self, info: _Info) -> tuple[Entry, ...]:
        """Page by page; only the query of the next page's address is believed."""
        base = f"{self._endpoint}/api/models/{self._name}/tree/{info.commit}"
        query, entries = "recursive=true&expand=false", list[Entry]()
        for _ in range(MAX_PAGES):
            said = self._ask.ask(f"{base}?{query}", "list of files", MAX_PAGE, gated=info.gated)
            page = self._parsed(said.data)
            if not isinstance(page, list):
                raise CardProblem(self._name, "the hub's list of its files is none")
            entries += [entry for row in page if (entry := self._entry(row)) is not None]
            if len(entries) > MAX_ENTRIES:
                break
            following = _NEXT.search(said.answer.headers.get("link", ""))
            if following is None:
                return tuple(entries)
            query = following.group(1).partition("?")[2]
        raise CardProblem(self._name, "it has more files than any model")

    def _entry(self, row: Any) -> Entry | None:
        """A file of the list; None for a folder. Raises CardProblem."""
        if isinstance(row, dict) and row.get("type") == "directory":
            return None
        try:
            path, size, blob, lfs = row["path"], row["size"], row["oid"], row.get("lfs")
            sha256 = "" if lfs is None else lfs["oid"]
            size = size if lfs is None else lfs["size"]
            right = isinstance(path, str) and type(size) is int and 0 <= size <= MAX_FILE
            if not right or not _SHA1.fullmatch(blob) or (sha256 and not _SHA256.fullmatch(sha256)):
                raise ValueError
        except (KeyError, TypeError, ValueError, AttributeError):
            raise CardProblem(self._name, "the hub's list of its files is damaged") from None
        return Entry(path, size, blob, sha256)

    def _licence(self, info: _Info, by_path: dict[str, Entry]) -> Licence:
        """The repository's own text, else that of its tag."""
        for path in LICENCE_FILES:
            if path in by_path:
                data = self._fetched(info, by_path[path], MAX_LICENCE)
                try:
                    text = data.decode("utf-8")
                except UnicodeDecodeError:
                    raise CardProblem(self._name, "its licence is not a text") from None
                if text.strip():
                    title = f"licence of {self._name}"
                    return licence_of(slug(self._name), title, text, f"{self._name}@{info.commit}")
        if info.tag in _SHIPPED:
            return licence(self._licences, _SHIPPED[info.tag])
        raise CardProblem(self._name, "its licence is not known, so it cannot be accepted")

    def _pinned(self, info: _Info, entry: Entry) -> CardFile:
        if entry.sha256:
            return CardFile(entry.path, entry.bytes, entry.sha256)
        data = self._fetched(info, entry, MAX_SMALL)
        return CardFile(entry.path, entry.bytes, hashlib.sha256(data).hexdigest())

    def _json(self, info: _Info, entry: Entry) -> dict[str, Any]:
        data = self._parsed(self._fetched(info, entry, MAX_SMALL))
        if not isinstance(data, dict):
            raise CardProblem(self._name, f"{entry.path} is damaged")
        return data

    def _fetched(self, info: _Info, entry: Entry, most: int) -> bytes:
        """The bytes of a small file, proven. Raises CardProblem."""
        if entry.path in self._known:
            return self._known[entry.path]
        if entry.bytes > most:
            raise CardProblem(self._name, f"the checksum of {entry.path} is not known")
        url = f"{self._endpoint}/{self._name}/resolve/{info.commit}/{quote(entry.path)}"
        data = self._ask.ask(url, entry.path, most, gated=info.gated).data
        if len(data) != entry.bytes or not _is_proven(entry, data):
            raise CardProblem(self._name, f"{entry.path} is not what the hub's list says")
        self._known[entry.path] = data
        return data

    def _parsed(self, data: bytes) -> Any:
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise CardProblem(self._name, "the hub's answer about it is damaged") from None

    def _card(
        self,
        info: _Info,
        chosen: Chosen,
        files: tuple[CardFile, ...],
        under: Licence,
        family: Family,
    ) -> ModelCard:
        size = sum(file.bytes for file in files)
        made = "one file" if chosen.kind is Kind.CHECKPOINT else f"{len(files)} files"
        return ModelCard(
            id=slug(self._name),
            title=self._name,
            summary=f"Named by you: {made} of {self._name} on the hub.",
            kind=chosen.kind,
            family=family,
            repository=self._name,
            revision=info.commit,
            licence=under.id,
            files=files,
            memory=size + _MEMORY_SPARE,
            disk=size,
            gated=info.gated,
        )


def _is_proven(entry: Entry, data: bytes) -> bool:
    """By the SHA-256 of LFS, else by the SHA-1 that git gives a blob."""
    if entry.sha256:
        return hashlib.sha256(data).hexdigest() == entry.sha256
    named = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False)
    return named.hexdigest() == entry.blob
