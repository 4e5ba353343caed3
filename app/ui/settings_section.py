"""What the parts of the settings window have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.core.errors import EaselError
from app.core.settings import Settings
from app.ui.controls.choice import Choice
from app.ui.controls.words import Words
from app.ui.setting_row import NAME_WIDTH, SettingRow

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow

USUAL = Settings()


class Section(QWidget):
    """Rows under a heading. A change is saved at once; what cannot be saved is said in its row."""

    def __init__(self, window: MainWindow, title: str) -> None:
        super().__init__()
        self.window_ = window
        self.theme = window.theme
        self.rows: dict[str, SettingRow] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 10, 0, 0)
        self._column.setSpacing(12)
        heading = Words(self.theme, title, "label", "dim")
        heading.setContentsMargins(NAME_WIDTH + 14 + 3, 0, 0, 0)
        self._column.addWidget(heading)

    @property
    def settings(self) -> Settings:
        return self.window_.easel.settings

    @abstractmethod
    def refresh(self) -> None:
        """Show what is set."""

    def reset_all(self) -> None:
        """Every setting of this part as it usually is."""
        for row in self.rows.values():
            if not row.reset.isHidden():
                row.reset_wanted.emit()

    def add(self, name: str, row: SettingRow, reset: Callable[[], object]) -> SettingRow:
        self.rows[name] = row
        row.reset_wanted.connect(lambda: reset())
        self._column.addWidget(row)
        return row

    def change(self, row: SettingRow, **changes: Any) -> bool:
        """Save; where that fails the setting counts until Easel is closed, and the row says so."""
        from dataclasses import replace

        try:
            self.window_.easel.change_settings(replace(self.settings, **changes))
        except EaselError as error:
            self.refresh()
            row.complain(error)
            return False
        row.complain(None)
        self.refresh()
        return True


def fill(choice: Choice, offers: list[tuple[str, object]], chosen: object) -> None:
    """Offer ``offers`` (words, value), ``chosen`` shown; the first where it is none of them."""
    choice.blockSignals(True)
    choice.clear()
    for words, value in offers:
        choice.addItem(words, value)
    values = [value for _, value in offers]
    choice.setCurrentIndex(values.index(chosen) if chosen in values else 0)
    choice.blockSignals(False)
    choice.update()
