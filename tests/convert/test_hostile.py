"""Every hostile file is refused by name: nothing executed, nothing connected, nothing left."""

from __future__ import annotations

import functools
import time
from pathlib import Path

import psutil
import pytest

from app.convert.importing import bring_in
from app.core.errors import ImportRefused
from app.jobs.limited_child import Bounds, run_limited
from app.messages.models import IMPORT_REASONS
from tests.convert.hostile import CORPUS

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 5.0
MEMORY = 256 * 1024 * 1024


def test_the_corpus_is_large_enough_and_speaks_of_known_reasons() -> None:
    assert len(CORPUS) >= 80
    assert set().union(*(reasons for _, reasons in CORPUS.values())) <= IMPORT_REASONS.keys()


@pytest.mark.parametrize("name", CORPUS)
def test_it_is_refused(name: str, tmp_path: Path) -> None:
    build, reasons = CORPUS[name]
    marker, staging = tmp_path / "marker", tmp_path / "staging"
    file = build(tmp_path, marker)
    there = sorted(tmp_path.iterdir())
    began, before = time.process_time(), psutil.Process().memory_info().rss

    with pytest.raises(ImportRefused) as caught:
        bring_in(file, staging, ROOT / "resources", lambda _: None, lambda: False)

    assert caught.value.file == str(file)
    assert caught.value.reason in reasons
    assert sorted(tmp_path.iterdir()) == there
    assert not marker.exists()
    assert time.process_time() - began < SECONDS
    assert psutil.Process().memory_info().rss - before < MEMORY


@pytest.mark.slow
@pytest.mark.parametrize("name", CORPUS)
def test_the_child_refuses_it_too(name: str, tmp_path: Path) -> None:
    build, reasons = CORPUS[name]
    marker, staging = tmp_path / "marker", tmp_path / "staging"
    file = build(tmp_path, marker)
    there = sorted(tmp_path.iterdir())
    work = functools.partial(bring_in, file, staging, ROOT / "resources")

    with pytest.raises(ImportRefused) as caught:
        run_limited(
            work, str(file), Bounds.for_file(file.stat().st_size), lambda _: None, lambda: False
        )

    assert caught.value.reason in reasons
    assert sorted(tmp_path.iterdir()) == there


@pytest.mark.parametrize("name", ["missing", "a folder", "not allowed"])
def test_what_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    reason = "missing"
    if name == "a folder":
        file.mkdir()
        reason = "unknown format"
    elif name == "not allowed":
        file, reason = tmp_path / "x\0.safetensors", "permission"
    with pytest.raises(ImportRefused) as caught:
        bring_in(file, tmp_path / "s", ROOT / "resources", lambda _: None, lambda: False)
    assert caught.value == ImportRefused(str(file), reason)
