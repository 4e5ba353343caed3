"""Brings in a file from elsewhere through a limited child, and leaves nothing of a failure."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from app.convert.importing import Brought, Importing, bring_in
from app.jobs.limited_child import Bounds, run_limited


def import_file(
    file: Path,
    staging: Path,
    resources: Path,
    report: Callable[[Importing], None],
    cancelled: Callable[[], bool],
    bounds: Bounds | None = None,
) -> Brought | None:
    """As ``convert.importing.bring_in``, in a child; blocks. None when it was stopped.

    ``staging`` is gone again whatever ended the child, a kill included. ``bounds`` default to what
    the file's size asks for. Raises as ``bring_in`` and ``run_limited`` do.
    """
    if os.path.lexists(staging):
        raise FileExistsError(str(staging))
    work = functools.partial(bring_in, file, staging, resources)
    limits = bounds or Bounds.for_file(_size(file))
    brought = None
    try:
        brought = run_limited(work, str(file), limits, report, cancelled)
    finally:
        if brought is None:
            shutil.rmtree(staging, ignore_errors=True)
    return brought


def _size(file: Path) -> int:
    """Bytes of a file, or of a folder's weights; 0 for what cannot be read: the child tells."""
    try:
        if file.is_dir():
            return sum(part.stat().st_size for part in file.glob("*/*.safetensors"))
        return file.stat().st_size
    except (OSError, ValueError):
        return 0
