"""Which names may become files below a model's folder, on any disk that a Mac may have."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

RECEIPT = "receipt.json"
LICENCE_TEXT = "LICENSE.txt"
"""What Easel itself writes into an installed folder, beside the model's files."""

MAX_PATH_BYTES = 512
MAX_NAME_BYTES = 200
"""255 bytes is the limit of the file systems; what is left is for the suffixes of parts."""

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_FORBIDDEN = frozenset('\\:*?"<>|')


def is_safe_name(text: str) -> bool:
    """Whether ``text`` may name the folder of a model or of a revision."""
    return _SAFE_NAME.fullmatch(text) is not None and not text.endswith(".")


def is_safe_path(path: str) -> bool:
    """Whether ``path`` is a relative path with "/" that stays below its folder.

    Hidden names are Easel's own (stagings, parts), and so are the receipt and the licence's text.
    """
    if not path or len(path.encode("utf-8", "replace")) > MAX_PATH_BYTES:
        return False
    if any(twin_key(path) == twin_key(name) for name in (RECEIPT, LICENCE_TEXT)):
        return False
    return all(_is_safe_part(part) for part in path.split("/"))


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


def _is_safe_part(part: str) -> bool:
    try:
        size = len(part.encode("utf-8"))
    except UnicodeEncodeError:  # a lone surrogate
        return False
    if not 0 < size <= MAX_NAME_BYTES or part[0] == "." or part[-1] in ". ":
        return False
    return part.isprintable() and not _FORBIDDEN & set(part)
