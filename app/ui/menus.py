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

from app.ui.awake import sleep_command

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow

_EDITS = (
    ("Cut", QKeySequence.StandardKey.Cut, "cut"),
    ("Copy", QKeySequence.StandardKey.Copy, "copy"),
    ("Paste", QKeySequence.StandardKey.Paste, "paste"),
    ("Select All", QKeySequence.StandardKey.SelectAll, "selectAll"),
)

_HELP = ("Your First Picture", "Prompts That Work", "Troubleshooting")
"""The pages of ``help_window`` in their order."""


class Menus:
    """The menus exist at once, ``fill`` puts the actions in; ``picture`` is filled by others.

    They are filled after the first paint: a menu nobody has opened need not delay the window.
    """

    def __init__(self, window: MainWindow, titles: Sequence[QMenu]) -> None:
        self._window = window
        self.file, self.edit, self.view, self.picture, self.window, self.help = titles
        self._filled = False

    def fill(self) -> None:
        """Add the actions. Idempotent."""
        if self._filled:
            return
        self._filled = True
        self._fill_file()
        self._fill_edit()
        self._fill_view()
        self._fill_window()
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
        self.then_sleep = self.add(
            self.file, "Sleep When All Is Drawn", None, lambda on: self._sleep_then(on)
        )
        self.then_sleep.setCheckable(True)
        self.then_sleep.setVisible(bool(sleep_command()))
        self.file.addSeparator()
        self.file.addMenu(window.presets.menu)
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
        self.file.addSeparator()
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
        standard, history = QKeySequence.StandardKey, self._window.history
        self.undo = self.add(self.edit, "Undo", standard.Undo, lambda: self._step_back("undo"))
        self.redo = self.add(self.edit, "Redo", standard.Redo, lambda: self._step_back("redo"))
        history.changed.connect(self._name_undo)
        self.edit.addSeparator()
        for words, keys, method in _EDITS:
            action = self.add(self.edit, words, keys, lambda _on=False, m=method: _edit(m))
            # The text box that has the focus answers these keys itself, and better.
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.edit.addSeparator()
        self.add(
            self.edit,
            "Settings…",
            "Ctrl+,",
            lambda: self._window.others.settings(),
            role=QAction.MenuRole.PreferencesRole,
        )

    def _fill_view(self) -> None:
        window = self._window
        self.inspector = self.add(
            self.view,
            "Controls",
            "Ctrl+I",
            lambda on: window.toolbar.inspector_button.setChecked(on),
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
            action.setData(choice)
            group.addAction(action)
        looks.aboutToShow.connect(lambda: self._tick_look(looks))
        if sys.platform == "darwin":
            self.add(self.view, "Enter Full Screen", "Ctrl+Meta+F", self._toggle_full_screen)
        else:
            self.add(self.view, "Full Screen", "F11", self._toggle_full_screen)

    def _fill_window(self) -> None:
        window, menu = self._window, self.window
        self.add(menu, "Minimise", "Ctrl+M", lambda: window.showMinimized())
        self.add(menu, "Zoom", None, lambda: self._zoom())
        menu.addSeparator()
        self.add(menu, "Bring All to Front", None, lambda: _raise_all())

    def _fill_help(self) -> None:
        window, others = self._window, self._window.others
        for page, words in enumerate(_HELP):
            self.add(self.help, words, None, lambda _on=False, p=page: others.help(p))
        self.help.addSeparator()
        self.add(self.help, "Keyboard Shortcuts", "Ctrl+/", lambda: others.shortcuts())
        self.add(self.help, "What Does This Control Do?", "F1", lambda: window.explain_focus())
        self.help.addSeparator()
        self.add(self.help, "Licences", None, lambda: window.getting.show_licences())
        self.add(self.help, "Connections", None, lambda: window.getting.show_connections())
        self.add(self.help, "Show the Log", None, lambda: _open(window.easel.folders.logs))
        self._add_updates()
        self.add(
            self.help,
            "About Easel",
            None,
            lambda: self._show_about(),
            role=QAction.MenuRole.AboutRole,
        )

    # What the actions do

    def _sleep_then(self, wanted: bool) -> None:
        self._window.finishing.then_sleep = wanted

    def _step_back(self, method: str) -> None:
        """Undo or redo what was typed where the focus is, else what was set in the form."""
        focused = QApplication.focusWidget()
        if isinstance(focused, QTextEdit | QLineEdit) and _can(focused, method):
            getattr(focused, method)()
        else:
            getattr(self._window.history, method)()

    def _name_undo(self) -> None:
        history = self._window.history
        self.undo.setText(f"Undo {history.to_undo}".rstrip())
        self.redo.setText(f"Redo {history.to_redo}".rstrip())

    def _tick_look(self, looks: QMenu) -> None:
        for action in looks.actions():
            action.setChecked(action.data() == self._window.theme.choice)

    def _zoom(self) -> None:
        self._window.setWindowState(self._window.windowState() ^ Qt.WindowState.WindowMaximized)

    def _toggle_full_screen(self) -> None:
        self._window.setWindowState(self._window.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _show_pictures(self) -> None:
        folder = self._window.easel.library.folder
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
        _open(folder)

    def _show_about(self) -> None:
        from app.ui.about import show_about

        show_about(self._window.theme, self._window.easel.folders, self._window)

    def _add_updates(self) -> None:
        source = self._window.easel.update_channel
        if source is None:
            return
        from app.ui.updating import Updating

        self.updating = Updating(self._window, source)
        self.add(self.help, "Check for Updates…", None, lambda: self.updating.look())


def _open(folder: Path) -> None:
    """In the system's own file browser."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def _raise_all() -> None:
    for window in QApplication.topLevelWidgets():
        if window.isVisible() and window.isWindow():
            window.raise_()


def _can(focused: QTextEdit | QLineEdit, method: str) -> bool:
    if isinstance(focused, QTextEdit):
        document = focused.document()
        return document.isUndoAvailable() if method == "undo" else document.isRedoAvailable()
    return focused.isUndoAvailable() if method == "undo" else focused.isRedoAvailable()


def _edit(method: str) -> None:
    focused: QWidget | None = QApplication.focusWidget()
    if isinstance(focused, QLineEdit | QTextEdit):
        getattr(focused, method)()
