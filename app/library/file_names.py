"""The name of a picture's file: the words of its prompt and its seed."""

from __future__ import annotations

import unicodedata

MAX_BYTES = 200
"""Of the whole name in UTF-8. File systems allow 255; the rest is for " 2" and for copies."""

MAX_SLUG = 80
"""Characters. More than anyone reads in a file list."""


def picture_stem(
    prompt: str, seed: int, room: int = MAX_BYTES - len(".png") - len(" 99999")
) -> str:
    """``red-apple-on-a-table-17``: at most ``room`` bytes of UTF-8, without a suffix."""
    tail = f"-{seed}"
    return _cut(slug(prompt), MAX_SLUG, room - len(tail)) + tail


def slug(text: str) -> str:
    """The letters and digits of ``text`` in lower case, in any script, joined by hyphens.

    "picture" when there are none (a prompt of emoji).
    """
    words: list[str] = [""]
    for char in unicodedata.normalize("NFC", text.lower()):
        kind = unicodedata.category(char)
        if kind[0] in "LN" or (kind[0] == "M" and words[-1]):
            words[-1] += char
        elif kind != "Cf" and words[-1] and char not in "'’":  # joiners and direction marks
            words.append("")
    return "-".join(word for word in words if word) or "picture"


def _cut(name: str, chars: int, size: int) -> str:
    """``name`` in ``chars`` characters and ``size`` bytes, cut at a hyphen if one is near."""
    kept = name[:chars].encode()[:size].decode("utf-8", "ignore")
    if kept == name:
        return kept
    if not name[len(kept) :].startswith("-"):
        whole = kept.rpartition("-")[0]
        kept = whole if len(whole) > len(kept) // 2 else kept
    return kept.strip("-") or "picture"
