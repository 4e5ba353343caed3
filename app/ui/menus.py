"""The menu bar: native on a Mac, at the top of the window elsewhere."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QAction, QActionGroup, QDesktopServices, QKeySequence
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QTextEdit, QWidget

from app.ui.about import show_about

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow

_EDITS = (
    ("Undo", QKeySequence.StandardKey.Undo, "undo"),
    ("Redo", QKeySequence.StandardKey.Redo, "redo"),
    None,
    ("Cut", QKeySequence.StandardKey.Cut, "cut"),
    ("Copy", QKeySequence.StandardKey.Copy, "copy"),
    ("Paste", QKeySequence.StandardKey.Paste, "paste"),
    ("Select All", QKeySequence.StandardKey.SelectAll, "selectAll"),
)


class Menus:
    """``file``, ``edit``, ``view`` and ``help`` exist at once; ``fill`` puts the actions in.

    They are filled after the first paint: a menu nobody has opened need not delay the window.
    """

    def __init__(self, window: MainWindow, titles: Sequence[QMenu]) -> None:
        self._window = window
        self.file, self.edit, self.view, self.help = titles
        self._filled = False

    def fill(self) -> None:
        """Add the actions. Idempotent."""
        if self._filled:
            return
        self._filled = True
        self._fill_file()
        self._fill_edit()
        self._fill_view()
        self._fill_help()

    def add(
        self, menu: QMenu, text: str, keys: object, call: object, *, role: object = None
    ) -> QAction:
        """One action with its shortcut, working anywhere in the window."""
        action = QAction(text, self._window)
        if keys is not None:
            action.setShortcut(QKeySequence(keys))  # type: ignore[call-overload]
        action.setMenuRole(role or QAction.MenuRole.NoRole)  # type: ignore[arg-type]
        action.triggered.connect(call)
        menu.addAction(action)
        return action

    def _fill_file(self) -> None:
        window = self._window
        self.generate = self.add(self.file, "Generate", "Ctrl+Return", lambda: window.generate())
        self.stop = self.add(self.file, "Stop", "Ctrl+.", lambda: window.studio.stop_all())
        self.stop.setEnabled(window.desk.busy)
        window.desk.busy_changed.connect(self.stop.setEnabled)
        self.file.addSeparator()
        self.add(self.file, "Models…", "Ctrl+Shift+M", lambda: window.getting.open_models())
        self.add(self.file, "Import a Model…", None, lambda: window.getting.ask_for_file())
        self.add(
            self.file,
            "Add a Model from Hugging Face…",
            None,
            lambda: window.getting.ask_for_name(),
        )
        self.add(
            self.file,
            "Open a Model Folder…",
            QKeySequence.StandardKey.Open,
            lambda: window.models.ask_for_folder(),
        )
        self.add(self.file, "Show the Pictures Folder", None, lambda: self._show_pictures())
        self.file.addSeparator()
        self.add(self.file, "Close Window", QKeySequence.StandardKey.Close, lambda: window.close())
        self.add(
            self.file,
            "Quit Easel",
            QKeySequence.StandardKey.Quit,
            lambda: window.close(),
            role=QAction.MenuRole.QuitRole,
        )

    def _fill_edit(self) -> None:
        for row in _EDITS:
            if row is None:
                self.edit.addSeparator()
                continue
            words, keys, method = row
            action = self.add(self.edit, words, keys, lambda _on=False, m=method: _edit(m))
            # The text box that has the focus answers these keys itself, and better.
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)

    def _fill_view(self) -> None:
        window = self._window
        self.inspector = self.add(
            self.view, "Controls", "Ctrl+Alt+I", window.toolbar.inspector_button.setChecked
        )
        self.inspector.setCheckable(True)
        self.inspector.setChecked(window.toolbar.inspector_button.isChecked())
        window.toolbar.inspector_button.toggled.connect(self.inspector.setChecked)
        self.view.addSeparator()
        self.add(self.view, "Draw", "Ctrl+1", lambda: window.views.show_draw())
        self.add(self.view, "Gallery", "Ctrl+2", lambda: window.views.show_gallery())
        self.view.addSeparator()
        self.add(self.view, "Newer Picture", "Ctrl+[", lambda: window.step_picture(-1))
        self.add(self.view, "Older Picture", "Ctrl+]", lambda: window.step_picture(1))
        self.view.addSeparator()
        looks = self.view.addMenu("Appearance")
        group = QActionGroup(looks)
        for words, choice in (("As the System", "system"), ("Light", "light"), ("Dark", "dark")):
            action = self.add(looks, words, None, lambda _on=False, c=choice: window.set_look(c))
            action.setCheckable(True)
            action.setChecked(window.theme.choice == choice)
            group.addAction(action)
        if sys.platform == "darwin":
            self.add(self.view, "Enter Full Screen", "Ctrl+Meta+F", self._toggle_full_screen)
        else:
            self.add(self.view, "Full Screen", "F11", self._toggle_full_screen)

    def _toggle_full_screen(self) -> None:
        self._window.setWindowState(self._window.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _show_pictures(self) -> None:
        folder = self._window.easel.library.folder
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
        _open(folder)

    def _fill_help(self) -> None:
        window = self._window
        self.add(self.help, "What Does This Control Do?", "F1", lambda: window.explain_focus())
        self.add(self.help, "Licences", None, lambda: window.getting.show_licences())
        self.add(self.help, "Connections", None, lambda: window.getting.show_connections())
        self.add(self.help, "Show the Log", None, lambda: _open(window.easel.folders.logs))
        self.add(
            self.help,
            "About Easel",
            None,
            lambda: show_about(window),
            role=QAction.MenuRole.AboutRole,
        )


def _open(folder: Path) -> None:
    """In the system's own file browser."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def _edit(method: str) -> None:
    focused: QWidget | None = QApplication.focusWidget()
    if isinstance(focused, QLineEdit | QTextEdit):
        getattr(focused, method)()
