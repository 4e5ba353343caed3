"""Every hostile file is refused by name: nothing executed, nothing connected, nothing left."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from app.convert.importing import bring_in
from app.core.errors import ImportRefused
from app.jobs.limited_child import Bounds, run_limited
from app.messages.models import IMPORT_REASONS
from tests.convert import hostile_pickles, hostile_weights
from tests.convert.corpus import CORPUS

hostile_pickles.fill()
hostile_weights.fill()

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


def refused(
    files: dict[str, Path], report: Callable[[object], None], cancelled: Callable[[], bool]
) -> dict[str, str]:
    """In the child: the reason for each file."""
    reasons = {}
    for name, file in files.items():
        try:
            bring_in(file, file.parent / "staging", ROOT / "resources", report, cancelled)
        except ImportRefused as error:
            reasons[name] = error.reason
    return reasons


def test_the_child_refuses_all_of_it_too(tmp_path: Path) -> None:
    """Within the limits that one small file is given, and its hook against connections."""
    files = {}
    for number, (name, (build, _)) in enumerate(CORPUS.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        files[name] = build(folder, folder / "marker")
    there = sorted(tmp_path.rglob("*"))

    found = run_limited(
        functools.partial(refused, files),
        "all",
        Bounds.for_file(0),
        lambda _: None,
        lambda: False,
    )

    assert found is not None
    assert {
        name for name, (_, reasons) in CORPUS.items() if found.get(name) not in reasons
    } == set()
    assert sorted(tmp_path.rglob("*")) == there


@pytest.mark.parametrize("name", ["missing", "an empty folder", "not allowed"])
def test_what_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    reason = "missing"
    if name == "an empty folder":
        file.mkdir()
        reason = "unknown format"
    elif name == "not allowed":
        file, reason = tmp_path / "x\0.safetensors", "permission"
    with pytest.raises(ImportRefused) as caught:
        bring_in(file, tmp_path / "s", ROOT / "resources", lambda _: None, lambda: False)
    assert caught.value == ImportRefused(str(file), reason)
