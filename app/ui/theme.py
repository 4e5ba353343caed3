"""The look: colour scheme, fonts and motion, following the system unless told otherwise."""

from __future__ import annotations

import os
import sys

from PySide6.QtCore import QObject, QSettings, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from app.ui.stylesheet import stylesheet
from app.ui.tokens import DARK, LIGHT, Tokens

SCHEMES = {
    "system": Qt.ColorScheme.Unknown,
    "light": Qt.ColorScheme.Light,
    "dark": Qt.ColorScheme.Dark,
}

FONTS = {
    "body": (13, QFont.Weight.Normal),
    "medium": (13, QFont.Weight.Medium),
    "strong": (13, QFont.Weight.DemiBold),
    "prompt": (16, QFont.Weight.Normal),
    "secondary": (12, QFont.Weight.Normal),
    "secondary strong": (12, QFont.Weight.DemiBold),
    "label": (11, QFont.Weight.DemiBold),
    "tile": (10, QFont.Weight.Normal),
    "title": (21, QFont.Weight.DemiBold),
}
"""Role: size in device-independent pixels, weight."""

_LINUX_FAMILIES = ("Inter", "Inter Variable", "Adwaita Sans", "Cantarell", "Ubuntu", "Noto Sans")
"""What a Linux desktop has that reads like the Mac's own font; the system's choice comes last."""


class Theme(QObject):
    """Tokens, fonts and motion for everything drawn; one per window, passed to constructors."""

    changed = Signal()

    def __init__(self, app: QApplication, choice: str = "system") -> None:
        super().__init__()
        self._app = app
        self._fonts: dict[str, QFont] = {}
        self._colours: dict[str, QColor] = {}
        self.tokens: Tokens = LIGHT
        self.motion_ms = 0 if motion_is_reduced() else 150
        if app.style().objectName() != "fusion":
            app.setStyle("Fusion")
        app.setFont(self.font("body"))
        hints = QGuiApplication.styleHints()
        self.choice = choice if choice in SCHEMES else "system"
        if self.choice != "system":
            hints.setColorScheme(SCHEMES[self.choice])
        self._system = hints.colorScheme()
        self._follow()
        hints.colorSchemeChanged.connect(self._system_changed)

    def choose(self, choice: str) -> None:
        """Follow the system ("system") or hold to "light" or "dark"."""
        self.choice = choice
        hints = QGuiApplication.styleHints()
        if choice == "system":
            hints.unsetColorScheme()
            self._system = hints.colorScheme()
        else:
            hints.setColorScheme(SCHEMES[choice])
        self._follow()

    def colour(self, name: str, alpha: int = 255) -> QColor:
        """The token ``name`` as a colour, cached unless translucent."""
        known = self._colours.get(name)
        if known is None:
            known = self._colours[name] = QColor(getattr(self.tokens, name))
        if alpha == 255:
            return known
        thin = QColor(known)
        thin.setAlpha(alpha)
        return thin

    def font(self, role: str) -> QFont:
        """The font of ``role`` (a key of ``FONTS``), with tabular figures."""
        known = self._fonts.get(role)
        if known is None:
            size, weight = FONTS[role]
            known = QFont(self._app.font()) if not self._fonts else QFont(self._fonts["body"])
            if not self._fonts and sys.platform != "darwin":
                known.setFamilies([*_LINUX_FAMILIES, known.family()])
            known.setPixelSize(size)
            known.setWeight(weight)
            known.setFeature(QFont.Tag("tnum"), 1)
            self._fonts[role] = known
        return known

    def _system_changed(self, scheme: Qt.ColorScheme) -> None:
        self._system = scheme
        self._follow()

    def _follow(self) -> None:
        scheme = self._system if self.choice == "system" else SCHEMES[self.choice]
        tokens = DARK if scheme is Qt.ColorScheme.Dark else LIGHT
        if tokens is self.tokens and self._app.styleSheet():
            return
        self.tokens = tokens
        self._colours.clear()
        self._app.setPalette(palette(tokens))
        self._app.setStyleSheet(stylesheet(tokens))
        self.changed.emit()


def palette(tokens: Tokens) -> QPalette:
    """The palette for what Qt draws itself: menus, tool tips, dialogs, selections."""
    made = QPalette()
    roles = QPalette.ColorRole
    for role, name in (
        (roles.Window, "window"),
        (roles.Base, "surface"),
        (roles.AlternateBase, "sunken"),
        (roles.Button, "surface"),
        (roles.ToolTipBase, "surface"),
        (roles.WindowText, "text"),
        (roles.Text, "text"),
        (roles.ButtonText, "text"),
        (roles.ToolTipText, "text"),
        (roles.PlaceholderText, "faint"),
        (roles.Highlight, "accent"),
        (roles.Accent, "accent"),
        (roles.HighlightedText, "on_accent"),
        (roles.Link, "link"),
        (roles.LinkVisited, "link"),
        (roles.Mid, "line"),
        (roles.Midlight, "sunken"),
        (roles.Dark, "ghost"),
        (roles.Light, "surface"),
    ):
        made.setColor(role, QColor(getattr(tokens, name)))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.ghost))
    return made


def motion_is_reduced() -> bool:
    """Whether the system, or ``EASEL_REDUCED_MOTION``, asks for less motion."""
    if os.environ.get("EASEL_REDUCED_MOTION") or QGuiApplication.platformName() == "offscreen":
        return True
    if sys.platform == "darwin":
        said = QSettings("apple.com", "Accessibility").value("ReduceMotionEnabled", 0)
        return str(said).lower() in ("1", "true")
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111
    gtk = QSettings(f"{base}/gtk-3.0/settings.ini", QSettings.Format.IniFormat)
    return str(gtk.value("Settings/gtk-enable-animations", "1")).lower() in ("0", "false")
