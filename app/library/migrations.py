"""The index's tables, in numbered steps; each is made whole or not at all, after a backup.

A step is never changed once it has shipped: the next number changes what it made.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from app.core.errors import IndexTooNew

Step = tuple[str, ...]

STEPS: tuple[Step, ...] = (
    (
        """
        CREATE TABLE pictures (
            key INTEGER PRIMARY KEY,
            path BLOB NOT NULL UNIQUE,
            id TEXT NOT NULL,
            bytes INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            inode INTEGER NOT NULL,
            width INTEGER NOT NULL,
            height INTEGER NOT NULL,
            created REAL NOT NULL,
            created_text TEXT NOT NULL,
            program TEXT NOT NULL,
            placement TEXT NOT NULL,
            seconds REAL,
            version TEXT NOT NULL,
            prompt TEXT NOT NULL,
            negative TEXT NOT NULL,
            model TEXT NOT NULL,
            scheduler TEXT NOT NULL,
            seed INTEGER,
            steps INTEGER,
            guidance REAL,
            recipe TEXT NOT NULL,
            parent TEXT,
            how TEXT
        )
        """,
        "CREATE INDEX pictures_created ON pictures (created, key)",
        "CREATE INDEX pictures_id ON pictures (id)",
        "CREATE INDEX pictures_parent ON pictures (parent) WHERE parent IS NOT NULL",
        # Files of the folder that are no pictures, so that they are not opened at every look.
        """
        CREATE TABLE others (
            path BLOB NOT NULL PRIMARY KEY,
            bytes INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            inode INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
        # Its rowid is the picture's key. The text has spaces that ``search.spaced`` put there.
        """
        CREATE VIRTUAL TABLE words USING fts5 (
            prompt, negative, model, seed, scheduler, date,
            tokenize = "unicode61 remove_diacritics 2", prefix = '2 3'
        )
        """,
        # A copy of marks.json, which is the truth.
        "CREATE TABLE favourites (id TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID",
        """
        CREATE TABLE tags (
            tag TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (tag, id)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX tags_id ON tags (id)",
    ),
)


def migrate(
    connection: sqlite3.Connection, file: Path | None, steps: Sequence[Step] = STEPS
) -> None:
    """Bring the tables to the last of ``steps``; of a new file, make them.

    The file as it was before a step is beside it as "NAME.before-N". ``file`` is None for an index
    in memory. Another program may do the same at the same time. Raises IndexTooNew and
    sqlite3.Error; then nothing has changed.
    """
    while (version := version_of(connection)) < len(steps):
        number = version + 1
        if version > 0 and file is not None:
            _back_up(connection, file.with_name(f"{file.name}.before-{number}"))
        connection.execute("BEGIN IMMEDIATE")
        try:
            if version_of(connection) == version:  # nobody else was faster
                for statement in steps[version]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
    if version > len(steps):
        raise IndexTooNew(str(file or ""), version)


def version_of(connection: sqlite3.Connection) -> int:
    """How many steps the file has seen; 0 for a new one."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _back_up(connection: sqlite3.Connection, to: Path) -> None:
    """A whole copy, also of what is in the write-ahead log."""
    part = to.with_name(f"{to.name}.part")
    part.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(part)) as copy:
        connection.backup(copy)
    part.replace(to)
