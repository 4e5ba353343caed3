"""The Settings window: everything that can be set, saved at once, each with its way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.ui.controls.button import Button
from app.ui.controls.words import Words
from app.ui.settings_drawing import DrawingSettings, WindowSettings
from app.ui.settings_pictures import PictureSettings
from app.ui.settings_privacy import ModelSettings, PrivacySettings
from app.ui.tokens import HALO

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow

_EDGE = 28


class SettingsWindow(QDialog):
    """Stays open beside the main window; there is nothing to confirm."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        theme = window.theme
        self.setWindowTitle("Settings")
        self.setMinimumSize(520, 360)
        self.pictures = PictureSettings(window)
        self.drawing = DrawingSettings(window)
        self.look = WindowSettings(window)
        self.privacy = PrivacySettings(window)
        self.models = ModelSettings(window)
        self.sections = (self.pictures, self.drawing, self.look, self.privacy, self.models)
        self.title = Words(theme, "Settings", "title")
        self.reset_button = Button(theme, "Reset all", "quiet")
        self.reset_button.setToolTip("Every setting here as it is in a new Easel")
        self.reset_button.clicked.connect(self.reset_all)
        self.done_button = Button(theme, "Done", "quiet")
        self.done_button.clicked.connect(self.close)
        self._lay_out()
        self.resize(640, 720)

    def refresh(self) -> None:
        """Show what is set now."""
        for section in self.sections:
            section.refresh()

    def reset_all(self) -> None:
        """Everything as it usually is."""
        for section in self.sections:
            section.reset_all()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        self.refresh()
        super().showEvent(event)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 (Qt's name)
        super().changeEvent(event)
        # A disk may have come back, and the look may have been changed in the menu.
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self.refresh()

    def _lay_out(self) -> None:
        inside = QWidget()
        listed = QVBoxLayout(inside)
        listed.setContentsMargins(0, 0, 12, 8)
        listed.setSpacing(8)
        for section in self.sections:
            listed.addWidget(section)
        listed.addStretch(1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        for layer in (scroll.viewport(), inside):
            layer.setAutoFillBackground(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(_EDGE - HALO, 24, _EDGE - 12, 20)
        column.setSpacing(4)
        self.title.setContentsMargins(HALO, 0, 0, 0)
        column.addWidget(self.title)
        column.addWidget(scroll, 1)
        foot = QHBoxLayout()
        foot.setContentsMargins(0, 8, 12 - HALO, 0)
        foot.addWidget(self.reset_button)
        foot.addStretch(1)
        foot.addWidget(self.done_button)
        column.addLayout(foot)
