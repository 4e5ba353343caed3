"""Which names can be files, and lie beside each other, on any disk that a Mac may have."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

MAX_NAME_BYTES = 200
"""255 bytes is the limit of the file systems; what is left is for the suffixes of parts."""

_FORBIDDEN = frozenset('\\:*?"<>|')


def twin_key(path: str) -> str:
    """Equal for two paths that are one file on a Mac: case and composition do not count there."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())


def clash(paths: Iterable[str]) -> str:
    """The first of ``paths`` that cannot lie beside those before it; "" when all can.

    That is a twin, or a file where another path needs a folder.
    """
    files: set[str] = set()
    folders: set[str] = set()
    for path in paths:
        key = twin_key(path)
        above = _folders_above(key)
        if key in files or key in folders or files & above:
            return path
        files.add(key)
        folders |= above
    return ""


def _folders_above(key: str) -> set[str]:
    parts = key.split("/")
    return {"/".join(parts[:count]) for count in range(1, len(parts))}


def is_safe_part(part: str) -> bool:
    """Whether ``part`` can name a file or folder. Hidden names cannot: they are Easel's own."""
    try:
        size = len(part.encode("utf-8"))
    except UnicodeEncodeError:  # a lone surrogate
        return False
    if not 0 < size <= MAX_NAME_BYTES or part[0] == "." or part[-1] in ". ":
        return False
    return part.isprintable() and not _FORBIDDEN & set(part)
