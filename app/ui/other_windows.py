"""The windows beside the main one that its menus open, each made when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDialog

if TYPE_CHECKING:
    from app.ui.help_window import HelpWindow
    from app.ui.main_window import MainWindow
    from app.ui.settings_window import SettingsWindow
    from app.ui.shortcuts_window import ShortcutsWindow


class OtherWindows(QObject):
    """Opens them, or brings them to the front."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._settings: SettingsWindow | None = None
        self._help: HelpWindow | None = None

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

    def help(self, page: int) -> HelpWindow:
        """Help at one of ``help_window.PAGES``."""
        from app.ui.help_window import HelpWindow
        from app.ui.palette import read_palette

        if self._help is None:
            window, model = self._window, self._window.model()
            recipes = read_palette(window.easel.folders.resources).recipes
            examples = () if model is None else window.easel.vocabulary(model).examples
            self._help = HelpWindow(window.theme, recipes, examples, window)
            self._help.prompt_chosen.connect(self._try_prompt)
            self._help.destroyed.connect(self._forget_help)
        self._help.show_page(page)
        _show(self._help)
        return self._help

    def _try_prompt(self, prompt: str) -> None:
        window = self._window
        with window.history.as_one("Use Prompt"):
            window.prompt.set_text(prompt)
        window.activateWindow()
        window.prompt.editor.setFocus()

    def _forget_help(self) -> None:
        self._help = None


def _show(window: QDialog) -> None:
    window.show()
    window.raise_()
    window.activateWindow()
