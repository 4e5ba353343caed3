"""Which part of a model a file is, by its name: the errors about it say so."""

from __future__ import annotations

from pathlib import Path

from app.core.coreml_manifest import STEMS, Part

_PUBLISHED = "Stable_Diffusion_version_"
"""How the packages begin that Apple's tools write: then the model's name, "_" and the part."""


def part_of(path: Path) -> str:
    """The ``Part`` that ``path`` holds, or its stem where the name says none.

    ``UnetChunk1`` and ``UnetChunk2`` are the UNet, and ``.._unet`` of a published package is.
    """
    stem = path.stem
    for part, name in STEMS.items():
        if stem == name or stem.startswith(f"{name}Chunk"):
            return part.value
    if stem.startswith(_PUBLISHED):
        for part in sorted(Part, key=lambda one: -len(one.value)):
            if stem.endswith(f"_{part.value}"):
                return part.value
    return stem
