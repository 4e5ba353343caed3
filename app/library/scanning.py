"""What has been added to the folders, changed, moved and taken away since they were listed.

Only names and stamps are looked at; no file is opened.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.files.atomic_file import PART_PREFIX, sweep
from app.library.entry import Stamp
from app.library.metadata import SUFFIXES

MAX_DEPTH = 16


@dataclass(frozen=True, slots=True)
class Changes:
    """Paths as the system has them (bytes). ``moved`` are (from, to) with content unchanged."""

    new: tuple[bytes, ...] = ()
    moved: tuple[tuple[bytes, bytes], ...] = ()
    gone: tuple[bytes, ...] = ()


def scan(
    roots: Sequence[Path],
    known: Mapping[bytes, Stamp],
    cancelled: Callable[[], bool] = lambda: False,
) -> Changes | None:
    """The difference between ``known`` and what lies below ``roots``; None when cancelled.

    Hidden files, files of other kinds, and linked folders are passed over. What lies in a folder
    that cannot be read counts as unchanged; a root that is not there (a disk that is not plugged
    in) has nothing in it. Leftovers of killed programs are removed on the way.
    """
    there: dict[bytes, Stamp] = {}
    closed: list[bytes] = []
    for root in roots:
        for path, stamp in _walk(os.fsencode(root), closed, MAX_DEPTH):
            there[path] = stamp
            if len(there) % 256 == 0 and cancelled():
                return None
    lost = {path for path in known.keys() - there.keys() if not path.startswith(tuple(closed))}
    below = tuple(os.fsencode(root) + b"/" for root in roots)
    inodes = {stamp.inode for stamp in there.values()}
    gone = {path for path in lost if not path.startswith(below) or _is_gone(path, inodes)}
    changed = {path for path, stamp in there.items() if known.get(path) != stamp}
    by_stamp = {known[path]: path for path in gone}
    moved = []
    for path in sorted(changed - known.keys()):
        old = by_stamp.pop(there[path], None)
        if old is not None:
            moved.append((old, path))
            gone.discard(old)
            changed.discard(path)
    return Changes(tuple(sorted(changed)), tuple(moved), tuple(sorted(gone)))


def _is_gone(path: bytes, inodes: set[int]) -> bool:
    """Whether ``path``, which no folder lists, is not there, or is another spelling of one.

    Disks that take "A.png" for "a.png" find a file under a name that it has no longer. What is
    there and no other was added while the folders were read.
    """
    try:
        return os.lstat(path).st_ino in inodes
    except OSError:
        return True


def folders(roots: Sequence[Path]) -> tuple[Path, ...]:
    """The folders that ``scan`` looks into and that are there: for whoever watches them."""
    found: list[Path] = []
    waiting = [(root, MAX_DEPTH) for root in roots]
    while waiting:
        folder, depth = waiting.pop(0)
        with contextlib.suppress(OSError), os.scandir(folder) as listing:
            found.append(folder)
            below = sorted(
                Path(entry.path)
                for entry in listing
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
            )
            waiting += [(path, depth - 1) for path in below if depth > 0]
    return tuple(found)


def _walk(folder: bytes, closed: list[bytes], depth: int) -> Iterator[tuple[bytes, Stamp]]:
    try:
        with os.scandir(folder) as listing:
            entries = list(listing)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError:
        closed.append(folder + b"/")
        return
    folders, stale = [], False
    for entry in entries:
        name = entry.name
        with contextlib.suppress(OSError):  # just gone
            if name[:1] == b".":
                stale = stale or name.startswith(PART_PREFIX.encode())
            elif entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif name.rpartition(b".")[2].lower() in _ENDINGS and entry.is_file():
                yield entry.path, Stamp.of(entry.stat())
    if stale:
        sweep(Path(os.fsdecode(folder)))
    if depth > 0:
        for below in folders:
            yield from _walk(below, closed, depth - 1)


_ENDINGS = frozenset(suffix[1:].encode() for suffix in SUFFIXES)
