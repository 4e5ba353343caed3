"""The index says what the files say, whatever happens to either."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import (
    FolderNotWritable,
    IndexTooNew,
    LibraryDamaged,
)
from app.core.recipe import How, Parent
from app.library.gallery import BATCH, Gallery, Refreshed
from app.library.library import Library
from app.library.search import Query, Sort, take_apart
from tests.files.test_atomic_file import disk_full_after
from tests.library import foreign_pictures as theirs
from tests.library.examples import AWKWARD, finished, recipe
from tests.library.pictures import BEGIN, content, draw, listed, names, open_gallery


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    made = open_gallery(tmp_path)
    yield made
    made.close()


def test_pictures_of_the_folder_are_listed_with_what_they_say(
    gallery: Gallery, tmp_path: Path
) -> None:
    picture = draw(tmp_path / "pictures" / "day", "a red apple", 17)
    assert gallery.refresh() == Refreshed(read=1)
    (entry,) = listed(gallery)
    assert entry.file == picture.file
    assert (entry.id, entry.recipe, entry.created) == (picture.id, picture.recipe, picture.created)
    assert (entry.prompt, entry.seed, entry.model) == ("a red apple", 17, "m")
    assert (entry.program, entry.placement, entry.seconds) == ("Easel", "CPU", 1.5)
    assert (entry.width, entry.height) == (8, 8)
    assert entry.version == picture.version
    assert gallery.at(picture.file) == entry
    assert gallery.refresh() == Refreshed()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".avif"])
def test_each_form_is_listed(gallery: Gallery, tmp_path: Path, suffix: str) -> None:
    picture = draw(tmp_path / "pictures", "a red apple", 17, suffix)
    gallery.refresh()
    (entry,) = listed(gallery)
    assert (entry.id, entry.recipe) == (picture.id, picture.recipe)


def test_a_saved_picture_is_listed_at_once_and_as_the_look_would_list_it(
    gallery: Gallery, tmp_path: Path
) -> None:
    library = Library(tmp_path / "pictures", tmp_path / "rescued", saved=gallery.add)
    of = recipe("a dog", parent=Parent("f" * 32, How.VARIATION))
    picture = library.save(of, finished(of.size.width, of.size.height))
    before = content(gallery)
    assert [entry.file for entry in before] == [picture.file]
    gallery.rebuild()
    assert content(gallery) == before


def test_a_picture_that_cannot_be_listed_is_saved_all_the_same(tmp_path: Path) -> None:
    def fail(_: object) -> None:
        raise FolderNotWritable("/x", "permission")

    library = Library(tmp_path / "pictures", tmp_path / "rescued", saved=fail)
    assert library.save(recipe(), finished()).file.exists()


def test_files_that_are_added_changed_moved_and_deleted_are_followed(
    gallery: Gallery, tmp_path: Path
) -> None:
    pictures = tmp_path / "pictures"
    for n in range(4):
        draw(pictures, f"apple {n}", n)
    gallery.refresh()
    keys = {entry.file.name: entry.key for entry in listed(gallery)}
    (pictures / "elsewhere").mkdir()
    (pictures / "00000.png").rename(pictures / "elsewhere" / "moved.png")
    (pictures / "00001.png").unlink()
    draw(pictures, "a pear", 2)
    draw(pictures, "a plum", 9)
    assert gallery.refresh() == Refreshed(read=2, moved=1, gone=1)
    assert names(gallery) == ["moved.png", "00002.png", "00003.png", "00009.png"]
    assert [entry.prompt for entry in listed(gallery)] == ["apple 0", "a pear", "apple 3", "a plum"]
    after = {entry.file.name: entry.key for entry in listed(gallery)}
    assert after["moved.png"] == keys["00000.png"]
    assert after["00003.png"] == keys["00003.png"]


def test_a_copy_is_listed_beside_the_original(gallery: Gallery, tmp_path: Path) -> None:
    picture = draw(tmp_path / "pictures", "a", 1)
    shutil.copy(picture.file, tmp_path / "pictures" / "copy.png")
    gallery.refresh()
    assert sorted(entry.file.name for entry in gallery.by_id(picture.id)) == [
        "00001.png",
        "copy.png",
    ]


def test_a_folder_that_is_away_takes_its_pictures_and_brings_them_back(
    gallery: Gallery, tmp_path: Path
) -> None:
    picture = draw(tmp_path / "pictures", "a", 1)
    gallery.refresh()
    gallery.set_favourite([picture.id], True)
    (tmp_path / "pictures").rename(tmp_path / "unplugged")
    assert gallery.refresh() == Refreshed(gone=1)
    assert listed(gallery) == []
    (tmp_path / "unplugged").rename(tmp_path / "pictures")
    gallery.refresh()
    assert [entry.favourite for entry in listed(gallery)] == [True]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_may_not_be_read_keeps_its_rows(gallery: Gallery, tmp_path: Path) -> None:
    draw(tmp_path / "pictures" / "closed", "a", 1)
    gallery.refresh()
    (tmp_path / "pictures" / "closed").chmod(0)
    try:
        assert gallery.refresh() == Refreshed()
        assert len(listed(gallery)) == 1
    finally:
        (tmp_path / "pictures" / "closed").chmod(0o700)


def test_what_is_no_picture_is_passed_over_and_not_opened_twice(
    gallery: Gallery, tmp_path: Path
) -> None:
    pictures = tmp_path / "pictures"
    draw(pictures, "a", 1)
    (pictures / "notes.txt").write_text("no picture")
    (pictures / "broken.png").write_bytes(b"no picture")
    (pictures / ".hidden.png").write_bytes(b"no picture")
    (pictures / "folder.png").mkdir()
    (pictures / "link.png").symlink_to(pictures / "nowhere.png")
    assert gallery.refresh() == Refreshed(read=2)
    assert names(gallery) == ["00001.png"]
    assert gallery.refresh() == Refreshed()
    draw(pictures, "b", 2).file.rename(pictures / "broken.png")
    assert gallery.refresh() == Refreshed(read=1)
    assert len(listed(gallery)) == 2


@pytest.mark.parametrize(
    ("data", "program", "prompt"),
    [
        (theirs.comfy_png(), "ComfyUI", 'beautiful scenery, a "glass" bottle; purple'),
        (theirs.png(parameters=theirs.AUTOMATIC1111_OLD), "AUTOMATIC1111", "girl with an artist"),
        (theirs.png(), "", ""),
(theirs.png(parameters="?\nSteps: 1, Seed: 5, CFG scale: 1"), "AUTOMATIC1111", "?"),
    ],
)  # fmt: skip
def test_pictures_of_other_programs_are_listed_too(
    gallery: Gallery, tmp_path: Path, data: bytes, program: str, prompt: str
) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "theirs.png").write_bytes(data)
    gallery.refresh()
    (entry,) = listed(gallery)
    assert entry.program == program
    assert entry.prompt.startswith(prompt)
    assert entry.recipe is None
    assert len(entry.id) == 64


def test_the_folders_to_watch_are_those_that_are_looked_into(
    gallery: Gallery, tmp_path: Path
) -> None:
    assert gallery.folders() == ()
    for name in ("a/b", ".hidden", "c"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
    (tmp_path / "pictures" / "link").symlink_to(tmp_path / "pictures" / "a")
    assert [str(f.relative_to(tmp_path)) for f in gallery.folders()] == [
        "pictures",
        "pictures/a",
        "pictures/c",
        "pictures/a/b",
    ]


def test_a_name_that_is_no_unicode_is_listed(gallery: Gallery, tmp_path: Path) -> None:
    picture = draw(tmp_path / "pictures", "a", 1)
    odd = Path(os.fsdecode(os.fsencode(tmp_path / "pictures") + b"/\xff\xfe.png"))
    try:
        picture.file.rename(odd)
    except OSError:
        pytest.skip("this disk takes Unicode only")
    gallery.refresh()
    assert [entry.file for entry in listed(gallery)] == [odd]


def test_rebuilding_gives_the_same_index_marks_included(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    for n in range(5):
        draw(pictures, AWKWARD[n], n)
    draw(pictures, recipe("child", parent=Parent(f"{1:032x}", How.REDRAW)), 7)
    (pictures / "theirs.png").write_bytes(theirs.comfy_png())
    gallery = open_gallery(tmp_path)
    gallery.refresh()
    gallery.set_favourite([f"{2:032x}"], True)
    gallery.add_tag([f"{2:032x}", f"{3:032x}"], "garden")
    before = content(gallery)
    assert sum(entry.favourite for entry in before) == 1
    assert gallery.rebuild() == Refreshed(read=7)
    assert content(gallery) == before
    gallery.close()
    for file in (tmp_path / "support").glob("index.sqlite3*"):
        file.unlink()
    gallery = open_gallery(tmp_path)
    assert gallery.refresh() == Refreshed(read=7)
    assert content(gallery) == before
    assert gallery.problems() == ()
    gallery.close()


# --- searching ----------------------------------------------------------------------------------


@pytest.fixture
def searched(gallery: Gallery, tmp_path: Path) -> Gallery:
    pictures = tmp_path / "pictures"
    draw(pictures, recipe("A Red apple; on a café table", 17, negative_prompt="blurry hands"), 0)
    draw(pictures, recipe("苹果 on りんごの木", 1700, steps=30), 1)
    draw(pictures, recipe("تفاحة حمراء 🍎", 3), 2)
    draw(pictures, recipe("an applesauce advert", 4), 3)
    gallery.refresh()
    gallery.set_favourite([f"{3:032x}"], True)
    gallery.add_tag([f"{0:032x}", f"{3:032x}"], "Garden of mine")
    return gallery


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [0, 1, 2, 3]),
        ("   ", [0, 1, 2, 3]),
        ("app", [0, 3]),
        ("APPLE", [0, 3]),
        ('"apple"', [0]),
        ("apple red", [0]),
        ('"red apple"', [0]),
        ('"apple red"', []),
        ("cafe", [0]),
        ("café", [0]),
        ("blurry", [0]),
        ("prompt:blurry", []),
        ("negative:blurry", [0]),
        ("果", [1]),
        ("苹果", [1]),
        ("んご", [1]),
        ("حمراء", [2]),
        ("🍎", [0, 1, 2, 3]),
        ("seed:17", [0, 1]),
        ('seed:"17"', [0]),
        ("date:2026-11", [0, 1, 2, 3]),
        ("date:2027", []),
        ("model:m", [0, 1, 2, 3]),
        ("scheduler:karras", [0, 1, 2, 3]),
        ("scheduler:euler", []),
        ("is:favourite", [3]),
        ("is:favourite apple", [3]),
        ('tag:"Garden of mine"', [0, 3]),
        ('tag:"garden of mine" advert', [3]),
        ("tag:garden", []),
        ("colour:red", []),
        ('"', [0, 1, 2, 3]),
        ('" OR "', []),
        ("apple*", [0, 3]),
        ("(apple", [0, 3]),
        ("apple) OR (red", []),
        ("NOT apple", []),
        ("NEAR(apple)", []),
        ("prompt : apple", [0]),
        ("'; DROP TABLE pictures; --", []),
        ("apple\0\ud83c", [0, 3]),
        ("a " * 500, [0, 3]),
    ],
)
def test_search_as_you_type(searched: Gallery, text: str, found: list[int]) -> None:
    names_found = names(searched, Query(text, sort=Sort.OLDEST))
    if text == "prompt : apple":  # a field is written without a space
        assert names_found == []
        return
    assert names_found == [f"{n:05}.png" for n in found]


@given(st.text(max_size=80) | st.text('"*():^-+ {}apleORNDT\0', max_size=40))
def test_nothing_that_is_typed_is_an_error(text: str) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE words USING fts5 (prompt, negative, model, seed, "
                       "scheduler, date)")  # fmt: skip
    match = take_apart(Query(text)).match
    if match:
        connection.execute("SELECT * FROM words WHERE words MATCH ?", (match,)).fetchall()
    connection.close()


def test_every_order(searched: Gallery) -> None:
    orders = {sort: names(searched, Query(sort=sort)) for sort in Sort}
    oldest = [f"{n:05}.png" for n in range(4)]
    assert orders[Sort.OLDEST] == oldest
    assert orders[Sort.NEWEST] == oldest[::-1]
    assert orders[Sort.SEED] == ["00002.png", "00003.png", "00000.png", "00001.png"]
    assert orders[Sort.PROMPT] == ["00000.png", "00003.png", "00002.png", "00001.png"]
    assert orders[Sort.MODEL] == oldest[::-1]


def test_tags_are_counted_and_taken_away(searched: Gallery) -> None:
    assert [(tag.name, tag.count) for tag in searched.tags()] == [("Garden of mine", 2)]
    searched.remove_tag([f"{0:032x}"], " Garden\nof mine ")
    assert [(tag.name, tag.count) for tag in searched.tags()] == [("Garden of mine", 1)]
    (entry,) = listed(searched, Query(favourites=True))
    assert (entry.favourite, entry.tags) == (True, ("Garden of mine",))


# --- families -----------------------------------------------------------------------------------


def test_a_picture_knows_its_parent_and_its_children(gallery: Gallery, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    first = draw(pictures, "a", 1)
    for n, how in enumerate(How, 2):
        draw(pictures, recipe("a", n, parent=Parent(first.id, how)), n)
    gallery.refresh()
    parent, *children = listed(gallery)
    assert gallery.parent(parent) is None
    assert list(gallery.children(parent)) == children
    assert [gallery.parent(child) for child in children] == [parent] * 3
    assert [child.parent.how for child in children if child.parent] == list(How)
    parent.file.unlink()
    gallery.refresh()
    assert gallery.parent(children[0]) is None


# --- faults -------------------------------------------------------------------------------------


def damage(file: Path) -> None:
    """A part of every page is not what it was; the header is, so that it still opens."""
    data = bytearray(file.read_bytes())
    for at in range(4096, len(data), 4096):
        data[at : at + 2048] = os.urandom(2048)
    file.write_bytes(data)


@pytest.mark.parametrize("kind", ["noise", "empty table", "truncated", "pages", "another database"])
def test_a_damaged_index_is_put_aside_and_made_again(tmp_path: Path, kind: str) -> None:
    for n in range(30):
        draw(tmp_path / "pictures", f"apple {n} " * 20, n)
    gallery = open_gallery(tmp_path)
    gallery.refresh()
    gallery.add_tag([f"{n:032x}" for n in range(3)], "kept")
    before = content(gallery)
    gallery.close()
    file = tmp_path / "support" / "index.sqlite3"
    if kind == "noise":
        file.write_bytes(os.urandom(50_000))
    elif kind == "truncated":
        file.write_bytes(file.read_bytes()[:9000])
    elif kind == "pages":
        damage(file)
    else:
        connection = sqlite3.connect(file)
        connection.execute("DROP TABLE words" if kind == "another database" else "SELECT 1")
        connection.commit()
        connection.close()
    gallery = open_gallery(tmp_path)
    while not gallery.refresh().whole:
        pass
    if kind == "another database":
        gallery.rebuild()
        while not gallery.refresh().whole:
            pass
    assert content(gallery) == before
    problems = gallery.problems()
    if kind == "empty table":
        assert problems == ()
    else:
        assert problems == (LibraryDamaged("index", str(file), f"{file}.damaged"),)
        assert Path(f"{file}.damaged").exists()
    assert gallery.problems() == ()
    gallery.close()


def test_an_index_that_breaks_while_it_is_used_is_replaced(tmp_path: Path) -> None:
    for n in range(30):
        draw(tmp_path / "pictures", f"apple {n} " * 20, n)
    gallery = open_gallery(tmp_path)
    gallery.refresh()
    before = content(gallery)
    gallery._index._writes.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damage(tmp_path / "support" / "index.sqlite3")
    gallery._index._reads.execute("PRAGMA shrink_memory")
    gallery._index._reads.execute("PRAGMA cache_size = 0")
    gallery.keys(Query("apple"))
    gallery.rebuild()
    while not gallery.refresh().whole:
        pass
    assert content(gallery) == before
    gallery.close()


def test_the_index_of_a_newer_easel_is_refused_and_left_alone(tmp_path: Path) -> None:
    open_gallery(tmp_path).close()
    file = tmp_path / "support" / "index.sqlite3"
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(IndexTooNew) as caught:
        open_gallery(tmp_path)
    assert caught.value == IndexTooNew(str(file), 99)
    assert file.read_bytes() == before


def test_where_no_index_can_be_kept_it_is_in_memory(tmp_path: Path) -> None:
    draw(tmp_path / "pictures", "a", 1)
    (tmp_path / "support").write_text("a file, not a folder")
    gallery = open_gallery(tmp_path)
    gallery.refresh()
    assert names(gallery) == ["00001.png"]
    assert [type(problem) for problem in gallery.problems()] == [FolderNotWritable]
    with pytest.raises(FolderNotWritable):
        gallery.set_favourite(["a"], True)
    gallery.close()


def test_a_full_disk_is_a_typed_error_and_the_next_look_goes_on(tmp_path: Path) -> None:
    gallery = open_gallery(tmp_path)
    for n in range(BATCH + 50):
        draw(tmp_path / "pictures", "apple " * 100, n)
    with disk_full_after(300_000), pytest.raises(Exception, match=r".") as caught:
        gallery.refresh()
    assert type(caught.value).__name__ in ("NoSpace", "FolderNotWritable")
    while not gallery.refresh().whole:
        pass
    assert len(listed(gallery)) == BATCH + 50
    gallery.close()


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"version": 2}', b"[" * 100_000, b"\xff"])
def test_damaged_marks_are_put_aside_and_said_once(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "support").mkdir()
    file = tmp_path / "support" / "marks.json"
    file.write_bytes(data)
    gallery = open_gallery(tmp_path)
    assert gallery.problems() == (LibraryDamaged("marks", str(file), f"{file}.damaged"),)
    assert Path(f"{file}.damaged").read_bytes() == data
    gallery.set_favourite(["a"], True)
    gallery.close()
    again = open_gallery(tmp_path)
    assert again.problems() == ()
    again.close()


def test_marks_that_the_system_withholds_are_never_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "support" / "marks.json"
    gallery = open_gallery(tmp_path)
    gallery.set_favourite(["a"], True)
    gallery.close()
    before = file.read_bytes()

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "no")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", refuse)
        gallery = open_gallery(tmp_path)
    assert gallery.problems() == (LibraryDamaged("marks", str(file), ""),)
    with pytest.raises(FolderNotWritable):
        gallery.set_favourite(["b"], True)
    gallery.close()
    assert file.read_bytes() == before


def test_an_interrupted_look_goes_on_where_it_was(gallery: Gallery, tmp_path: Path) -> None:
    for n in range(BATCH + 10):
        draw(tmp_path / "pictures", "a", n)
    told: list[tuple[int, int]] = []
    assert gallery.refresh(lambda: bool(told), lambda *how_far: told.append(how_far)) == Refreshed(
        read=BATCH, whole=False
    )
    assert told == [(BATCH, BATCH + 10)]
    assert gallery.refresh() == Refreshed(read=10)
    assert len(listed(gallery)) == BATCH + 10


def test_the_window_reads_while_another_thread_lists(gallery: Gallery, tmp_path: Path) -> None:
    for n in range(BATCH):
        draw(tmp_path / "pictures", "a", n)
    seen: list[int] = []
    thread = threading.Thread(target=gallery.refresh)
    thread.start()
    while thread.is_alive():
        seen.append(len(gallery.keys()))
    thread.join()
    assert seen == sorted(seen)
    assert len(gallery.keys()) == BATCH


def test_two_programs_may_use_one_index(tmp_path: Path) -> None:
    first, second = open_gallery(tmp_path), open_gallery(tmp_path)
    library = Library(tmp_path / "pictures", tmp_path / "rescued", saved=first.add)
    picture = library.save(recipe(), finished(64, 64))
    assert [entry.file for entry in listed(second)] == [picture.file]
    assert second.refresh() == Refreshed()
    first.close()
    second.close()


def test_entries_carry_their_time_zone(gallery: Gallery, tmp_path: Path) -> None:
    draw(tmp_path / "pictures", "a", 5)
    gallery.refresh()
    (entry,) = listed(gallery)
    assert entry.created == BEGIN + timedelta(seconds=5)
    assert entry.created.utcoffset() == timedelta(0)
    assert replace(entry, key=0) == content(gallery)[0]
