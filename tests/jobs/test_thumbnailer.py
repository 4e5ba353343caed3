"""Small pictures come beside the window: all of those wanted last, none of those wanted before."""

from __future__ import annotations

import threading
from pathlib import Path

from app.core.errors import Bug, EaselError, PictureUnreadable
from app.core.events import Pixels
from app.jobs.thumbnailer import Thumbnailer
from app.library.entry import Entry, read_entry
from app.library.thumbnails import Thumbnails
from tests.library.pictures import draw

WAIT_S = 20.0


def entries(folder: Path, count: int) -> list[Entry]:
    return [read_entry(draw(folder, "a", n).file) for n in range(count)]


class Desk:
    """Collects what was made."""

    def __init__(self) -> None:
        self.made: dict[str, Pixels | EaselError] = {}
        self._more = threading.Condition()

    def take(self, entry: Entry, found: Pixels | EaselError) -> None:
        with self._more:
            self.made[entry.id] = found
            self._more.notify_all()

    def wait(self, count: int) -> None:
        with self._more:
            assert self._more.wait_for(lambda: len(self.made) >= count, WAIT_S)


def test_all_that_is_wanted_is_made_by_threads_that_end(tmp_path: Path) -> None:
    desk, wanted = Desk(), entries(tmp_path, 30)
    thumbnailer = Thumbnailer(Thumbnails(tmp_path / "cache"), desk.take)
    before = threading.active_count()
    thumbnailer.want(wanted)
    desk.wait(30)
    assert threading.active_count() == before + 2
    thumbnailer.close()
    assert threading.active_count() == before
    assert {entry.id for entry in wanted} == set(desk.made)
    assert all(isinstance(found, Pixels) and found.width == 8 for found in desk.made.values())


def test_what_is_wanted_now_comes_instead_of_what_was_wanted_before(tmp_path: Path) -> None:
    gate, begun = threading.Event(), threading.Event()
    order: list[str] = []

    class Slow:
        def get(self, entry: Entry) -> Pixels:
            order.append(entry.file.name)
            begun.set()
            gate.wait(WAIT_S)
            return Pixels(1, 1, b"abc")

    desk, wanted = Desk(), entries(tmp_path, 6)
    thumbnailer = Thumbnailer(Slow(), desk.take, threads=1)
    thumbnailer.want(wanted[:4])
    assert begun.wait(WAIT_S)
    thumbnailer.want(wanted[4:])
    gate.set()
    desk.wait(3)
    thumbnailer.close()
    assert order == ["00000.png", "00004.png", "00005.png"]


def test_what_cannot_be_made_says_why_and_stops_nothing(tmp_path: Path) -> None:
    desk, wanted = Desk(), entries(tmp_path, 3)
    wanted[0].file.unlink()

    class Broken:
        def get(self, entry: Entry) -> Pixels:
            if entry is wanted[1]:
                raise ZeroDivisionError
            return Thumbnails(tmp_path / "cache").get(entry)

    thumbnailer = Thumbnailer(Broken(), desk.take)
    thumbnailer.want(wanted)
    desk.wait(3)
    thumbnailer.close()
    found = [desk.made[entry.id] for entry in wanted]
    assert isinstance(found[0], PictureUnreadable)
    assert isinstance(found[1], Bug)
    assert isinstance(found[2], Pixels)


def test_after_the_close_nothing_is_made(tmp_path: Path) -> None:
    desk = Desk()
    thumbnailer = Thumbnailer(Thumbnails(tmp_path / "cache"), desk.take)
    thumbnailer.close()
    thumbnailer.want(entries(tmp_path, 1))
    assert desk.made == {}
