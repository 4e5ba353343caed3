"""Which of the files that are dropped or chosen are models to bring in."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData

MODEL_FILES = "Models (*.safetensors *.ckpt *.easelpack)"
_SUFFIXES = (".safetensors", ".ckpt", ".easelpack")


def model_file(mime: QMimeData) -> Path | None:
    """The one model file on this computer that ``mime`` names."""
    urls = mime.urls()
    if len(urls) == 1 and urls[0].isLocalFile():
        file = Path(urls[0].toLocalFile())
        if file.suffix.lower() in _SUFFIXES:
            return file
    return None
