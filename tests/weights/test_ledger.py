"""The ledger keeps every connection, whatever a crash did to the line before."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.errors import FolderNotWritable
from app.weights.ledger import Connection, Ledger


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "support" / "connections.jsonl"


def seen(ledger: Ledger) -> list[tuple[str, str, int]]:
    return [(one.host, one.why, one.received) for one in ledger.connections()]


def test_a_connection_is_there_before_it_ends_and_once_after(file: Path) -> None:
    ledger = Ledger(file)
    ledger.note("hub", "a", 0, "key of a")
    ledger.note("hub", "b", 0, "key of b")
    assert seen(ledger) == [("hub", "a", 0), ("hub", "b", 0)]

    ledger.note("hub", "a", 12, "key of a")

    assert seen(ledger) == [("hub", "a", 12), ("hub", "b", 0)]
    assert len(file.read_text("ascii").splitlines()) == 3  # nothing is taken out of it


def test_a_line_that_a_crash_cut_takes_none_with_it(file: Path) -> None:
    ledger = Ledger(file)
    ledger.note("hub", "a", 1)
    file.write_bytes(file.read_bytes() + file.read_bytes()[:20])

    ledger.note("hub", "b", 2)
    ledger.note("hub", "\u2028 c\n", 3)

    assert seen(ledger) == [("hub", "a", 1), ("hub", "b", 2), ("hub", "\u2028 c\n", 3)]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[1]",
        "{",
        "[" * 100_000,
        '{"when": "w", "host": "h", "why": "y", "received": Infinity}',
        '{"when": "w", "host": "h", "why": "y", "received": "9"}',
        '{"when": 1, "host": "h", "why": "y", "received": 9}',
        '{"when": "w", "host": "h", "why": "y", "received": 9, "key": []}',
    ],
)
def test_what_is_no_line_is_passed_over(line: str, file: Path) -> None:
    ledger = Ledger(file)
    ledger.note("hub", "a", 1)
    with file.open("a") as opened:
        opened.write(f"{line}\n")

    assert seen(ledger) == [("hub", "a", 1)]


def test_the_lines_of_an_older_easel_are_read(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"when": "w", "host": "h", "why": "y", "received": 9}\n' * 2)
    assert Ledger(file).connections() == (Connection("w", "h", "y", 9),) * 2


def test_where_nothing_can_be_written_that_is_told(file: Path) -> None:
    file.parent.write_bytes(b"in the way")
    assert Ledger(file).connections() == ()
    with pytest.raises(FolderNotWritable):
        Ledger(file).note("hub", "a", 1)
