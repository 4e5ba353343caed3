"""The index: what is known of every picture, in SQLite, quick to search and to page through.

It holds nothing that is not in the pictures and in marks.json, so it can be made again at any time.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from app.core.errors import FolderNotWritable, LibraryDamaged, NoSpace
from app.core.recipe import How, Parent
from app.files.atomic_file import free_bytes
from app.library import migrations
from app.library.entry import Entry, Stamp
from app.library.marks import Mark
from app.library.search import Query, Sort, spaced, take_apart

BUSY_S = 5.0
"""How long to wait for another program that writes."""

_CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
"""The last is a table or a column that is not there: somebody else has been at the file."""

_COLUMNS = (
    "path, id, bytes, mtime_ns, inode, width, height, created, created_text, program, placement, "
    "seconds, version, prompt, negative, model, scheduler, seed, steps, guidance, recipe, parent, "
    "how"
)
_PUT = (
    f"INSERT INTO pictures ({_COLUMNS}) VALUES ({', '.join('?' * 23)}) "
    "ON CONFLICT (path) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS.split(", ")[1:])
    + " RETURNING key"
)
_ORDERS = {
    Sort.NEWEST: "created DESC, key DESC",
    Sort.OLDEST: "created, key",
    Sort.PROMPT: "prompt COLLATE NOCASE, created DESC, key DESC",
    Sort.MODEL: "model COLLATE NOCASE, created DESC, key DESC",
    Sort.SEED: "seed, created DESC, key DESC",
}


@dataclass(frozen=True, slots=True)
class Tag:
    """How many pictures have it."""

    name: str
    count: int


class Index:
    """The rows of ``file``; in memory where it is None.

    Readers never wait for a writer, so the window may ask while another thread lists thousands.
    May be called from any thread. Every method raises LibraryDamaged when the file turns out not
    to be what it was, and those that write FolderNotWritable and NoSpace.
    """

    def __init__(self, file: Path | None) -> None:
        """Raises IndexTooNew, LibraryDamaged, FolderNotWritable, NoSpace."""
        self.file = file
        self._lock = threading.Lock()
        self._read_lock = self._lock if file is None else threading.Lock()
        with self._typed():
            if file is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
            self._writes = self._connect()
            self._reads = self._writes
            try:
                migrations.migrate(self._writes, file)
                if file is not None:
                    self._reads = self._connect()
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        self._reads.close()
        self._writes.close()

    # --- writing --------------------------------------------------------------------------------

    def put(self, entries: Iterable[Entry], others: Mapping[bytes, Stamp] | None = None) -> None:
        """List ``entries``, in place of what was listed of their files, all of them or none.

        ``others`` are files that are no pictures, so that they are not looked at again.
        """
        with self._writing() as connection:
            for entry in entries:
                _put(connection, entry)
            for path, stamp in (others or {}).items():
                _drop(connection, path)
                row = (path, stamp.bytes, stamp.mtime_ns, stamp.inode)
                connection.execute("INSERT OR REPLACE INTO others VALUES (?, ?, ?, ?)", row)

    def drop(self, paths: Iterable[bytes]) -> None:
        """List those files no longer."""
        with self._writing() as connection:
            for path in paths:
                _drop(connection, path)

    def move(self, moved: Iterable[tuple[bytes, bytes]]) -> None:
        """Those files have other names now (from, to), and are the same."""
        with self._writing() as connection:
            for old, new in moved:
                _drop(connection, new)
                for table in ("pictures", "others"):
                    connection.execute(f"UPDATE {table} SET path = ? WHERE path = ?", (new, old))

    def doubt_all(self) -> None:
        """Have every file read again at the next look."""
        with self._writing() as connection:
            connection.execute("UPDATE pictures SET mtime_ns = -1")
            connection.execute("DELETE FROM others")

    def set_marks(self, marks: Mapping[str, Mark]) -> None:
        """Have exactly these favourites and tags."""
        with self._writing() as connection:
            connection.execute("DELETE FROM favourites")
            connection.execute("DELETE FROM tags")
            connection.executemany(
                "INSERT INTO favourites VALUES (?)",
                [(id,) for id, mark in marks.items() if mark.favourite],
            )
            connection.executemany(
                "INSERT OR IGNORE INTO tags VALUES (?, ?)",
                [(tag, id) for id, mark in marks.items() for tag in mark.tags],
            )

    # --- reading --------------------------------------------------------------------------------

    def known(self) -> dict[bytes, Stamp]:
        """Each file that was looked at, as it was then."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT path, bytes, mtime_ns, inode FROM pictures "
                "UNION ALL SELECT path, bytes, mtime_ns, inode FROM others"
            )
            return {path: Stamp(size, mtime, inode) for path, size, mtime, inode in rows}

    def keys(self, query: Query) -> tuple[int, ...]:
        """The numbers of the rows that ``query`` finds, in its order."""
        asked = take_apart(query)
        where, values = [], []
        if asked.match:
            where.append("key IN (SELECT rowid FROM words WHERE words MATCH ?)")
            values.append(asked.match)
        if asked.favourites:
            where.append("id IN (SELECT id FROM favourites)")
        for tag in asked.tags:
            where.append("id IN (SELECT id FROM tags WHERE tag = ? COLLATE NOCASE)")
            values.append(tag)
        condition = f"WHERE {' AND '.join(where)}" if where else ""
        with self._reading() as connection:
            rows = connection.execute(
                f"SELECT key FROM pictures {condition} ORDER BY {_ORDERS[query.sort]}", values
            )
            return tuple(key for (key,) in rows)

    def entries(self, keys: Sequence[int]) -> tuple[Entry, ...]:
        """Those rows in that order; ones that are not there any more are left out."""
        found: dict[int, Entry] = {}
        with self._reading() as connection:
            for at in range(0, len(keys), 500):
                some = tuple(keys[at : at + 500])
                found.update((e.key, e) for e in _entries(connection, "key", some))
        return tuple(found[key] for key in keys if key in found)

    def by_id(self, id: str) -> tuple[Entry, ...]:
        """The files of that picture: more than one where it was copied."""
        with self._reading() as connection:
            return tuple(_entries(connection, "id", (id,)))

    def children(self, id: str) -> tuple[Entry, ...]:
        """The pictures that came of that one, oldest first."""
        with self._reading() as connection:
            found = list(_entries(connection, "parent", (id,)))
        return tuple(sorted(found, key=lambda entry: (entry.created, entry.key)))

    def at(self, file: Path) -> Entry | None:
        """The row of that file."""
        with self._reading() as connection:
            return next(_entries(connection, "path", (os.fsencode(file),)), None)

    def tags(self) -> tuple[Tag, ...]:
        """Every tag of a picture that is listed, in order of its name."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT tag, count(DISTINCT id) FROM tags JOIN pictures USING (id) "
                "GROUP BY tag ORDER BY tag COLLATE NOCASE"
            )
            return tuple(Tag(name, count) for name, count in rows)

    def check(self) -> None:
        """Read all of it. Raises LibraryDamaged."""
        with self._reading() as connection:
            (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if said != "ok":
            raise LibraryDamaged("index", str(self.file or ""), "")

    # --- the file -------------------------------------------------------------------------------

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.file or ":memory:", BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            # What a power cut takes, the next look at the folder finds again.
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or nothing."""
        with self._lock, self._typed():
            self._writes.execute("BEGIN IMMEDIATE")
            try:
                yield self._writes
                self._writes.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._writes.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._read_lock, self._typed():
            yield self._reads

    @contextlib.contextmanager
    def _typed(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._meaning(error) from error
        except OSError as error:
            folder = str(self.file.parent if self.file else "")
            raise FolderNotWritable(folder, (error.strerror or str(error)).lower()) from error

    def _meaning(self, error: sqlite3.Error) -> Exception:
        code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
        folder = self.file.parent if self.file else Path()
        if code in _CORRUPT:
            return LibraryDamaged("index", str(self.file or ""), "")
        if code == sqlite3.SQLITE_FULL:
            return NoSpace(str(folder), 0, free_bytes(folder))
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
            return FolderNotWritable(str(folder), "permission")
        if isinstance(error, sqlite3.OperationalError):
            return FolderNotWritable(str(folder), str(error).lower())
        # Closed, because another thread found it so.
        return LibraryDamaged("index", str(self.file or ""), "")


def _put(connection: sqlite3.Connection, entry: Entry) -> None:
    path, stamp, parent = os.fsencode(entry.file), entry.stamp, entry.parent
    connection.execute("DELETE FROM others WHERE path = ?", (path,))
    row = (
        path,
        entry.id,
        stamp.bytes,
        stamp.mtime_ns,
        stamp.inode,
        entry.width,
        entry.height,
        entry.created.timestamp(),
        entry.created.isoformat(),
        entry.program,
        entry.placement,
        entry.seconds,
        entry.version,
        entry.prompt,
        entry.negative_prompt,
        entry.model,
        entry.scheduler,
        entry.seed,
        entry.steps,
        entry.guidance,
        entry.recipe_text,
        None if parent is None else parent.picture,
        None if parent is None else parent.how.value,
    )
    ((key,),) = connection.execute(_PUT, row).fetchall()
    connection.execute("DELETE FROM words WHERE rowid = ?", (key,))
    words = (
        entry.prompt,
        entry.negative_prompt,
        entry.model,
        "" if entry.seed is None else str(entry.seed),
        entry.scheduler,
        entry.created.strftime("%Y-%m-%d"),
    )
    connection.execute(
        "INSERT INTO words (rowid, prompt, negative, model, seed, scheduler, date) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (key, *(spaced(text) for text in words)),
    )


def _drop(connection: sqlite3.Connection, path: bytes) -> None:
    rows = connection.execute("SELECT key FROM pictures WHERE path = ?", (path,)).fetchall()
    connection.executemany("DELETE FROM words WHERE rowid = ?", rows)
    connection.execute("DELETE FROM pictures WHERE path = ?", (path,))
    connection.execute("DELETE FROM others WHERE path = ?", (path,))


def _entries(
    connection: sqlite3.Connection, column: str, values: tuple[object, ...]
) -> Iterator[Entry]:
    rows = connection.execute(
        f"SELECT key, {_COLUMNS}, EXISTS (SELECT 1 FROM favourites f WHERE f.id = pictures.id), "
        "(SELECT group_concat(tag, char(10)) FROM tags t WHERE t.id = pictures.id) "
        f"FROM pictures WHERE {column} IN ({', '.join('?' * len(values))}) ORDER BY key",
        values,
    )
    for row in rows:
        yield _entry(row)


def _entry(row: Any) -> Entry:
    (
        key, path, id, size, mtime_ns, inode, width, height, _, created, program, placement,
        seconds, version, prompt, negative, model, scheduler, seed, steps, guidance, recipe,
        parent, how, favourite, tags,
    ) = row  # fmt: skip
    return Entry(
        file=Path(os.fsdecode(path)),
        stamp=Stamp(size, mtime_ns, inode),
        id=id,
        width=width,
        height=height,
        created=datetime.fromisoformat(created),
        program=program,
        placement=placement,
        seconds=seconds,
        version=version,
        prompt=prompt,
        negative_prompt=negative,
        model=model,
        scheduler=scheduler,
        seed=seed,
        steps=steps,
        guidance=guidance,
        recipe_text=recipe,
        parent=None if parent is None else Parent(parent, How(how)),
        favourite=bool(favourite),
        tags=tuple(sorted(tags.split("\n"))) if tags else (),
        key=key,
    )
