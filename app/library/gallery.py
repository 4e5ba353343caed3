"""The library as a window shows it: the index, kept true to the files, and the marks."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from app.core.errors import (
    EaselError,
    FolderNotWritable,
    LibraryDamaged,
    NoSpace,
    PictureUnreadable,
)
from app.library.entry import Entry, Stamp, entry_of, read_entry
from app.library.index import Index, Tag
from app.library.marks import Marks, put_aside
from app.library.picture_file import Picture
from app.library.scanning import folders, scan
from app.library.search import Query

log = logging.getLogger(__name__)

BATCH = 200
"""Files of one transaction: what an interruption can cost."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How many files were new or changed, had moved, and were gone.

    ``whole`` is False where there is more to do: it was cancelled, or the index turned out to be
    damaged on the way and was begun anew.
    """

    read: int = 0
    moved: int = 0
    gone: int = 0
    whole: bool = True

    @property
    def changed(self) -> bool:
        return bool(self.read or self.moved or self.gone)


class Gallery:
    """Every picture below ``roots()``, listed in ``file`` and marked in ``marks``.

    The files are the truth: ``refresh`` makes the index so, whatever happened to either. A damaged
    index is put aside and begun anew, and where none can be kept it is in memory; ``problems``
    says so once. May be called from any thread; only ``refresh`` and ``rebuild`` take time.
    """

    def __init__(self, file: Path, marks: Path, roots: Callable[[], Sequence[Path]]) -> None:
        """Raises IndexTooNew."""
        self._file = file
        self._roots = roots
        self._refreshing = threading.Lock()
        self._opening = threading.Lock()
        self._marking = threading.Lock()
        self._problems: list[EaselError] = []
        self._checked: Index | None = None
        self._marks = Marks(marks)
        if self._marks.problem is not None:
            self._problems.append(self._marks.problem)
        self._index = self._open()
        self._copy_marks()

    def close(self) -> None:
        """Nothing may be asked afterwards."""
        self._index.close()

    def problems(self) -> tuple[EaselError, ...]:
        """What the person should be told, each once."""
        with self._opening:
            said, self._problems = tuple(self._problems), []
        return said

    # --- keeping it true ------------------------------------------------------------------------

    def add(self, picture: Picture) -> None:
        """List a picture that was just saved. Raises FolderNotWritable, NoSpace."""
        stamp = Stamp.of(picture.file.stat())
        size = picture.recipe.size
        entry = entry_of(picture, stamp, size.width, size.height)
        self._ask(lambda index: index.put([entry]))

    def refresh(
        self,
        cancelled: Callable[[], bool] = lambda: False,
        report: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> Refreshed:
        """Look at the folders and list what has changed. Raises FolderNotWritable, NoSpace.

        What was listed stays listed when it is cancelled or interrupted; the next one goes on.
        """
        with self._refreshing:
            self._check()
            index = self._index
            found = scan(self._roots(), self._ask(lambda index: index.known()), cancelled)
            if found is None:
                return Refreshed(whole=False)
            self._ask(lambda index: index.move(found.moved))
            self._ask(lambda index: index.drop(found.gone))
            done = 0
            while done < len(found.new) and not cancelled():
                self._read(found.new[done : done + BATCH])
                done = min(done + BATCH, len(found.new))
                report(done, len(found.new))
            whole = done == len(found.new) and self._index is index
            return Refreshed(done, len(found.moved), len(found.gone), whole)

    def folders(self) -> tuple[Path, ...]:
        """Every folder that pictures may lie in now: for whoever watches them and refreshes."""
        return folders(self._roots())

    def rebuild(
        self,
        cancelled: Callable[[], bool] = lambda: False,
        report: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> Refreshed:
        """Make the index again from the files alone. Raises as ``refresh`` does."""
        with self._refreshing:
            self._checked = None
            self._check()
            self._ask(lambda index: index.doubt_all())
            self._copy_marks()
        return self.refresh(cancelled, report)

    def _check(self) -> None:
        """All of the index, once."""
        if self._checked is not self._index:
            self._ask(lambda index: index.check())
            self._checked = self._index

    def _read(self, paths: Sequence[bytes]) -> None:
        entries: list[Entry] = []
        others: dict[bytes, Stamp] = {}
        for path in paths:
            file = Path(os.fsdecode(path))
            try:
                entries.append(read_entry(file))
            except PictureUnreadable as error:
                log.debug("not listed: %s", error)
                if error.reason in ("not a picture", "too large"):  # it will not change by itself
                    with contextlib.suppress(OSError):
                        others[path] = Stamp.of(file.stat())
        self._ask(lambda index: index.put(entries, others))

    # --- asking ---------------------------------------------------------------------------------

    def keys(self, query: Query = Query()) -> tuple[int, ...]:  # noqa: B008 (a frozen value)
        """The rows that ``query`` finds, in its order: for ``entries``, a page at a time."""
        return self._ask(lambda index: index.keys(query))

    def entries(self, keys: Sequence[int]) -> tuple[Entry, ...]:
        """Those rows in that order; ones that are not there any more are left out."""
        return self._ask(lambda index: index.entries(keys))

    def at(self, file: Path) -> Entry | None:
        """What is listed of that file."""
        return self._ask(lambda index: index.at(file))

    def parent(self, entry: Entry) -> Entry | None:
        """The picture that this one came of, where it is still here."""
        if entry.parent is None:
            return None
        return next(iter(self.by_id(entry.parent.picture)), None)

    def children(self, entry: Entry) -> tuple[Entry, ...]:
        """The pictures that came of this one, oldest first."""
        return self._ask(lambda index: index.children(entry.id))

    def by_id(self, id: str) -> tuple[Entry, ...]:
        """The files of that picture."""
        return self._ask(lambda index: index.by_id(id))

    def tags(self) -> tuple[Tag, ...]:
        """Every tag that is used, with how many pictures have it."""
        return self._ask(lambda index: index.tags())

    # --- marking --------------------------------------------------------------------------------

    def set_favourite(self, ids: Iterable[str], favourite: bool) -> None:
        """Raises FolderNotWritable, NoSpace; then nothing has changed."""
        self._marks.set_favourite(ids, favourite)
        self._copy_marks()

    def add_tag(self, ids: Iterable[str], tag: str) -> None:
        """As ``set_favourite``."""
        self._marks.add_tag(ids, tag)
        self._copy_marks()

    def remove_tag(self, ids: Iterable[str], tag: str) -> None:
        """As ``set_favourite``."""
        self._marks.remove_tag(ids, tag)
        self._copy_marks()

    def _copy_marks(self) -> None:
        with self._marking:
            marks = self._marks.all()
            self._ask(lambda index: index.set_marks(marks))

    # --- the index ------------------------------------------------------------------------------

    def _ask(self, question: Callable[[Index], Result]) -> Result:
        """The answer; of a new index where the old one turns out to be damaged."""
        index = self._index
        try:
            return question(index)
        except LibraryDamaged:
            self._replace(index)
            return question(self._index)

    def _replace(self, damaged: Index) -> None:
        with self._opening:
            if self._index is damaged:
                damaged.close()
                self._put_aside()
                self._index = self._open()
        self._index.set_marks(self._marks.all())

    def _open(self) -> Index:
        """1 the file, 2 a new file where that is damaged, 3 memory where there can be none."""
        try:
            try:
                return Index(self._file)
            except LibraryDamaged:
                self._put_aside()
                return Index(self._file)
        except (FolderNotWritable, NoSpace, LibraryDamaged) as error:
            self._problems.append(error)
            return Index(None)

    def _put_aside(self) -> None:
        self._problems.append(LibraryDamaged("index", str(self._file), put_aside(self._file)))
        for ending in ("-wal", "-shm"):
            self._file.with_name(f"{self._file.name}{ending}").unlink(missing_ok=True)
