"""Drawings of the nouns: SVG icons of the pinned sets, rendered to RGBA pictures."""

from __future__ import annotations

import io
import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

HERE = Path(__file__).parent
SIZE = 128

TEACHER = "noto"
"""The one set the diffusion model learns: many artists a noun blur together on a small budget."""

WITNESSES = ("twemoji", "fluent-emoji-flat", "emojione", "fxemoji")
"""Sets the diffusion model never sees; the judge compares its pictures with these."""

_PACKAGES = {name: f"@iconify-json/{name}" for name in (TEACHER, *WITNESSES)}


@dataclass(frozen=True)
class Noun:
    """A thing the model draws: its word, other words for it, its group and its CLDR label."""

    word: str
    also: tuple[str, ...]
    group: str
    label: str


def load_nouns() -> list[Noun]:
    """Read `nouns.toml` in its own order; a noun's place is its number everywhere else."""
    table = tomllib.loads((HERE / "nouns.toml").read_text("utf-8"))
    return [
        Noun(word, tuple(row["also"]), group, row["label"])
        for group, rows in table.items()
        for word, row in rows.items()
    ]


class IconSet:
    """One package of icons: finds a noun's drawing and renders it."""

    def __init__(self, folder: Path) -> None:
        opened = folder / "package"
        icons = json.loads((opened / "icons.json").read_text("utf-8"))
        self._size = int(icons.get("width", icons.get("height", 16)))
        self._icons: dict[str, dict[str, Any]] = icons["icons"]
        self._aliases: dict[str, dict[str, Any]] = icons.get("aliases", {})
        self._by_code: dict[str, str] = json.loads((opened / "chars.json").read_text("utf-8"))

    def find(self, noun: Noun, code: str) -> str | None:
        """The icon's name for a noun with this code point, or None where the set has none."""
        for candidate in (code, code.replace("-fe0f", "")):
            if candidate in self._by_code:
                return self._by_code[candidate]
        for words in (noun.label, noun.word):
            name = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
            if name in self._icons or name in self._aliases:
                return name
        return None

    def plain_names(self) -> list[str]:
        """The set's own icons, less skin tones, flags and families."""
        unwanted = re.compile(r"skin|tone|flag|family|couple|holding-hands|kiss")
        return sorted(name for name in self._icons if not unwanted.search(name))

    def render(self, name: str, size: int = SIZE) -> NDArray[np.uint8]:
        """An icon as uint8 RGBA [size, size, 4], straight alpha."""
        import resvg_py  # only rendering needs it: captions and tests do not

        icon = self._icons.get(name) or self._icons[self._aliases[name]["parent"]]
        width, height = icon.get("width", self._size), icon.get("height", self._size)
        box = f"{icon.get('left', 0)} {icon.get('top', 0)} {width} {height}"
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="{box}" width="{width}" height="{height}">{icon["body"]}</svg>'
        )
        png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size))
        with Image.open(io.BytesIO(png)) as opened:
            picture = opened.convert("RGBA")
        canvas = Image.new("RGBA", (size, size))
        canvas.paste(picture, ((size - picture.width) // 2, (size - picture.height) // 2))
        return np.asarray(canvas, dtype=np.uint8)


def code_points(packages: dict[str, Path]) -> dict[str, str]:
    """CLDR label -> lower-case hexadecimal code points, as emojibase lists them."""
    path = packages["emojibase-data"] / "package" / "en" / "compact.json"
    rows = json.loads(path.read_text("utf-8"))
    return {row["label"]: row["hexcode"].lower() for row in rows if "label" in row}


def render_nouns(packages: dict[str, Path], artist: str) -> dict[int, NDArray[np.uint8]]:
    """A set's drawing of each noun it has: noun's number -> uint8 RGBA [128, 128, 4]."""
    icons = IconSet(packages[_PACKAGES[artist]])
    codes = code_points(packages)
    found: dict[int, NDArray[np.uint8]] = {}
    for number, noun in enumerate(load_nouns()):
        name = icons.find(noun, codes[noun.label])
        if name is not None:
            found[number] = icons.render(name)
    return found


def render_many(packages: dict[str, Path], artist: str, count: int) -> NDArray[np.uint8]:
    """About `count` drawings of a set, nouns or not: uint8 RGBA [n, 128, 128, 4]."""
    icons = IconSet(packages[_PACKAGES[artist]])
    names = icons.plain_names()
    return np.stack([icons.render(name) for name in names[:: max(1, len(names) // count)]])
