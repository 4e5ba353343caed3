"""What Easel is, which version, what it stands on and under which licences."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from PySide6 import __version__ as qt_version
from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app import __version__
from app.core.folders import Folders
from app.ui.controls.button import Button
from app.ui.controls.words import Words
from app.ui.licence_text import LicenceText
from app.ui.theme import Theme
from app.ui.tokens import HALO

_EDGE = 28
_ICON = 72
PACKAGES = (
    "PySide6_Essentials",
    "torch",
    "diffusers",
    "transformers",
    "tokenizers",
    "huggingface_hub",
    "httpx2",
    "httpcore2",
    "safetensors",
    "pillow",
    "sd-parsers",
    "numpy",
    "platformdirs",
    "coremltools",
    "pyobjc-framework-CoreML",
    "pyobjc-framework-Cocoa",
    "pyobjc-core",
    "keyring",
)
"""What Easel is made with; those of another system are left out of the list."""
_LONG = 60


class About(QDialog):
    """The box, with the notices whole."""

    def __init__(self, theme: Theme, folders: Folders, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("About Easel")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        icon = QLabel()
        picture = QPixmap(str(folders.resources / "icon" / "easel.png"))
        if not picture.isNull():
            ratio = self.devicePixelRatioF()
            side = round(_ICON * ratio)
            fit = Qt.TransformationMode.SmoothTransformation
            picture = picture.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, fit)
            picture.setDevicePixelRatio(ratio)
            icon.setPixmap(picture)
        self.versions = Words(theme, versions(), "secondary", "dim")
        links = Qt.TextInteractionFlag
        self.versions.setTextInteractionFlags(links.TextSelectableByMouse)
        about = "Draws with Stable Diffusion on your own computer. Apache License 2.0."
        self.credits = LicenceText(theme, "Licences and credits", credit(folders), "surface")
        done = Button(theme, "Done", "quiet")
        done.clicked.connect(self.close)

        said = QVBoxLayout()
        said.setSpacing(4)
        said.addStretch(1)
        said.addWidget(Words(theme, f"Easel {__version__}", "title"))
        said.addWidget(Words(theme, about, "body"))
        said.addWidget(self.versions)
        said.addStretch(1)
        head = QHBoxLayout()
        head.setSpacing(18)
        head.addWidget(icon)
        head.addLayout(said, 1)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(done)
        column = QVBoxLayout(self)
        column.setContentsMargins(_EDGE, 24, _EDGE - HALO, 20)
        column.setSpacing(14)
        column.addLayout(head)
        column.addWidget(self.credits, 1)
        column.addLayout(foot)
        self.resize(600, 560)


def show_about(theme: Theme, folders: Folders, window: QWidget) -> About:
    """Open the box, without standing in the way."""
    box = About(theme, folders, window)
    box.show()
    return box


def versions() -> str:
    """Of the parts, as they really are in this program."""
    return f"Qt {qt_version} · Python {platform.python_version()} · {platform.platform(terse=True)}"


def credit(folders: Folders, packages: Sequence[str] = PACKAGES) -> str:
    """Easel's notice, the starter's, and each package with its version and licence."""
    found = [text for file in (folders.shipped / "NOTICE", folders.starter / "NOTICE.md")
             if (text := _read(file))]  # fmt: skip
    lines = [line for name in packages if (line := _package(name))]
    return "\n\n".join([*found, "\n".join(["In this copy:", "", *lines])])


def _package(name: str) -> str:
    """One line; empty where the package is not here."""
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    named = told["License-Expression"] if "License-Expression" in told else _older(told)
    return f"{name} {told['Version']}" + (f": {named}" if named else "")


def _older(told: metadata.PackageMetadata) -> str:
    """A field that some fill with a name and some with the whole text; else the classifiers."""
    field = told["License"].strip() if "License" in told else ""
    if field and len(field) <= _LONG and "\n" not in field:
        return field
    kinds = (line for line in told.get_all("Classifier") or () if line.startswith("License ::"))
    return ", ".join(kind.rpartition(" :: ")[2] for kind in kinds)


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip()
    except OSError:
        return ""
