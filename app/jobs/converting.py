"""Converts a model to Core ML in a limited child, and leaves nothing of a failure."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.convert.coreml.converting import ConversionOptions, Converting, convert_model
from app.convert.coreml.verifying import Compared, verify_folder
from app.core.coreml_manifest import CoreMLManifest
from app.core.errors import ConversionRefused, ImportRefused
from app.files.atomic_file import STALE_AFTER_S, world_error
from app.jobs.limited_child import Bounds, run_limited

STAGING_PREFIX = ".converting-"
_LIMITS = ("too much memory", "too slow")


def converted_folder(models: Path, id: str, options: ConversionOptions) -> Path:
    """Where the conversion of the installed model ``id`` is kept. The one place that says so."""
    fast = "-fast" if options.fast else ""
    return models / id / f"coreml-{options.attention}-{options.bits}{fast}"


def convert(
    folder: Path,
    target: Path,
    options: ConversionOptions,
    report: Callable[[Converting], None],
    cancelled: Callable[[], bool],
    bounds: Bounds | None = None,
) -> CoreMLManifest | None:
    """Convert the model in ``folder`` into the new folder ``target``; blocks. None when stopped.

    ``target`` appears whole, with the rename that ends it. ``bounds`` default to what the model's
    size asks for. Raises ConversionRefused, ImportRefused, NoSpace, FolderNotWritable, Bug;
    FileExistsError for a ``target`` that is there.
    """
    if os.path.lexists(target):
        raise FileExistsError(str(target))
    # 1. A folder beside it that nobody takes for a model
    _sweep(target.parent)
    staging = target.parent / f"{STAGING_PREFIX}{os.urandom(8).hex()}"
    options = replace(options, title=options.title or folder.name)
    work = functools.partial(_work, folder, staging, options, free_memory())
    functions = max(1, len(options.sizes)) * max(1, len(options.batches))
    limits = bounds or Bounds.for_conversion(_size(folder), functions)
    # 2. In a child, which may be killed at any moment
    try:
        manifest = run_limited(work, str(folder), limits, report, cancelled)
        if manifest is not None:
            try:
                staging.rename(target)
            except OSError as error:
                raise world_error(error, target, 0) from error
        return manifest
    except ImportRefused as error:
        if error.reason in _LIMITS:
            raise ConversionRefused(options.title, error.reason) from error
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def verify(
    folder: Path, report: Callable[[Compared], None], cancelled: Callable[[], bool]
) -> tuple[Compared, ...] | None:
    """As ``convert.coreml.verifying.verify_folder``, in a child; blocks."""
    size = sum(file.stat().st_size for file in folder.glob("*.mlpackage/Data/*/weights/*"))
    work = functools.partial(verify_folder, folder)
    return run_limited(work, str(folder), Bounds.for_conversion(4 * size), report, cancelled)


def free_memory() -> int:
    """Bytes that a conversion may use: what is free on Linux, all there is on a Mac, which swaps
    and compresses; 0 where the system does not say."""
    with contextlib.suppress(OSError, ValueError):
        if sys.platform == "linux":
            for line in Path("/proc/meminfo").read_text("ascii").splitlines():
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 0


def _work(
    folder: Path,
    staging: Path,
    options: ConversionOptions,
    memory: int,
    report: Callable[[Converting], None],
    cancelled: Callable[[], bool],
) -> CoreMLManifest | None:
    return convert_model(folder, staging, options, report, cancelled, memory)


def _size(folder: Path) -> int:
    """Bytes of a folder's weights; 0 for what cannot be read: the child tells."""
    try:
        return sum(part.stat().st_size for part in folder.glob("*/*.safetensors"))
    except (OSError, ValueError):
        return 0


def _sweep(folder: Path) -> None:
    """Take away what killed conversions left in ``folder``. Raises nothing."""
    with contextlib.suppress(OSError):
        for staging in folder.glob(f"{STAGING_PREFIX}*"):
            with contextlib.suppress(OSError):
                if time.time() - staging.stat().st_mtime > STALE_AFTER_S:
                    shutil.rmtree(staging, ignore_errors=True)
