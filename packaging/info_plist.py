"""What macOS is told about Easel before it starts it: the contents of Info.plist.

Keys as Apple's "Information Property List" reference has them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import freeze_config as config

PICTURES = ("public.png", "public.jpeg", "org.webmproject.webp")
WEIGHTS = "app.easel.safetensors"
PACK = "app.easel.pack"


def version(root: Path) -> str:
    """The version of the program, from ``app/__init__.py``: the one place that has it."""
    text = (root / "app" / "__init__.py").read_text("utf-8")
    found = re.search(r'^__version__ = "([0-9]+(?:\.[0-9]+)*)"$', text, re.MULTILINE)
    if found is None:
        raise ValueError("app/__init__.py names no version of the form 1.2.3")
    return found.group(1)


def info_plist(root: Path) -> dict[str, Any]:
    """The keys that PyInstaller does not write, or writes otherwise. Booleans are booleans.

    ``EASEL_BUILD`` is the build's number (CFBundleVersion), where a build has one.
    """
    return {
        "CFBundleDisplayName": config.NAME,
        "CFBundleShortVersionString": version(root),
        "CFBundleVersion": os.environ.get("EASEL_BUILD", version(root)),
        "CFBundleDevelopmentRegion": "en",
        "LSMinimumSystemVersion": config.MINIMUM_MACOS,
        "LSArchitecturePriority": ["arm64"],
        "LSRequiresNativeExecution": True,
        "LSApplicationCategoryType": "public.app-category.graphics-design",
        "NSHighResolutionCapable": True,
        "NSRequiresAquaSystemAppearance": False,
        "NSSupportsAutomaticGraphicsSwitching": True,
        "NSPrincipalClass": "NSApplication",
        "NSHumanReadableCopyright": "The Easel authors. Apache License 2.0.",
        "CFBundleDocumentTypes": [
            _documents("Picture", list(PICTURES)),
            _documents("Stable Diffusion weights", [WEIGHTS]),
            _documents("Easel model pack", [PACK]),
        ],
        "UTImportedTypeDeclarations": [
            _type(WEIGHTS, "Stable Diffusion weights", "safetensors", "public.data"),
        ],
        "UTExportedTypeDeclarations": [
            _type(PACK, "Easel model pack", "easelpack", "public.archive"),
        ],
    }


def _documents(name: str, types: list[str]) -> dict[str, Any]:
    """Easel can open them, and does not claim to be their usual program."""
    return {
        "CFBundleTypeName": name,
        "CFBundleTypeRole": "Viewer",
        "LSHandlerRank": "Alternate",
        "LSItemContentTypes": types,
    }


def _type(identifier: str, description: str, suffix: str, conforms: str) -> dict[str, Any]:
    return {
        "UTTypeIdentifier": identifier,
        "UTTypeDescription": description,
        "UTTypeConformsTo": [conforms],
        "UTTypeTagSpecification": {"public.filename-extension": [suffix]},
    }
