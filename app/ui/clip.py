"""A picture for the clipboard."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QImage

from app.core.errors import PictureUnreadable
from app.ui.drag import PNG
from app.ui.png import png_bytes


@dataclass(frozen=True, slots=True)
class Clip:
    """A picture's bytes and pixels, read on a thread; the clipboard outlives the file."""

    file: Path
    png: bytes
    image: QImage

    def mime(self) -> QMimeData:
        mime = QMimeData()
        mime.setImageData(self.image)
        mime.setData(PNG, self.png)
        mime.setUrls([QUrl.fromLocalFile(str(self.file))])
        return mime


def clip_of(file: Path) -> Clip:
    """What is in ``file``. Raises PictureUnreadable."""
    try:
        data = file.read_bytes()
    except OSError as error:
        reason = "missing" if isinstance(error, FileNotFoundError) else "permission"
        raise PictureUnreadable(str(file), reason) from error
    image = QImage.fromData(data)
    if image.isNull():
        raise PictureUnreadable(str(file), "not a picture")
    return Clip(file, data if file.suffix.lower() == ".png" else png_bytes(image), image)
