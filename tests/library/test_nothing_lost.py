"""Kills, faults and full disks at any moment: no picture is lost, none is half, none unlisted."""

from __future__ import annotations

import errno
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.core.errors import EaselError, FolderNotWritable, NoSpace
from app.library.library import Library, Picture, read_picture
from tests.files.test_atomic_file import disk_full_after
from tests.library.examples import finished, recipe
from tests.library.pictures import draw, listed, open_gallery

ROOT = Path(__file__).resolve().parents[2]


def killed(home: Path, mode: str, rounds: int, seed: int, longest: float = 0.06) -> dict[str, Any]:
    asked = (str(home), mode, str(rounds), str(seed), str(longest))
    done = subprocess.run(
        [sys.executable, "-m", "tests.library.killed", *asked],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ['PYTHONPATH']}"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_twenty_kills_while_it_draws_saves_and_lists(tmp_path: Path) -> None:
    said = killed(tmp_path, "draw", 20, 1)
    assert said["wrong"] == {}
    assert said["told"] >= 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_a_hundred_kills_while_it_draws_saves_and_lists(tmp_path: Path, seed: int) -> None:
    said = killed(tmp_path, "draw", 100, seed)
    assert said["wrong"] == {}
    assert said["told"] >= 100


def test_kills_while_a_folder_is_listed(tmp_path: Path) -> None:
    for n in range(500):
        draw(tmp_path / "pictures", f"apple {n}", n)
    assert killed(tmp_path, "import", 8, 1)["wrong"] == {}


@pytest.mark.slow
def test_kills_while_ten_thousand_pictures_are_listed(tmp_path: Path) -> None:
    for n in range(10_000):
        draw(tmp_path / "pictures" / str(n % 30), f"apple {n}", n)
    assert killed(tmp_path, "import", 5, 2, 3.0)["wrong"] == {}


# --- the N-th call fails ------------------------------------------------------------------------

FAULTS = (errno.EIO, errno.ENOSPC, errno.EROFS, errno.EACCES)


