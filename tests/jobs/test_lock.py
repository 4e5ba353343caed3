"""One window: the second is told who was first, and no dead one keeps the place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.errors import AlreadyRunning, FolderNotWritable
from app.jobs.lock import Lock


def test_the_second_is_told_the_number_of_the_first(tmp_path: Path) -> None:
    first = Lock(tmp_path / "support" / "window.lock")
    with pytest.raises(AlreadyRunning) as told:
        Lock(tmp_path / "support" / "window.lock")
    assert told.value.pid == os.getpid()
    first.release()


def test_a_released_lock_can_be_taken(tmp_path: Path) -> None:
    for _ in range(2):
        lock = Lock(tmp_path / "window.lock")
        lock.release()
        lock.release()


def test_a_killed_program_leaves_the_lock_free(tmp_path: Path) -> None:
    file = tmp_path / "window.lock"
    script = (
        "import sys, time; from pathlib import Path; from app.jobs.lock import Lock\n"
        "lock = Lock(Path(sys.argv[1])); print('locked', flush=True); time.sleep(3600)"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", script, str(file)], stdout=subprocess.PIPE, cwd=root
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        with pytest.raises(AlreadyRunning) as told:
            Lock(file)
        assert told.value.pid == other.pid
        other.kill()
    Lock(file).release()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "support").write_text("")
    with pytest.raises(FolderNotWritable) as told:
        Lock(tmp_path / "support" / "window.lock")
    assert told.value == FolderNotWritable(str(tmp_path / "support"), "not a folder")
