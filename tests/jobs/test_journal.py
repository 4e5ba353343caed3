"""The journal reads back what it wrote, and never stops a start."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import FolderNotWritable
from app.core.model import Model
from app.jobs.journal import Journal
from tests.jobs.recipes import MODEL, job


def find(id: str) -> Model | None:
    return MODEL if id == MODEL.id else None


def test_what_was_written_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "new" / "queue.json")
    jobs = (job("1"), job("2", "emoji 🍎, right-to-left \u202e and \ud800"))
    journal.write(jobs)
    assert journal.read(find) == jobs


def test_there_is_nothing_to_read_the_first_time(tmp_path: Path) -> None:
    assert Journal(tmp_path / "queue.json").read(find) == ()


def test_jobs_whose_model_is_gone_are_not_offered(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "queue.json")
    journal.write([job("1")])
    assert journal.read(lambda _: None) == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        "null",
        '{"easel": 2, "jobs": []}',
        '{"easel": 1}',
        '{"easel": 1, "jobs": 3}',
        '{"easel": 1, "jobs": [3]}',
        '{"easel": 1, "jobs": [{}]}',
        '{"easel": 1, "jobs": [{"id": "1", "group": "g", "index": 1, "of": 1, "recipe": {}}]}',
        "[" * 100_000,
    ],
)
def test_a_damaged_journal_is_put_aside(tmp_path: Path, text: str) -> None:
    file = tmp_path / "queue.json"
    file.write_text(text)
    assert Journal(file).read(find) == ()
    assert not file.exists()
    assert (tmp_path / "queue.json.damaged").read_text() == text


@given(cut=st.integers(0, 400), noise=st.binary(max_size=20))
def test_no_bytes_at_all_make_it_raise(
    tmp_path_factory: pytest.TempPathFactory, cut: int, noise: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "fuzzed.json"
    Journal(file).write([job("1")])
    data = file.read_bytes()
    file.write_bytes(data[:cut] + noise + data[cut + len(noise) :])
    for found in Journal(file).read(find):
        assert found.model is MODEL


def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderNotWritable):
        Journal(tmp_path / "file" / "queue.json").write([])
