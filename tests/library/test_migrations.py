"""Steps are made whole or not at all, each after a backup."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.core.errors import IndexTooNew
from app.library.migrations import STEPS, Step, migrate, version_of

MORE: tuple[Step, ...] = (
    *STEPS,
    ("ALTER TABLE pictures ADD COLUMN mood TEXT NOT NULL DEFAULT ''",),
    ("CREATE TABLE third (a)", "INSERT INTO third VALUES (1)"),
)


def open_at(file: Path) -> closing[sqlite3.Connection]:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    return closing(connection)


def test_a_new_file_gets_every_step_and_no_backup(tmp_path: Path) -> None:
    with open_at(tmp_path / "i") as connection:
        migrate(connection, tmp_path / "i", MORE)
        assert version_of(connection) == len(MORE)
        assert connection.execute("SELECT a FROM third").fetchall() == [(1,)]
    assert not list(tmp_path.glob("i.before-1"))


def test_an_old_file_is_kept_before_each_step(tmp_path: Path) -> None:
    with open_at(tmp_path / "i") as connection:
        migrate(connection, tmp_path / "i")
        connection.execute("INSERT INTO favourites VALUES ('x')")  # still in the log only
        migrate(connection, tmp_path / "i", MORE)
    for number, columns in ((2, 0), (3, 1)):
        with closing(sqlite3.connect(tmp_path / f"i.before-{number}")) as kept:
            assert version_of(kept) == number - 1
            assert kept.execute("SELECT id FROM favourites").fetchall() == [("x",)]
            found = kept.execute("SELECT count(*) FROM pragma_table_info('pictures') "
                                 "WHERE name = 'mood'")  # fmt: skip
            assert found.fetchone() == (columns,)


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    broken = (*STEPS, ("CREATE TABLE half (a)", "INSERT INTO nowhere VALUES (1)"))
    with open_at(tmp_path / "i") as connection:
        migrate(connection, tmp_path / "i")
        with pytest.raises(sqlite3.OperationalError, match="nowhere"):
            migrate(connection, tmp_path / "i", broken)
        assert version_of(connection) == len(STEPS)
        found = connection.execute("SELECT name FROM sqlite_master WHERE name = 'half'")
        assert found.fetchall() == []
        migrate(connection, tmp_path / "i", MORE)
        assert version_of(connection) == len(MORE)


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    with open_at(tmp_path / "i") as connection:
        migrate(connection, tmp_path / "i", MORE)
        with pytest.raises(IndexTooNew):
            migrate(connection, tmp_path / "i", STEPS)


def test_two_programs_at_the_same_time_make_each_step_once(tmp_path: Path) -> None:
    with open_at(tmp_path / "i") as first, open_at(tmp_path / "i") as second:
        migrate(first, tmp_path / "i", STEPS)
        migrate(second, tmp_path / "i", MORE)
        migrate(first, tmp_path / "i", MORE)
        assert version_of(first) == version_of(second) == len(MORE)
