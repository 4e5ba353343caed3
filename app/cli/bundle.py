"""The self-test of what surrounds the drawing: files that came along, children, conversion, forms.

Each function is one check: it returns the detail of its line, or raises Fault or an EaselError.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.cli.checks import Fault
from app.convert.coreml.verifying import Compared
from app.core.events import Pixels
from app.core.folders import Folders
from app.jobs import rehearsing
from app.library.copies import copy_to, read_pixels
from app.library.picture_file import Picture, read_picture
from app.weights.catalogue import catalogue
from app.weights.licences import KNOWN, licence
from app.weights.shipped import copy_shipped

FORMS = {"PNG": ".png", "JPEG": ".jpg", "WebP": ".webp", "AVIF": ".avif"}
MOST_OFF = 8.0
"""Of 255, on the average, that a form with losses may differ. A starter's picture: about 2."""

NOTICES = (
    "LICENSE",
    "NOTICE",
    "models/starter/NOTICE.md",
    "resources/third-party/GPL-3.0.txt",
    "resources/third-party/LGPL-3.0.txt",
)
_FAMILIES = ("sd1", "sd2", "sdxl")
_CLIP = ("vocab.json", "merges.txt")


def resources(folders: Folders) -> str:
    """The configurations that single files are imported with, and the icon."""
    configs, components = folders.resources / "configs", 0
    for family in _FAMILIES:
        for name, made_of in _json(configs / family / "model_index.json").items():
            if isinstance(made_of, list) and made_of[0]:
                (file,) = (*(configs / family / name).glob("*.json"), None)[:1]
                if file is None:
                    raise Fault(f"{configs / family / name} is missing.")
                _json(file)
                components += 1
    for name in _CLIP:
        if not _text(configs / "clip" / name):
            raise Fault(f"{configs / 'clip' / name} is empty.")
    if not _bytes(folders.resources / "icon" / "easel.png").startswith(b"\x89PNG"):
        raise Fault("The icon is no picture.")
    return f"{components} configurations"


def notices(folders: Folders) -> str:
    """Easel's own licence, and the notices that it owes."""
    for name in NOTICES:
        if not _text(folders.shipped / name).strip():
            raise Fault(f"{folders.shipped / name} is empty.")
    return f"{len(NOTICES)} texts"


def licences(folders: Folders) -> str:
    """The texts that people are asked to accept."""
    texts = [licence(folders.licences, id) for id in sorted(KNOWN)]
    empty = [text.title for text in texts if not text.text.strip()]
    if empty:
        raise Fault(f"The text of {', '.join(empty)} is empty.")
    return f"{len(texts)} texts"


def models_to_install(folders: Folders, folder: Path) -> str:
    """The cards of the catalogue, and the files of theirs that came along (into ``folder``)."""
    cards = catalogue(folders.catalogue)
    if not cards:
        raise Fault(f"There is no model in {folders.catalogue}.")
    for card in cards:
        copy_shipped(card, folder / card.id, folders.resources)
    return f"{len(cards)} models"


def certificates() -> str:
    """Whom downloads believe. No connection is made."""
    from app.weights.trust import authorities  # the hub's client comes with it

    try:
        found = authorities()
    except OSError as error:
        raise Fault(
            f"The certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read: {error}. "
            "Correct it, or take it away."
        ) from error
    if found is None:
        return "macOS is asked"
    if not found:
        raise Fault(
            "This system has no certificates of authorities, so nothing can be downloaded; "
            "drawing is not hindered. Install the package ca-certificates, or name a file of "
            "them in SSL_CERT_FILE."
        )
    return f"{found} authorities"


def form(picture: Picture, suffix: str, folder: Path) -> str:
    """``picture`` in another form, with its recipe, as another program would read it."""
    file = copy_to(picture, folder / f"picture{suffix}")
    if read_picture(file) != replace(picture, file=file, fell_back=None):
        raise Fault("The recipe that it holds is another one.")
    off = _off(read_pixels(picture.file), read_pixels(file))
    if off > (0.0 if suffix == picture.file.suffix else MOST_OFF):
        raise Fault(f"The picture that it holds is another one: {off:.1f} of 255 off.")
    return f"{file.stat().st_size / 1000:.1f} kB"


def deaf_child(end: Callable[[], bool] = rehearsing.end_a_deaf_child) -> str:
    """A child that does not listen is ended."""
    if not end():
        raise Fault("It is still there.")
    return ""


def conversion(
    folder: Path,
    convert: Callable[[Path], tuple[Compared, ...]] = rehearsing.convert_toy,
) -> str:
    """A toy network to Core ML and through the interpreter, in a limited child."""
    compared = convert(folder)
    if not compared or not all(one.holds for one in compared):
        raise Fault("The package answers otherwise than the network that it was made from.")
    return f"{min(one.psnr for one in compared):.0f} dB"


def _off(one: Pixels, other: Pixels) -> float:
    """The mean difference of a channel of a pixel, of 255; all of it for another size."""
    if (one.width, one.height) != (other.width, other.height):
        return 255.0
    return sum(abs(a - b) for a, b in zip(one.rgb, other.rgb, strict=True)) / len(one.rgb)


def _json(file: Path) -> dict[str, object]:
    try:
        read = json.loads(_text(file))
    except ValueError as error:
        raise Fault(f"{file} is damaged.") from error
    if not isinstance(read, dict):
        raise Fault(f"{file} is damaged.")
    return read


def _text(file: Path) -> str:
    try:
        return _bytes(file).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Fault(f"{file} is damaged.") from error


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Fault(f"{file} is missing.") from error
