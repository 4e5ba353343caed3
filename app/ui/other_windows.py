"""The windows beside the main one that its menus open, each made when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDialog

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow
    from app.ui.settings_window import SettingsWindow
    from app.ui.shortcuts_window import ShortcutsWindow


class OtherWindows(QObject):
    """Opens them, or brings them to the front."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._settings: SettingsWindow | None = None

    def settings(self) -> SettingsWindow:
        """Everything that can be set."""
        if self._settings is None:
            from app.ui.settings_window import SettingsWindow

            self._settings = SettingsWindow(self._window)
        _show(self._settings)
        return self._settings

    def shortcuts(self) -> ShortcutsWindow:
        """What the keys do."""
        from app.ui.shortcuts_window import ShortcutsWindow

        made = ShortcutsWindow(self._window.theme, self._window)
        _show(made)
        return made


def _show(window: QDialog) -> None:
    window.show()
    window.raise_()
    window.activateWindow()
