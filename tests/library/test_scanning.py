"""The difference between what is listed and what lies in the folders."""

from __future__ import annotations

import os
import time
from pathlib import Path

from app.files.atomic_file import STALE_AFTER_S
from app.library.entry import Stamp
from app.library.scanning import MAX_DEPTH, Changes, scan


def put(file: Path, data: bytes = b"x") -> bytes:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return os.fsencode(file)


def of(path: bytes) -> Path:
    return Path(os.fsdecode(path))


def stamp(path: bytes) -> Stamp:
    return Stamp.of(of(path).stat())


def test_every_kind_of_change(tmp_path: Path) -> None:
    same, changed, moved, gone = (put(tmp_path / f"{n}.png", b"x" * n) for n in range(1, 5))
    known = {path: stamp(path) for path in (same, changed, moved, gone)}
    put(of(changed), b"something else")
    (tmp_path / "below").mkdir()
    target = os.fsencode(of(moved).rename(tmp_path / "below" / "moved.png"))
    of(gone).unlink()
    new = put(tmp_path / "new.WEBP")
    assert scan([tmp_path], known) == Changes(
        new=tuple(sorted([changed, new])), moved=((moved, target),), gone=(gone,)
    )


def test_what_lies_outside_of_the_folders_is_gone_though_it_is_there(tmp_path: Path) -> None:
    old = put(tmp_path / "old" / "a.png")
    assert scan([tmp_path / "new"], {old: stamp(old)}) == Changes(gone=(old,))


def test_another_spelling_of_one_name_is_a_move(tmp_path: Path) -> None:
    """A hard link that no listing shows stands for it: on such a disk both names find the file."""
    now = put(tmp_path / "a.png")
    before = os.fsencode(tmp_path / ".A.png")
    of(before).hardlink_to(of(now))
    assert scan([tmp_path], {before: stamp(now)}) == Changes(moved=((before, now),))


def test_a_file_that_came_while_the_folders_were_read_stays_listed(tmp_path: Path) -> None:
    late = put(tmp_path / ".not-in-the-listing.png")
    assert scan([tmp_path], {late: stamp(late)}) == Changes()


def test_two_files_that_changed_places_are_both_read_again(tmp_path: Path) -> None:
    first, second = put(tmp_path / "1.png", b"x"), put(tmp_path / "2.png", b"yy")
    known = {path: stamp(path) for path in (first, second)}
    of(first).rename(tmp_path / "3")
    of(second).rename(of(first))
    (tmp_path / "3").rename(of(second))
    assert scan([tmp_path], known) == Changes(new=(first, second))


def test_leftovers_of_killed_programs_are_removed_and_new_ones_are_not(tmp_path: Path) -> None:
    old, new = tmp_path / "day" / ".easel-1.part", tmp_path / "day" / ".easel-2.part"
    put(old)
    put(new)
    long_ago = time.time() - STALE_AFTER_S - 10
    os.utime(old, (long_ago, long_ago))
    assert scan([tmp_path], {}) == Changes()
    assert not old.exists()
    assert new.exists()


def test_folders_without_end_are_left_at_some_depth(tmp_path: Path) -> None:
    deep = tmp_path
    for n in range(MAX_DEPTH + 3):
        deep = deep / str(n)
    put(deep / "a.png")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert scan([tmp_path], {}) == Changes()


def test_a_look_can_be_broken_off(tmp_path: Path) -> None:
    for n in range(300):
        put(tmp_path / f"{n}.png")
    assert scan([tmp_path], {}, lambda: True) is None


def test_no_folder_is_no_fault(tmp_path: Path) -> None:
    assert scan([tmp_path / "nowhere", put_file(tmp_path)], {}) == Changes()


def put_file(folder: Path) -> Path:
    (folder / "file").write_text("not a folder")
    return folder / "file"
