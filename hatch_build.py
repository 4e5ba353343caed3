"""What a wheel carries besides ``app``: the files the program reads, as ``app/shipped``.

A hook rather than hatchling's ``force-include`` table, because that one also copies the weights
into the environment of an editable install, where the program reads them from the checkout.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHIPPED = ("resources", "models/starter", "models/catalog", "LICENSE", "NOTICE")
"""Not models/training: how the starter was trained stays in the repository."""


class ShippedFiles(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        for name in SHIPPED:
            if not (Path(self.root) / name).exists():
                raise FileNotFoundError(f"{name} is missing, and a wheel cannot go without it")
            build_data["force_include"][name] = f"app/shipped/{name}"
