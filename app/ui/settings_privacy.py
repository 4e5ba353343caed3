"""Settings of what Easel remembers, where models lie and whom it asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from app import __version__
from app.core.errors import EaselError
from app.messages import shown
from app.messages.library import not_an_address
from app.ui.controls.button import Button
from app.ui.controls.elided import ElidedWords
from app.ui.controls.field import Field
from app.ui.controls.tick import Tick
from app.ui.controls.words import Words
from app.ui.setting_row import Beside, SettingRow
from app.ui.settings_section import USUAL, Section
from app.ui.tokens import HALO

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow

HUB = "https://huggingface.co"
_HTTPS = "https://"


class PrivacySettings(Section):
    """What is remembered and what goes online."""

    prompts_row: SettingRow
    mirror_row: SettingRow

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window, "Privacy")
        theme = self.theme
        self.prompts = Tick(theme, "Remember prompts")
        self.prompts.clicked.connect(lambda on: self.change(self.prompts_row, remember_prompts=on))
        self.forget = Button(theme, "Forget all", "quiet")
        self.forget.setAccessibleName("Forget all prompts")
        self.forget.clicked.connect(self._forget)
        self.prompts_row = self.add(
            "prompts",
            SettingRow(
                theme,
                "Prompts",
                "Those you drew, on this computer only; Alt with the arrow keys brings them back. "
                "The pictures keep theirs in any case.",
                Beside(self.prompts, self.forget),
            ),
            lambda: self.change(self.prompts_row, remember_prompts=USUAL.remember_prompts),
        )
        self.connections = Button(theme, "Show connections…", "quiet")
        self.connections.clicked.connect(lambda: window.getting.show_connections())
        self.add(
            "connections",
            SettingRow(
                theme,
                "Online",
                "Easel goes online only to get a model that you asked for, and writes each "
                "connection down.",
                Beside(self.connections, stretched=False),
            ),
            lambda: None,
        )
        self.mirror = Field(theme, "Address of a mirror", HUB)
        self.mirror.edit.editingFinished.connect(self._mirror_typed)
        self.mirror_row = self.add(
            "mirror",
            SettingRow(
                theme,
                "Mirror",
                "Where models come from instead of Hugging Face, from the next start of Easel on. "
                "It need not be trusted: every file is checked.",
                self.mirror,
            ),
            lambda: self._use_mirror(""),
        )

    def refresh(self) -> None:
        settings = self.settings
        self.prompts.setChecked(settings.remember_prompts)
        self.prompts_row.show_changed(settings.remember_prompts != USUAL.remember_prompts)
        self.forget.setEnabled(bool(self.window_.easel.prompts.all()))
        self.mirror.edit.setText(settings.mirror or "")
        self.mirror_row.show_changed(settings.mirror is not None)

    def _forget(self) -> None:
        try:
            self.window_.easel.prompts.forget()
        except EaselError as error:
            self.prompts_row.complain(error)
        self.prompts.setFocus()
        self.refresh()

    def _mirror_typed(self) -> None:
        if self.mirror.edit.isModified():
            self.mirror.edit.setModified(False)
            self._use_mirror(self.mirror.text())

    def _use_mirror(self, address: str) -> None:
        address = address.rstrip("/")
        if address and not _is_address(address):
            self.mirror_row.complain(not_an_address(address))
            return
        self.change(self.mirror_row, mirror=None if address in ("", HUB) else address)


class ModelSettings(Section):
    """Where models are, and whether Easel looks for another Easel."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window, "Models and updates")
        theme = self.theme
        self.path = ElidedWords(theme)
        self.path.setContentsMargins(HALO, 0, 8, 0)
        self.open = Button(theme, "Models…", "quiet")
        self.open.clicked.connect(lambda: window.getting.open_models())
        self.add(
            "models",
            SettingRow(
                theme,
                "Models in",
                "They are moved to another folder or disk in the Models window.",
                Beside(self.path, self.open),
            ),
            lambda: None,
        )
        self.updates = Words(theme, f"This is Easel {__version__}.", "body")
        self.updates.setContentsMargins(HALO, 0, HALO, 0)
        told: QWidget = self.updates
        if window.easel.update_channel is not None:
            self.look = Button(theme, "Check now…", "quiet")
            self.look.setAccessibleName("Check for updates now")
            self.look.clicked.connect(lambda: window.menus.updating.look())
            told = Beside(self.updates, self.look)
        else:
            self.updates.setContentsMargins(HALO, 9, HALO, 0)
        self.add(
            "updates",
            SettingRow(
                theme,
                "Updates",
                "Easel never looks for a newer version by itself.",
                told,
            ),
            lambda: None,
        )

    def refresh(self) -> None:
        self.path.say(shown(self.window_.easel.folders.installed))


def _is_address(address: str) -> bool:
    """Whether ``address`` is that of a server: https, a host, no spaces, no name and password."""
    host = address.removeprefix(_HTTPS).partition("/")[0]
    plain = address.isprintable() and not any(c.isspace() or c in '@"<>\\?#' for c in address)
    return address.startswith(_HTTPS) and plain and bool(host.strip(".:"))
