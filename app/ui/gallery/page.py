"""The gallery: the second view of the window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QPixmap, QShortcut, QShowEvent
from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from app.library.entry import Entry
from app.library.gallery import Gallery
from app.library.search import Query
from app.ui.background import Background
from app.ui.drag import Carried, carry
from app.ui.gallery.actions import EntryActions
from app.ui.gallery.bar import Bar
from app.ui.gallery.empty import Empty
from app.ui.gallery.grid import Grid
from app.ui.gallery.keeping import Keeper
from app.ui.gallery.pictures import Pictures
from app.ui.gallery.thumbs import Decodes, Thumbs
from app.ui.gallery.tiles import RIM
from app.ui.theme import Theme
from app.ui.tokens import HALO

if TYPE_CHECKING:
    from app.ui.gallery.compare import Comparer
    from app.ui.gallery.viewer import Viewer

LOOK_AFTER_MS = 300
"""The folders are looked at when what is known of them is on the screen."""


class GalleryPage(QWidget):
    """All pictures, found and chosen. What is done with them is in ``actions``.

    ``open_wanted`` carries the Entry to show in Draw; ``draw_wanted`` leads there without one.
    """

    open_wanted = Signal(object)
    draw_wanted = Signal()

    def __init__(
        self, theme: Theme, gallery: Gallery, makes: Decodes, bin_folder: Path, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.theme = theme
        self.gallery = gallery
        self.background = Background(self)
        self.actions_ = EntryActions(gallery, self.background, self, bin_folder)
        self.pictures = Pictures(gallery)
        self.thumbs = Thumbs(makes, self._thumb_size, self)
        self.keeper = Keeper(gallery, self)
        self.bar = Bar(theme, gallery.tags)
        self.grid = Grid(theme, self.pictures, self.thumbs)
        self.empty = Empty(theme)
        self.viewer: Viewer | None = None
        self.comparer: Comparer | None = None
        self._settled = False
        self._from_viewer = False
        self._row = -1
        self._reading = (0, 0)
        self._first_look = QTimer(self)
        self._first_look.setSingleShot(True)
        self._first_look.setInterval(LOOK_AFTER_MS)
        self._first_look.timeout.connect(self.keeper.look)
        self._lay_out()
        self._connect()
        self.pictures.ask(self.bar.query())
        self._tell()

    def _lay_out(self) -> None:
        self.setAccessibleName("Gallery")
        self.setAutoFillBackground(True)
        browse = QWidget()
        column = QVBoxLayout(browse)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.bar)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.grid)
        self._stack.addWidget(self.empty)
        column.addLayout(self._stack, 1)
        self._browse = browse
        around = QVBoxLayout(self)
        around.setContentsMargins(20 - HALO, 14 - HALO, 20 - HALO, 0)
        self._outer = QStackedLayout()
        around.addLayout(self._outer)
        self._outer.addWidget(browse)

    def _connect(self) -> None:
        grid, actions = self.grid, self.actions_
        self.bar.asked.connect(self._ask)
        self.bar.down.connect(self._to_grid)
        grid.chosen_changed.connect(self._chosen)
        grid.menu_wanted.connect(self._open_menu)
        grid.drag_wanted.connect(self._drag)
        grid.view_wanted.connect(self.view)
        actions.view.connect(self.view)
        actions.compare.connect(self.compare)
        grid.open_wanted.connect(self.open_wanted)
        grid.heart_pressed.connect(lambda e: actions.set_favourite([e], not e.favourite))
        actions.marked.connect(self.refresh)
        self.empty.draw_wanted.connect(self.draw_wanted)
        self.empty.all_wanted.connect(self.bar.clear)
        self.keeper.changed.connect(self.refresh)
        self.keeper.reading.connect(self._read)
        self.keeper.settled.connect(self._settle)
        find = QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self)
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        find.activated.connect(self._find)

    def _thumb_size(self) -> tuple[int, float]:
        return self.grid.cell().width() - 2 * RIM, self.devicePixelRatioF()

    def refresh(self) -> None:
        """Ask the index again."""
        self.pictures.ask()
        self._tell()
        if self.viewing and self.viewer is not None and self.viewer.entry is not None:
            self._look_again(self.viewer, self.viewer.entry)

    def look(self) -> None:
        """Look at the folders, soon."""
        self._first_look.start()

    def close_down(self) -> None:
        """End all that goes on beside the window, and the index."""
        self._first_look.stop()
        self.keeper.close()
        self.background.wait()
        self.thumbs.close()
        self.gallery.close()

    # One large, two compared

    @property
    def viewing(self) -> bool:
        """Whether one picture is seen large."""
        return self.viewer is not None and self._outer.currentWidget() is self.viewer

    def view(self, entry: Entry) -> None:
        """Show ``entry`` large."""
        if self.viewer is None:
            from app.ui.gallery.viewer import Viewer

            self.viewer = viewer = Viewer(self.theme, self.gallery, self.thumbs, self.background)
            self._outer.addWidget(viewer)
            viewer.walked.connect(self._walk)
            viewer.closed.connect(self.browse)
            viewer.shown.connect(self._seen)
            viewer.compare_wanted.connect(self.compare)
            viewer.problem.connect(self.actions_.problem)
            viewer.heart_pressed.connect(
                lambda e: self.actions_.set_favourite([e], not e.favourite)
            )
        self._outer.setCurrentWidget(self.viewer)
        self.viewer.look_at(entry)
        self.viewer.setFocus(Qt.FocusReason.OtherFocusReason)

    def compare(self, before: Entry, after: Entry) -> None:
        """Show two with a line between them."""
        if self.comparer is None:
            from app.ui.gallery.compare import Comparer

            self.comparer = Comparer(self.theme, self.background)
            self._outer.addWidget(self.comparer)
            self.comparer.closed.connect(self._compared)
            self.comparer.problem.connect(self.actions_.problem)
        self._from_viewer = self.viewing
        self.actions_.set_entries((before, after))
        self._outer.setCurrentWidget(self.comparer)
        self.comparer.look_at(before, after)
        self.comparer.setFocus(Qt.FocusReason.OtherFocusReason)

    def browse(self) -> None:
        """Back to all, at the one that was looked at."""
        row = -1
        if self.viewer is not None and self.viewer.entry is not None:
            row = self.pictures.row_of(self.viewer.entry.key)
        self._outer.setCurrentWidget(self._browse)
        if row >= 0 and self.grid.currentIndex().row() != row:
            self.grid.choose(row)
        self.actions_.set_entries(self.grid.chosen())
        self.grid.setFocus(Qt.FocusReason.OtherFocusReason)

    def _compared(self) -> None:
        if self._from_viewer and self.viewer is not None and self.viewer.entry is not None:
            self.view(self.viewer.entry)
        else:
            self.browse()

    def _walk(self, by: int) -> None:
        if self.viewer is not None and self.viewer.entry is not None:
            entry = self.pictures.entry(self.pictures.row_of(self.viewer.entry.key) + by)
            if entry is not None:
                self.viewer.look_at(entry)

    def _seen(self, entry: Entry) -> None:
        self._row = self.pictures.row_of(entry.key)
        self.actions_.set_entries([entry])
        if self.viewer is not None:
            self.viewer.say_place(self._row, self.pictures.rowCount())

    def _look_again(self, viewer: Viewer, entry: Entry) -> None:
        """Marked, moved or gone: then the one in its place."""
        now = self.gallery.at(entry.file) or next(iter(self.gallery.by_id(entry.id)), None)
        if now is None:
            now = self.pictures.entry(min(self._row, self.pictures.rowCount() - 1))
        if now is None:
            self.browse()
        else:
            viewer.look_at(now)

    # What is shown

    def _ask(self, query: Query) -> None:
        if query != self.pictures.query:
            self.pictures.ask(query)
            self.grid.scrollToTop()
        self._tell()

    def _tell(self) -> None:
        """The count, or why there is nothing."""
        found, chosen = self.pictures.rowCount(), len(self.grid.selectedIndexes())
        if found:
            self._stack.setCurrentWidget(self.grid)
        elif self.bar.narrowed:
            self.empty.say_none_found(self.bar.search.text())
            self._stack.setCurrentWidget(self.empty)
        else:
            self.empty.say_none_yet() if self._settled else self.empty.say_looking()
            self._stack.setCurrentWidget(self.empty)
        number = QLocale().toString
        done, of = self._reading
        if of:
            words = f"{number(done)} of {number(of)} new ones read"
        elif chosen > 1:
            words = f"{number(chosen)} of {number(found)} chosen"
        else:
            words = "1 picture" if found == 1 else f"{number(found)} pictures"
        self.bar.count.setText(words if found or of else "")

    def _chosen(self) -> None:
        if self._outer.currentWidget() is self._browse:
            self.actions_.set_entries(self.grid.chosen())
        self._tell()

    def _read(self, done: int, of: int) -> None:
        self._reading = (done, of)
        self._tell()

    def _settle(self) -> None:
        self._settled = True
        self._tell()

    # What the person does

    def _to_grid(self) -> None:
        if self.pictures.rowCount():
            self.grid.choose(max(0, self.grid.currentIndex().row()))
            self.grid.setFocus(Qt.FocusReason.TabFocusReason)

    def _find(self) -> None:
        self.bar.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.bar.search.edit.selectAll()

    def _open_menu(self, at: QPoint) -> None:
        menu = self.actions_.menu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)

    def _drag(self) -> None:
        carried = self.carried()
        if carried is not None:
            carry(self.grid, carried)

    def carried(self) -> Carried | None:
        """The chosen pictures, the current one first."""
        chosen = self.grid.chosen()
        if not chosen:
            return None
        current: Entry | None = self.grid.current()
        first = current if current in chosen else chosen[0]
        image = self.thumbs.get(first)
        shown = QPixmap() if image is None else QPixmap.fromImage(image)
        shown.setDevicePixelRatio(1.0)
        files = [entry.file for entry in chosen if entry is not first]
        return Carried(first.file, shown, tuple(files))

    # Qt's own.

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        super().showEvent(event)
        self.look()
