"""What can be done with the chosen pictures of the gallery: one set of actions, and their menu."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMenu, QWidget

from app.core.errors import EaselError, PictureUnreadable
from app.library.entry import Entry
from app.library.gallery import Gallery
from app.ui.background import Background
from app.ui.clip import Clip, clip_of
from app.ui.gallery.taking import save_all, save_one, told
from app.ui.picture_actions import (
    FILE_MANAGER,
    AskWhere,
    ask_where_to_save,
    show_in_file_manager,
)
from app.ui.trash import Trashed, out_of_trash, to_trash_all

AskText = Callable[[QWidget], str]
"""Asks for a tag; "" where it was given up."""
AskFolder = Callable[[QWidget], Path | None]


class EntryActions(QObject):
    """Actions on ``entries``, which whoever shows pictures sets; each on only where it can be done.

    What the window does is told by signals with an ``Entry``. ``removed`` and ``restored`` carry
    files; ``marked`` says that favourites or tags have changed.
    """

    use_recipe = Signal(object)
    vary = Signal(object)
    start_from = Signal(object)
    redraw = Signal(object)
    view = Signal(object)
    compare = Signal(object, object)
    removed = Signal(object)
    restored = Signal(object)
    marked = Signal()
    problem = Signal(object)
    said = Signal(str)

    def __init__(
        self,
        gallery: Gallery,
        background: Background,
        owner: QWidget,
        bin_folder: Path,
        *,
        ask_where: AskWhere = ask_where_to_save,
        ask_folder: AskFolder | None = None,
        ask_tag: AskText | None = None,
        show_file: Callable[[Path], None] = show_in_file_manager,
    ) -> None:
        super().__init__(owner)
        self._gallery = gallery
        self._background = background
        self._owner = owner
        self._bin = bin_folder
        self._ask_where, self._show_file = ask_where, show_file
        self._ask_folder = ask_folder or _ask_folder
        self._ask_tag = ask_tag or _ask_tag
        self._trashed: list[list[Trashed]] = []
        self._can_start = True
        self.entries: Sequence[Entry] = ()
        self._make()
        self.set_entries(())

    def _make(self) -> None:
        keys = QKeySequence.StandardKey
        self.look = self._action("View Large", [], self._one(self.view))
        self.recipe = self._action("Use Recipe", ["Ctrl+Shift+U"], self._one(self.use_recipe))
        self.another = self._action("Draw a Variation", ["Ctrl+D"], self._one(self.vary))
        self.start = self._action("Start from This Picture", ["Ctrl+Shift+O"],
                                  self._one(self.start_from))  # fmt: skip
        self.again = self._action("Draw Again and Compare", [], self._one(self.redraw))
        self.side_by_side = self._action("Compare", ["Ctrl+K"], self._compare)
        self.favourite = self._action("Favourite", ["Ctrl+L"], self._favourite)
        self.favourite.setCheckable(True)
        self.show = self._action(f"Show in {FILE_MANAGER}", ["Ctrl+Shift+R"], self._reveal)
        self.copy = self._action("Copy Picture", ["Ctrl+Shift+C", keys.Copy], self._copy)
        self.copy_recipe = self._action("Copy Recipe", ["Ctrl+Alt+C"], self._copy_recipe)
        self.save_as = self._action("Save As…", ["Ctrl+S"], self._save)
        self.delete = self._action("Move to Trash", ["Ctrl+Backspace", keys.Delete], self._delete)
        self.put_back = self._action("Undo Move to Trash", [keys.Undo], self._put_back)

    def _action(
        self, text: str, keys: Sequence[str | QKeySequence.StandardKey], do: Callable[[], None]
    ) -> QAction:
        action = QAction(text, self._owner)
        action.setShortcuts([QKeySequence(key) for key in keys])
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.triggered.connect(lambda: do())
        self._owner.addAction(action)
        return action

    def _one(self, signal: object) -> Callable[[], None]:
        return lambda: signal.emit(self.entries[0]) if self.entries else None  # type: ignore[attr-defined]

    # The pictures at hand

    def set_entries(self, entries: Sequence[Entry]) -> None:
        """Act on these from now on."""
        self.entries = tuple(entries)
        some, one = bool(entries), len(entries) == 1
        first = entries[0] if entries else None
        ours = first is not None and one and bool(first.recipe_text)
        for action in (self.copy, self.show, self.look):
            action.setEnabled(one)
        for action in (self.favourite, self.save_as, self.delete):
            action.setEnabled(some)
        self.recipe.setEnabled(one and told(entries[0]))
        self.another.setEnabled(ours)
        self.again.setEnabled(ours)
        self.copy_recipe.setEnabled(one and told(entries[0]))
        self.start.setEnabled(one and self._can_start)
        self.side_by_side.setEnabled(len(entries) == 2)
        self.favourite.setChecked(some and all(entry.favourite for entry in entries))
        self.save_as.setText("Save As…" if len(entries) < 2 else f"Save {len(entries)} Pictures…")
        self.put_back.setEnabled(bool(self._trashed))

    def set_can_start(self, can: bool) -> None:
        """Whether the chosen model can start from a picture."""
        self._can_start = can
        self.set_entries(self.entries)

    def menu(self, parent: QWidget) -> QMenu:
        """A context menu; belongs to ``parent``."""
        menu = QMenu(parent)
        menu.setAccessibleName("Picture")
        if len(self.entries) < 2:
            menu.addAction(self.look)
            menu.addSeparator()
            menu.addActions([self.recipe, self.another, self.start, self.again])
        else:
            menu.addAction(self.side_by_side)
        menu.addSeparator()
        menu.addAction(self.favourite)
        menu.addMenu(self._tags_menu(menu))
        menu.addSeparator()
        if len(self.entries) < 2:
            menu.addActions([self.copy, self.copy_recipe, self.show])
        menu.addAction(self.save_as)
        menu.addSeparator()
        menu.addAction(self.delete)
        if self._trashed:
            menu.addAction(self.put_back)
        return menu

    # Favourites and tags

    def _favourite(self) -> None:
        wanted = not all(entry.favourite for entry in self.entries)
        self.set_favourite(self.entries, wanted)

    def set_favourite(self, entries: Sequence[Entry], favourite: bool) -> None:
        """Mark ``entries``, or take the mark away."""
        self._mark(lambda: self._gallery.set_favourite([e.id for e in entries], favourite))

    def _tags_menu(self, parent: QWidget) -> QMenu:
        menu = QMenu("Tags", parent)
        ids = [entry.id for entry in self.entries]
        for tag in self._gallery.tags():
            had = all(tag.name in entry.tags for entry in self.entries)
            action = menu.addAction(tag.name)
            action.setCheckable(True)
            action.setChecked(had)
            change = self._gallery.remove_tag if had else self._gallery.add_tag
            action.triggered.connect(
                lambda _on=False, do=change, name=tag.name: self._mark(lambda: do(ids, name))
            )
        if not menu.isEmpty():
            menu.addSeparator()
        menu.addAction("New Tag…").triggered.connect(lambda: self._new_tag(ids))
        return menu

    def _new_tag(self, ids: list[str]) -> None:
        tag = " ".join(self._ask_tag(self._owner).split())
        if tag:
            self._mark(lambda: self._gallery.add_tag(ids, tag))

    def _mark(self, do: Callable[[], None]) -> None:
        try:
            do()
        except EaselError as error:
            self.problem.emit(error)
        self.marked.emit()

    # Copy, save, show

    def _copy(self) -> None:
        file = self.entries[0].file
        self._background.run(lambda: clip_of(file), self._put_on_clipboard, self.problem.emit)

    def _put_on_clipboard(self, clip: Clip) -> None:
        QGuiApplication.clipboard().setMimeData(clip.mime())
        self.said.emit("Copied")

    def _copy_recipe(self) -> None:
        from app.ui.gallery.taking import recipe_text

        entry = self.entries[0]
        self._background.run(
            lambda: recipe_text(entry), self._put_text_on_clipboard, self.problem.emit
        )

    def _put_text_on_clipboard(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.said.emit("Recipe copied")

    def _save(self) -> None:
        entries = list(self.entries)
        if len(entries) == 1:
            target = self._ask_where(self._owner, entries[0].file)
            if target is not None:
                self._background.run(
                    lambda: save_one(entries[0], target),
                    lambda file: self.said.emit(f"Saved as {file.name}"),
                    self.problem.emit,
                )
            return
        folder = self._ask_folder(self._owner)
        if folder is not None:
            self._background.run(
                lambda: save_all(entries, folder),
                lambda count: self.said.emit(f"{count} pictures saved in {folder.name}"),
                self.problem.emit,
            )

    def _reveal(self) -> None:
        file = self.entries[0].file
        if file.exists():
            self._show_file(file)
        else:
            self.problem.emit(PictureUnreadable(str(file), "missing"))

    def _compare(self) -> None:
        self.compare.emit(*self.entries)

    # The Trash

    def _delete(self) -> None:
        files = [entry.file for entry in self.entries]
        self._background.run(
            lambda: to_trash_all(files, self._bin), self._in_trash, self.problem.emit
        )

    def _in_trash(self, done: tuple[list[Trashed], EaselError | None]) -> None:
        trashed, problem = done
        if trashed:
            self._trashed.append(trashed)
            self.put_back.setEnabled(True)
            self.removed.emit([one.file for one in trashed])
        if problem is not None:
            self.problem.emit(problem)

    def _put_back(self) -> None:
        if not self._trashed:
            return
        trashed = self._trashed.pop()
        self.put_back.setEnabled(bool(self._trashed))
        for one in trashed:
            self._background.run(
                lambda one=one: out_of_trash(one),  # type: ignore[misc]
                lambda file: self.restored.emit([file]),
                self.problem.emit,
            )


def _ask_tag(parent: QWidget) -> str:
    text, given = QInputDialog.getText(parent, "New tag", "Tag these pictures with")
    return text if given else ""


def _ask_folder(parent: QWidget) -> Path | None:
    name = QFileDialog.getExistingDirectory(parent, "Save the pictures in")
    return Path(name) if name else None
