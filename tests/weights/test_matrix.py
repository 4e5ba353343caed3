"""The table of what proves each fault is held to the tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
ROWS = [
    line.split("|")[1:-1]
    for line in (TESTS / "weights" / "README.md").read_text("utf-8").splitlines()
    if re.match(r"\| D\d", line)
]


def test_every_row_is_there_once_and_in_order() -> None:
    assert [row[0].strip() for row in ROWS] == [f"D{number}" for number in range(1, 36)]


def test_every_proof_is_a_test() -> None:
    for name, _, proofs in ROWS:
        named = re.findall(r"`([^`]+)::(test_\w+)`", proofs)
        assert named, name
        for file, test in named:
            assert f"def {test}(" in (TESTS / file).read_text("utf-8"), (name, file, test)
