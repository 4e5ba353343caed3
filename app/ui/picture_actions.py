"""What can be done with a picture: one set of actions for the canvas, its pill and the menus."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, Qt, QUrl, Signal
from PySide6.QtGui import QAction, QDesktopServices, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from app.core.errors import PictureUnreadable
from app.library.copies import copy_to
from app.library.library import Picture
from app.ui.background import Background
from app.ui.clip import Clip, clip_of
from app.ui.trash import Trashed, out_of_trash, to_trash

SAVE_FORMS = "PNG (*.png);;JPEG (*.jpg *.jpeg);;WebP (*.webp);;AVIF (*.avif)"
FILE_MANAGER = "Finder" if sys.platform == "darwin" else "Folder"

AskWhere = Callable[[QWidget | None, Path], Path | None]
"""Asks for a file to save as; the second argument is the one offered. None: given up."""


class PictureActions(QObject):
    """Actions on the picture at hand, switched on only while there is one.

    Files are read and written on a thread. What happened is told by the signals; ``problem``
    carries what went wrong, ``said`` a short word for the person.
    """

    use_recipe = Signal(object)
    vary = Signal(object)
    start_from = Signal(object)
    redraw_part = Signal(object)
    removed = Signal(object)
    restored = Signal(object)
    problem = Signal(object)
    said = Signal(str)

    def __init__(
        self,
        background: Background,
        parent: QWidget,
        ask_where: AskWhere | None = None,
        show_file: Callable[[Path], None] | None = None,
    ) -> None:
        super().__init__(parent)
        self._background = background
        self._window = parent
        self._ask_where = ask_where or ask_where_to_save
        self._show_file = show_file or show_in_file_manager
        self._picture: Picture | None = None
        self._trashed: list[tuple[Picture, Trashed]] = []
        self._can_start = self._can_redraw = True
        keys = QKeySequence
        copies = [keys("Ctrl+Shift+C"), keys(keys.StandardKey.Copy)]
        self.copy = self._action("Copy", copies, self._copy, "Copy picture")
        self.save_as = self._action("Save As…", [keys("Ctrl+S")], self._save_as)
        self.show = self._action(f"Show in {FILE_MANAGER}", [keys("Ctrl+Shift+R")], self._reveal)
        self.recipe = self._action("Use Recipe", [keys("Ctrl+Shift+U")], self._emit_recipe)
        self.another = self._action("Vary", [keys("Ctrl+D")], self._emit_vary, "Vary, new seed")
        self.start = self._action(
            "Start from This Picture", [keys("Ctrl+Shift+O")], self._emit_start
        )
        self.redraw = self._action("Redraw a Part…", [keys("Ctrl+B")], self._emit_redraw)
        bin_keys = [keys("Ctrl+Backspace"), keys(keys.StandardKey.Delete)]
        self.delete = self._action("Move to Trash", bin_keys, self._delete)
        self.put_back = self._action("Undo Move to Trash", [], self._put_back)
        self._enable()

    def _action(
        self,
        text: str,
        keys: list[QKeySequence],
        do: Callable[[], None],
        spoken: str | None = None,
    ) -> QAction:
        action = QAction(text, self._window)
        action.setShortcuts(keys)
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.setObjectName((spoken or text).rstrip("…"))
        action.setIconText(text[0] + text[1:].lower())  # beside the picture: a sentence's case
        shown = keys[0].toString(QKeySequence.SequenceFormat.NativeText) if keys else ""
        action.setToolTip(f"{spoken or text.rstrip('…')}   {shown}".rstrip())
        action.triggered.connect(lambda: do())
        self._window.addAction(action)
        return action

    # The picture at hand

    @property
    def picture(self) -> Picture | None:
        return self._picture

    def set_picture(self, picture: Picture | None) -> None:
        """Act on ``picture`` from now on; None switches all off."""
        self._picture = picture
        self._enable()

    def set_features(self, can_start: bool, can_redraw: bool) -> None:
        """What the chosen model can do with a starting picture and with a mask."""
        self._can_start, self._can_redraw = can_start, can_redraw
        self._enable()

    def _enable(self) -> None:
        there = self._picture is not None
        for action in (self.copy, self.save_as, self.show, self.recipe, self.another, self.delete):
            action.setEnabled(there)
        self.start.setEnabled(there and self._can_start)
        self.redraw.setEnabled(there and self._can_redraw)
        self.put_back.setEnabled(bool(self._trashed))

    def menu(self, parent: QWidget) -> QMenu:
        """A context menu of all actions; belongs to ``parent``."""
        menu = QMenu(parent)
        menu.setAccessibleName("Picture")
        menu.addActions([self.copy, self.save_as, self.show])
        menu.addSeparator()
        menu.addActions([self.recipe, self.another, self.start, self.redraw])
        menu.addSeparator()
        menu.addAction(self.delete)
        if self._trashed:
            menu.addAction(self.put_back)
        return menu

    # Copy, save, show

    def _copy(self) -> None:
        if self._picture is None:
            return
        file = self._picture.file
        self._background.run(lambda: clip_of(file), self._put_on_clipboard, self.problem.emit)

    def _put_on_clipboard(self, clip: Clip) -> None:
        QGuiApplication.clipboard().setMimeData(clip.mime())
        self.said.emit("Copied")

    def _save_as(self) -> None:
        picture = self._picture
        if picture is None:
            return
        target = self._ask_where(self._window, picture.file)
        if target is not None:
            self.save_to(picture, target)

    def save_to(self, picture: Picture, target: Path) -> None:
        """Write a copy of ``picture`` to ``target``, over what was there."""
        self._background.run(
            lambda: copy_to(picture, target),
            lambda file: self.said.emit(f"Saved as {file.name}"),
            self.problem.emit,
        )

    def _reveal(self) -> None:
        if self._picture is not None:
            if self._picture.file.exists():
                self._show_file(self._picture.file)
            else:
                self.problem.emit(PictureUnreadable(str(self._picture.file), "missing"))

    # What the window does

    def _emit_recipe(self) -> None:
        if self._picture is not None:
            self.use_recipe.emit(self._picture.recipe)

    def _emit_vary(self) -> None:
        if self._picture is not None:
            self.vary.emit(self._picture)

    def _emit_start(self) -> None:
        if self._picture is not None:
            self.start_from.emit(self._picture.file)

    def _emit_redraw(self) -> None:
        if self._picture is not None:
            self.redraw_part.emit(self._picture.file)

    # The Trash

    def _delete(self) -> None:
        picture = self._picture
        if picture is None:
            return
        self._background.run(
            lambda: to_trash(picture.file),
            lambda trashed: self._in_trash(picture, trashed),
            self.problem.emit,
        )

    def _in_trash(self, picture: Picture, trashed: Trashed) -> None:
        self._trashed.append((picture, trashed))
        if self._picture == picture:
            self._picture = None
        self._enable()
        self.removed.emit(picture)
        self.said.emit("Moved to the Trash")

    def _put_back(self) -> None:
        if not self._trashed:
            return
        picture, trashed = self._trashed.pop()
        self._enable()
        self._background.run(
            lambda: out_of_trash(trashed), lambda _file: self._is_back(picture), self.problem.emit
        )

    def _is_back(self, picture: Picture) -> None:
        self.restored.emit(picture)
        self.said.emit("Put back")


def ask_where_to_save(parent: QWidget | None, offered: Path) -> Path | None:
    """The system's own dialog for saving a picture."""
    name, _ = QFileDialog.getSaveFileName(parent, "Save picture as", str(offered.name), SAVE_FORMS)
    return Path(name) if name else None


def show_in_file_manager(file: Path) -> None:
    """Finder with ``file`` selected; elsewhere the folder in the system's file manager."""
    if sys.platform == "darwin":
        QProcess.startDetached("/usr/bin/open", ["-R", str(file)])
    else:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(file.parent)))
