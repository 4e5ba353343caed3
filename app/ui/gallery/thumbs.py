"""The small pictures of the gallery in memory: made on threads, of a bounded size together."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Protocol

from PySide6.QtCore import QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPen, QTransform

from app.core.errors import EaselError
from app.core.events import Pixels
from app.jobs.thumbnailer import Makes, Thumbnailer
from app.library.entry import Entry
from app.ui.tokens import PICTURE_RADIUS

ROOM = 24_000_000
"""Bytes: some 230 pictures on a usual screen. More where more are wanted at once."""

FEW_MS = 16
"""Those that come within as long are painted together."""

_Key = tuple[int, int]


class Decodes(Makes, Protocol):
    """What this needs of ``library.thumbnails.Thumbnails``."""

    def kept(self, entry: Entry) -> bytes | None: ...


class KeptFirst:
    """Qt decodes what was kept: Pillow is loaded where something has to be made, and not before."""

    def __init__(self, decodes: Decodes) -> None:
        self._decodes = decodes

    def get(self, entry: Entry) -> Pixels:
        """As ``Thumbnails.get``."""
        data = self._decodes.kept(entry)
        image = QImage() if data is None else QImage.fromData(data)
        if image.isNull():
            return self._decodes.get(entry)
        rgb = image.convertToFormat(QImage.Format.Format_RGB888)
        width, height, line = rgb.width(), rgb.height(), rgb.bytesPerLine()
        bits = bytes(rgb.constBits())
        if line != 3 * width:  # Qt fills each line up to whole words
            bits = b"".join(bits[at : at + 3 * width] for at in range(0, line * height, line))
        return Pixels(width, height, bits)


class Thumbs(QObject):
    """Pictures round-cornered and as large as they are shown.

    ``size`` gives how large that is: points of the longer side, and the screen's density.

    ``arrived`` carries the keys of the entries whose pictures have come, on the window's thread.
    """

    arrived = Signal(object)
    _ready = Signal()

    def __init__(
        self,
        makes: Decodes,
        size: Callable[[], tuple[int, float]],
        parent: QObject | None = None,
        room: int = ROOM,
    ) -> None:
        super().__init__(parent)
        self._wants = size
        self._size = (0, 1.0)
        self._room = room
        self._held: OrderedDict[_Key, QImage | None] = OrderedDict()
        """None: there is no picture to be had."""
        self._stale: set[_Key] = set()
        """Made for another size: shown until they have been made again."""
        self._bytes = 0
        self._least = 1
        self._lock = threading.Lock()
        self._came: list[tuple[Entry, QImage | None]] = []
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(FEW_MS)
        self._soon.timeout.connect(self._take)
        self._ready.connect(self._soon.start, Qt.ConnectionType.QueuedConnection)
        self._thumbnailer = Thumbnailer(KeptFirst(makes), self._made)

    def get(self, entry: Entry) -> QImage | None:
        """The picture of ``entry``, where it has come."""
        key = _key(entry)
        image = self._held.get(key)
        if image is not None:
            self._held.move_to_end(key)
        return image

    def failed(self, entry: Entry) -> bool:
        """Whether there is no picture to be had of ``entry``."""
        key = _key(entry)
        return key in self._held and self._held[key] is None

    def want(self, entries: Iterable[Entry], least: int) -> None:
        """These, the first ones first; what was asked for before and has not begun is dropped.

        ``least`` are held, whatever room they take.
        """
        self._least = least
        size = self._wants()
        if size != self._size:
            self._size = size
            self._stale = set(self._held)
        self._thumbnailer.want(
            [e for e in entries if (key := _key(e)) not in self._held or key in self._stale]
        )

    def close(self) -> None:
        """Wait for those that are being made."""
        self._thumbnailer.close()

    def _made(self, entry: Entry, found: Pixels | EaselError) -> None:
        """On a thread of the thumbnailer: all the work that the window need not do."""
        image = None
        if isinstance(found, Pixels):
            image = rounded(found, *self._size, PICTURE_RADIUS)
        with self._lock:
            self._came.append((entry, image))
            first = len(self._came) == 1
        if first:
            with contextlib.suppress(RuntimeError):  # the window has been closed meanwhile
                self._ready.emit()

    def _take(self) -> None:
        with self._lock:
            came, self._came = self._came, []
        for entry, image in came:
            key = _key(entry)
            before = self._held.pop(key, None)
            self._bytes += _size(image) - _size(before)
            self._held[key] = image
            self._stale.discard(key)
        while self._bytes > self._room and len(self._held) > self._least:
            _, gone = self._held.popitem(last=False)
            self._bytes -= _size(gone)
        self.arrived.emit([entry.key for entry, _ in came])


def rounded(pixels: Pixels, side: int, ratio: float, radius: float) -> QImage:
    """``pixels`` of at most ``side`` points at ``ratio``, with round corners and a faint edge."""
    shape = QImage.Format.Format_RGB888
    image = QImage(pixels.rgb, pixels.width, pixels.height, pixels.width * 3, shape)
    room = side * ratio
    scale = min(room / pixels.width, room / pixels.height, 1.0)
    width, height = (max(1, round(n * scale)) for n in (pixels.width, pixels.height))
    if scale < 1:
        smooth = Qt.TransformationMode.SmoothTransformation
        image = image.scaled(width, height, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
    made = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    brush = QBrush(image)
    brush.setTransform(QTransform.fromScale(width / image.width(), height / image.height()))
    painter.setBrush(brush)
    painter.setPen(Qt.PenStyle.NoPen)
    # A small picture is shown larger than it is; its corners are to look like the others'.
    shrunk = max(width, height) / room
    corner, line = radius * ratio * shrunk, ratio * shrunk
    at = QRectF(made.rect())
    painter.drawRoundedRect(at, corner, corner)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(128, 120, 112, 60), line))
    half = line / 2
    painter.drawRoundedRect(at.adjusted(half, half, -half, -half), corner - half, corner - half)
    painter.end()
    made.setDevicePixelRatio(ratio)
    return made


def _key(entry: Entry) -> _Key:
    return entry.key, entry.stamp.mtime_ns


def _size(image: QImage | None) -> int:
    return 0 if image is None else image.sizeInBytes()
