"""Presets in the window: a menu that lists them, and what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QMenu

from app.core.errors import EaselError
from app.library.presets import Preset
from app.ui.controls.button import Button
from app.ui.row import ROOM
from app.ui.setting_row import Beside

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow
    from app.ui.presets_sheet import NameSheet, PresetsWindow

_OFFERED = 40
"""Characters of the prompt that are offered as a name."""


class PresetMenu(QObject):
    """Fills ``menu`` whenever it is opened. Presets are read when that is first asked for."""

    def __init__(self, window: MainWindow, menu: QMenu) -> None:
        super().__init__(window)
        self._window = window
        self.menu = menu
        self._told = False
        menu.aboutToShow.connect(self.fill)
        self.button = Button(window.theme, "Presets…", "link")
        self.button.setToolTip("Set the form as you saved it, or save it as it is")
        self.button.clicked.connect(self._open)
        self.place = Beside(self.button, stretched=False)
        self.place.setContentsMargins(ROOM - 4, 0, 0, 0)  # a link's words begin 4 pixels in

    def _open(self) -> None:
        self.menu.popup(self.button.mapToGlobal(QPoint(0, self.button.height())))

    def fill(self) -> None:
        """List the presets as they are now."""
        presets = self._window.easel.presets
        if presets.problem is not None and not self._told:
            self._told = True
            self._window.complain(presets.problem)
        self.menu.clear()
        for preset in presets.all():
            action = self.menu.addAction(preset.name.replace("&", "&&"))
            action.triggered.connect(lambda _on=False, p=preset: self.use(p))
        if presets.all():
            self.menu.addSeparator()
        self.menu.addAction("Save as Preset…").triggered.connect(lambda: self.ask_for_name())
        manage = self.menu.addAction("Edit Presets…")
        manage.triggered.connect(lambda: self.manage())
        manage.setEnabled(bool(presets.all()))

    def use(self, preset: Preset) -> None:
        """Set the form as ``preset`` has it; one step of undo."""
        window = self._window
        with window.history.as_one("Use Preset"):
            window.form.restore(preset.form)
        window.toast(f"The form is as in “{preset.name}”", "Undo", window.history.undo)

    def ask_for_name(self) -> NameSheet:
        """Open the sheet that saves the form."""
        from app.ui.presets_sheet import NameSheet

        window = self._window
        taken = {preset.name for preset in window.easel.presets.all()}
        words = " ".join(window.prompt.text().split())
        offered = words if len(words) <= _OFFERED else words[:_OFFERED].rpartition(" ")[0]
        sheet = NameSheet(window.theme, offered, taken, window)
        sheet.named.connect(lambda name: self._save(name, sheet))
        sheet.open()
        return sheet

    def manage(self) -> PresetsWindow:
        """Open the list in which they are renamed and deleted."""
        from app.ui.presets_sheet import PresetsWindow

        made = PresetsWindow(self._window.theme, self._window.easel.presets, self._window)
        made.chosen.connect(self.use)
        made.show()
        return made

    def _save(self, name: str, sheet: NameSheet) -> None:
        try:
            preset = self._window.easel.presets.save(name, self._window.form.to_json())
        except EaselError as error:
            sheet.complain(error)
            return
        sheet.accept()
        if preset is not None:
            self._window.toast(f"Saved as “{preset.name}”")
