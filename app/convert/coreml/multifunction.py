"""Several functions in one package over one set of weights (macOS 15)."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from pathlib import Path

import coremltools as ct

from app.convert.coreml.lowering import corrected_converter

MAIN = "main"


def merge(packages: Mapping[str, Path], target: Path) -> None:
    """Write ``packages`` by function name, ``MAIN`` the default one, as the new ``target``.

    Weights that are equal bit for bit are stored once. Raises OSError.
    """
    with corrected_converter():
        described = ct.utils.MultiFunctionDescriptor()
        for name, package in packages.items():
            described.add_function(str(package), src_function_name=MAIN, target_function_name=name)
        described.default_function_name = MAIN
        ct.utils.save_multifunction(described, str(target))
    gc.collect()
