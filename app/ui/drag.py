"""Carries a picture out of the window: to the desktop, a folder, another program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QMimeData, QObject, QPoint, QRectF, Qt, QUrl
from PySide6.QtGui import QColor, QDrag, QImage, QMouseEvent, QPainter, QPainterPath, QPixmap
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from app.ui.png import png_bytes

THUMBNAIL = 128
"""The longer side of what follows the pointer, in device-independent pixels."""

PNG = "image/png"
URLS = "text/uri-list"
QT_IMAGE = "application/x-qt-image"


@dataclass(frozen=True, slots=True)
class Carried:
    """A picture that can be carried: its file and what to show under the pointer.

    ``more`` are the files that are carried with it.
    """

    file: Path
    shown: QPixmap
    more: tuple[Path, ...] = ()


class PictureMime(QMimeData):
    """A picture as a file URL and as image data; the file is read only when a program asks.

    ``more`` are further files, as URLs. Finder, file managers and mail take the URLs; image
    programs take ``image/png``, or on a Mac ``public.png``, which Qt makes of
    ``application/x-qt-image``.
    """

    def __init__(self, file: Path, more: tuple[Path, ...] = ()) -> None:
        super().__init__()
        self._file = file
        self.setUrls([QUrl.fromLocalFile(str(one)) for one in (file, *more)])

    def formats(self) -> list[str]:
        return [URLS, PNG, QT_IMAGE]

    def hasFormat(self, mime_type: str) -> bool:  # noqa: N802 (Qt's name)
        return mime_type in self.formats()

    def retrieveData(self, mime_type: str, wanted: Any) -> object:  # noqa: N802 (Qt's name)
        if mime_type == PNG:
            return _png(self._file)
        if mime_type == QT_IMAGE:
            return QImage(str(self._file))
        return super().retrieveData(mime_type, wanted)


def _png(file: Path) -> QByteArray:
    # Between the press and the drop the file may have gone: an empty answer, no exception in Qt.
    if file.suffix.lower() != ".png":
        image = QImage(str(file))
        return QByteArray() if image.isNull() else QByteArray(png_bytes(image))
    try:
        return QByteArray(file.read_bytes())
    except OSError:
        return QByteArray()


def carry(widget: QWidget, carried: Carried) -> Qt.DropAction:
    """Run the drag until it is dropped or given up; copies, never moves. Nests an event loop."""
    drag = QDrag(widget)
    drag.setMimeData(PictureMime(carried.file, carried.more))
    thumbnail = drag_thumbnail(carried.shown, widget.devicePixelRatioF(), 1 + len(carried.more))
    drag.setPixmap(thumbnail)
    width, height = thumbnail.deviceIndependentSize().toTuple()
    drag.setHotSpot(QPoint(int(width) // 2, int(height) // 2))
    return drag.exec(Qt.DropAction.CopyAction, Qt.DropAction.CopyAction)


def drag_thumbnail(shown: QPixmap, ratio: float, count: int = 1) -> QPixmap:
    """``shown`` fitted into ``THUMBNAIL``, round-cornered, slightly see-through.

    Where there are more than one, it says how many in its corner.
    """
    side = round(THUMBNAIL * ratio)
    if shown.isNull():
        shown = QPixmap(side, side)
        shown.fill(QColor("#888888"))
    small = shown.scaled(
        side,
        side,
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
    small.setDevicePixelRatio(1.0)
    framed = QPixmap(small.size())
    framed.fill(Qt.GlobalColor.transparent)
    painter = QPainter(framed)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    corner = 6.0 * ratio
    outline = QPainterPath()
    outline.addRoundedRect(QRectF(framed.rect()), corner, corner)
    painter.setClipPath(outline)
    painter.setOpacity(0.92)
    painter.drawPixmap(0, 0, small)
    if count > 1:
        _badge(painter, framed.width(), ratio, str(count))
    painter.end()
    framed.setDevicePixelRatio(ratio)
    return framed


def _badge(painter: QPainter, right: int, ratio: float, words: str) -> None:
    font = painter.font()
    font.setPixelSize(round(12 * ratio))
    font.setBold(True)
    painter.setFont(font)
    width = painter.fontMetrics().horizontalAdvance(words) + 14 * ratio
    at = QRectF(right - width - 6 * ratio, 6 * ratio, width, 20 * ratio)
    painter.setOpacity(1.0)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor("#BE4923"))
    painter.drawRoundedRect(at, at.height() / 2, at.height() / 2)
    painter.setPen(QColor("#FFFFFF"))
    painter.drawText(at, Qt.AlignmentFlag.AlignCenter, words)


class DragSource(QObject):
    """Lets the pictures a widget shows be dragged out of it.

    ``picture_at(point)`` names what lies under a point of ``widget``, or None. ``carry`` runs the
    drag. The widget's own handling of presses and clicks goes on as before; once the pointer has
    moved the system's drag distance with the left button down, the drag begins.
    """

    def __init__(
        self,
        widget: QWidget,
        picture_at: Callable[[QPoint], Carried | None],
        carry: Callable[[QWidget, Carried], object] = carry,
    ) -> None:
        super().__init__(widget)
        self._widget = widget
        self._picture_at = picture_at
        self._carry = carry
        self._pressed: QPoint | None = None
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        if watched is not self._widget or not isinstance(event, QMouseEvent):
            return False
        if event.type() == QEvent.Type.MouseButtonPress:
            left = event.button() == Qt.MouseButton.LeftButton
            self._pressed = event.position().toPoint() if left else None
        elif event.type() == QEvent.Type.MouseButtonRelease:
            self._pressed = None
        elif event.type() == QEvent.Type.MouseMove:
            return self._moved(event)
        return False

    def _moved(self, event: QMouseEvent) -> bool:
        if self._pressed is None or not event.buttons() & Qt.MouseButton.LeftButton:
            return False
        way = (event.position().toPoint() - self._pressed).manhattanLength()
        if way < QApplication.startDragDistance():
            return False
        carried = self._picture_at(self._pressed)
        self._pressed = None
        if carried is None:
            return False
        # The drag swallows the release, so a button would stay pressed.
        if isinstance(self._widget, QAbstractButton):
            self._widget.setDown(False)
        self._carry(self._widget, carried)
        return True
