"""Makes icon.icns, the program's own icon.png and the image's background from resources/icon.

    python packaging/make_icon.py

Run it when a drawing changed; what it makes is in the repository, since a Mac that builds Easel
should not have to.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QBuffer, QIODevice, QRectF
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ICON = ROOT / "resources" / "icon" / "easel.svg"
BACKGROUND = HERE / "dmg_background.svg"
SIDES = (16, 32, 64, 128, 256, 512, 1024)


def drawn(source: Path, width: int, height: int) -> Image.Image:
    """The drawing in ``source`` at that size."""
    image = QImage(width, height, QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    QSvgRenderer(str(source)).render(painter, QRectF(0, 0, width, height))
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return Image.open(io.BytesIO(buffer.data().data()))


def main() -> int:
    application = QGuiApplication(["-platform", "offscreen"])
    icons = [drawn(ICON, side, side) for side in SIDES]
    icons[-1].save(HERE / "icon.icns", append_images=icons[:-1])
    icons[SIDES.index(256)].save(ICON.with_suffix(".png"), optimize=True)
    pages = [drawn(BACKGROUND, 660 * scale, 420 * scale).convert("RGB") for scale in (1, 2)]
    pages[0].save(
        HERE / "dmg_background.tiff",
        save_all=True,
        append_images=pages[1:],
        compression="tiff_lzw",
        dpi=(72, 72),
    )
    del application
    return 0


if __name__ == "__main__":
    sys.exit(main())
