"""Finds the folders: from a checkout, an installed wheel and a frozen bundle alike."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from app.core.folders import Folders


def find_folders(environ: Mapping[str, str] = os.environ) -> Folders:
    """The folders of this person on this system; ``EASEL_HOME`` replaces all of the person's."""
    shipped = find_shipped()
    home = environ.get("EASEL_HOME")
    if home:
        base = Path(home).expanduser().absolute()
        return Folders(shipped, base / "Pictures", base, base / "Caches", base / "Logs")
    return Folders(
        shipped=shipped,
        pictures=Path(platformdirs.user_pictures_path()) / "Easel",
        support=Path(platformdirs.user_data_path("Easel", appauthor=False)),
        caches=Path(platformdirs.user_cache_path("Easel", appauthor=False)),
        logs=Path(platformdirs.user_log_path("Easel", appauthor=False)),
    )


def find_shipped() -> Path:
    """The folder that holds ``resources`` and ``models``.

    A frozen bundle has both where it unpacks itself (PyInstaller's ``sys._MEIPASS``), a wheel
    carries them as ``app/shipped``, a checkout has them beside ``app``. Raises FileNotFoundError.
    """
    package = Path(__file__).resolve().parent
    frozen = getattr(sys, "_MEIPASS", None)
    candidates = [Path(frozen)] if frozen else []
    candidates += [package / "shipped", package.parent]
    for candidate in candidates:
        if (candidate / "resources").is_dir() and (candidate / "models").is_dir():
            return candidate
    raise FileNotFoundError(f"no resources and models in any of {candidates}")
