"""What Easel is, which version, and what it stands on."""

from __future__ import annotations

from PySide6 import __version__ as qt_version
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from app import __version__


def show_about(window: QWidget) -> None:
    """Open the box, without standing in the way."""
    box = QMessageBox(window)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle("About Easel")
    box.setText(f"Easel {__version__}")
    box.setInformativeText(
        "Draws with Stable Diffusion on your own computer.\n\n"
        "Apache License 2.0. Third-party notices are in the NOTICE file that comes with it. "
        f"Uses Qt {qt_version} under the LGPL version 3."
    )
    box.open()
