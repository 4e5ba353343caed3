"""Places in a text: Qt counts UTF-16 units, Python characters; an emoji is two of the former."""

from __future__ import annotations


def to_qt(text: str, index: int) -> int:
    """Character ``index`` of ``text`` as Qt counts it."""
    return index + sum(ord(letter) > 0xFFFF for letter in text[:index])


def to_python(text: str, units: int) -> int:
    """Qt's position ``units`` in ``text`` as a character index."""
    if text.isascii():
        return min(max(0, units), len(text))
    index = 0
    while units > 0 and index < len(text):
        units -= 2 if ord(text[index]) > 0xFFFF else 1
        index += 1
    return index