class Faults:
    """Fails the ``at``-th of all writes, fsyncs, renames, links, opens and makings of folders."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.count = 0
        self.error = OSError(FAULTS[at % len(FAULTS)], os.strerror(FAULTS[at % len(FAULTS)]))

    def meet(self) -> None:
        self.count += 1
        if self.count == self.at:
            raise self.error

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def failing(*args: Any, **kwargs: Any) -> Any:
            self.meet()
            return call(*args, **kwargs)

        return failing

    def opened(self, path: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        file = Path.__dict__["_open_before"](path, mode, *args, **kwargs)
        if "x" not in mode and "w" not in mode:
            return file
        return _HalfWritten(file, self)


class _HalfWritten:
    """A file whose write can fail after half of it."""

    def __init__(self, file: Any, faults: Faults) -> None:
        self._file = file
        self._faults = faults

    def write(self, data: bytes) -> int:
        try:
            self._faults.meet()
        except OSError:
            self._file.write(data[: len(data) // 2])
            self._file.flush()
            raise
        return int(self._file.write(data))

    def __enter__(self) -> _HalfWritten:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def faults(at: int) -> Iterator[Faults]:
    made = Faults(at)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "_open_before", Path.open, raising=False)
        patch.setattr(Path, "open", lambda path, *a, **k: made.opened(path, *a, **k))
        for owner, name in (
            (os, "fsync"),
            (os, "link"),
            (Path, "rename"),
            (Path, "replace"),
            (Path, "mkdir"),
            (Path, "unlink"),
        ):
            call = getattr(owner, name)
            wrapped = made.around(call)
            patch.setattr(
                owner,
                name,
                wrapped if owner is os else lambda self, *a, _w=wrapped, **k: _w(self, *a, **k),
            )
        yield made


def save_until(home: Path, at: int) -> tuple[list[Picture], list[EaselError], Faults]:
    """Save and mark, with the ``at``-th call failing, and one picture more."""
    saved: list[Picture] = []
    raised: list[EaselError] = []
    gallery = open_gallery(home)
    library = Library(home / "pictures", home / "rescued", saved=gallery.add)
    picture = finished()
    try:
        with faults(at) as met:
            number = 0
            while met.count <= at:
                number += 1
                try:
                    saved.append(library.save(recipe(f"apple {number}", number), picture))
                    gallery.set_favourite([saved[-1].id], True)
                except EaselError as error:
                    raised.append(error)
    finally:
        gallery.close()
    return saved, raised, met


def check(home: Path, saved: list[Picture]) -> None:
    """What a person would find at the next start."""
    gallery = open_gallery(home)
    gallery._roots = lambda: (home / "pictures", home / "rescued")
    try:
        while not gallery.refresh().whole:
            pass
        rows = {entry.file for entry in listed(gallery)}
    finally:
        gallery.close()
    files = {
        file
        for place in ("pictures", "rescued")
        for file in (home / place).rglob("*")
        if file.is_file() and not file.name.startswith(".easel-")
    }
    assert rows == files
    assert {picture.file for picture in saved} <= files
    for file in files:
        read_picture(file)
        with Image.open(file) as image:
            image.load()


def fail_at(home: Path, at: int) -> None:
    saved, raised, met = save_until(home, at)
    assert met.count > at
    assert len(raised) <= 1
    assert all(isinstance(error, FolderNotWritable | NoSpace) for error in raised)
    check(home, saved)


@pytest.mark.parametrize("at", [*range(1, 32), 57, 100, 211, 300])
def test_the_nth_write_fsync_or_rename_fails(tmp_path: Path, at: int) -> None:
    fail_at(tmp_path, at)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(6))
def test_each_of_three_hundred_calls_fails_once(tmp_path: Path, part: int) -> None:
    for at in range(1 + 50 * part, 51 + 50 * part):
        fail_at(tmp_path / str(at), at)


@pytest.mark.parametrize("room", [200, 2_000, 20_000, 60_000, 150_000])
def test_a_disk_that_fills_up_loses_nothing_that_was_saved(tmp_path: Path, room: int) -> None:
    """The kernel itself refuses, to SQLite too."""
    gallery = open_gallery(tmp_path) if room > 20_000 else None
    if gallery is None:
        open_gallery(tmp_path).close()
    saved: list[Picture] = []
    library = Library(
        tmp_path / "pictures", tmp_path / "rescued", saved=None if gallery is None else gallery.add
    )
    with disk_full_after(room):
        for n in range(40):
            try:
                saved.append(library.save(recipe(f"apple {n}" * 30, n), finished(40, 40)))
            except (NoSpace, FolderNotWritable):
                continue
    if gallery is not None:
        assert len(saved) == 40
        gallery.close()
    check(tmp_path, saved)


@pytest.mark.parametrize("seed", range(6))
def test_a_statement_of_the_database_that_is_broken_off_changes_nothing(
    tmp_path: Path, seed: int
) -> None:
    """SQLite is told to stop in the middle of its work, at a random place."""
    chance = random.Random(seed)
    for n in range(40):
        draw(tmp_path / "pictures", f"apple {n}", n)
    gallery = open_gallery(tmp_path)
    left = chance.randint(1, 300)

    def stop() -> bool:
        nonlocal left
        left -= 1
        return left == 0

    gallery._index._writes.set_progress_handler(stop, 20)
    try:
        gallery.refresh()
    except EaselError:
        assert len(listed(gallery)) in (0, 40)
    finally:
        gallery.close()
    check(tmp_path, [])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to every folder")
def test_a_folder_that_may_only_be_read_takes_nothing_and_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures").chmod(0o500)
    try:
        gallery = open_gallery(tmp_path)
        library = Library(tmp_path / "pictures", tmp_path / "rescued", saved=gallery.add)
        picture = library.save(recipe(), finished())
        gallery.close()
        assert picture.file.is_relative_to(tmp_path / "rescued")
        check(tmp_path, [picture])
    finally:
        (tmp_path / "pictures").chmod(0o700)
