"""Screenshots as small PNG files: 256 colours, chosen for each, packed as far as zlib goes."""

from __future__ import annotations

import heapq
from collections import Counter
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QImageWriter

COLOURS = 256

_Rgb = tuple[int, int, int]
_Box = list[tuple[_Rgb, int]]


def save_small(image: QImage, file: Path) -> None:
    """Write ``image``, opaque, to ``file``. Raises OSError."""
    rgb = image.convertToFormat(QImage.Format.Format_RGB32)
    rgb.setDevicePixelRatio(1.0)
    table = [0xFF000000 | r << 16 | g << 8 | b for r, g, b in palette_of(rgb)]
    indexed = rgb.convertToFormat(
        QImage.Format.Format_Indexed8, table, Qt.ImageConversionFlag.ThresholdDither
    )
    writer = QImageWriter(str(file))
    writer.setCompression(100)
    if not writer.write(indexed):
        raise OSError(writer.errorString())


def palette_of(image: QImage) -> list[_Rgb]:
    """At most ``COLOURS`` colours for an RGB32 image, by median cut (Heckbert 1982)."""
    counted = Counter(memoryview(image.constBits()).cast("I"))
    whole = [((c >> 16 & 255, c >> 8 & 255, c & 255), count) for c, count in counted.items()]
    # Split where most is gained: the widest channel, weighed by how often it is seen.
    heap = [(-_weight(whole), 0, whole)]
    while len(heap) < COLOURS and heap[0][0] < 0:
        _, number, box = heapq.heappop(heap)
        for half, other in zip(_split(box), (1, 2), strict=True):
            heapq.heappush(heap, (-_weight(half), 2 * number + other, half))
    return [_mean(box) for _, _, box in heap]


def _spread(box: _Box) -> tuple[int, int]:
    """How far the colours of ``box`` lie apart, and in which channel."""
    return max((max(rgb[i] for rgb, _ in box) - min(rgb[i] for rgb, _ in box), i) for i in range(3))


def _weight(box: _Box) -> float:
    seen = sum(count for _, count in box)
    return float(_spread(box)[0] ** 2 * seen**0.5) if len(box) > 1 else 0.0


def _split(box: _Box) -> tuple[_Box, _Box]:
    channel = _spread(box)[1]
    box.sort(key=lambda entry: entry[0][channel])
    half, seen = sum(count for _, count in box) / 2, 0
    for at in range(1, len(box)):
        seen += box[at - 1][1]
        if seen >= half:
            return box[:at], box[at:]
    return box[:-1], box[-1:]


def _mean(box: _Box) -> _Rgb:
    # A colour that fills an area stays exactly what it is.
    often, count = max(box, key=lambda entry: entry[1])
    seen = sum(count for _, count in box)
    if count * 2 > seen:
        return often
    red, green, blue = (round(sum(rgb[i] * n for rgb, n in box) / seen) for i in range(3))
    return red, green, blue
