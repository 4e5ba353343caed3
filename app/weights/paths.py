"""Which names may become files below a model's folder, on any disk that a Mac may have."""

from __future__ import annotations

import re

from app.files.disk_names import is_safe_part, twin_key

RECEIPT = "receipt.json"
LICENCE_TEXT = "LICENSE.txt"
"""What Easel itself writes into an installed folder, beside the model's files."""

MAX_PATH_BYTES = 512

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


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
    return all(is_safe_part(part) for part in path.split("/"))
