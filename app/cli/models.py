"""``easel models``: what can be drawn with."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from app.cli.main import DONE, WENT_WRONG
from app.cli.program import Program
from app.cli.terminal import Terminal
from app.core.model import Model
from app.messages import shown, size_text


def run(asked: argparse.Namespace, program: Program, terminal: Terminal) -> int:
    """Print the models, each with its conversions below it, or do what else was asked of them.

    As JSON they come in the order of choice: the one that is used by itself first. Returns the exit
    code.
    """
    if asked.action is not None:
        from app.cli import shelf

        act = {"import": "bring"}.get(asked.action, asked.action.replace("-", "_"))
        return int(getattr(shelf, act)(asked, program, terminal))
    models = program.models()
    if asked.json:
        terminal.results([as_data(model) for model in models])
        return DONE if models else WENT_WRONG
    if not models:
        terminal.note(
            f"There is no model. The built-in one should be in {shown(program.folders.starter)}; "
            "install Easel again."
        )
        return WENT_WRONG
    rows = [("ID", "TITLE", "FAMILY", "SIZE", "FOLDER")]
    for model in _each_below_its_own(models):
        size = size_text(folder_bytes(Path(model.folder)))
        indent = "" if model.twin is None else "  "
        rows.append((f"{indent}{model.id}", model.title, model.family.value, size, model.folder))
    widths = [max(len(shown(row[column])) for row in rows) for column in range(4)]
    for row in rows:
        cells = [shown(cell).ljust(width) for cell, width in zip(row, widths, strict=False)]
        terminal.result("  ".join([*cells, row[4]]))
    _show_adapters(models, terminal)
    return DONE


def _each_below_its_own(models: tuple[Model, ...]) -> Iterator[Model]:
    for model in models:
        if model.twin is None:
            yield model
            yield from (one for one in models if one.twin is not None and one.twin.id == model.id)


def _show_adapters(models: tuple[Model, ...], terminal: Terminal) -> None:
    """What is installed beside them, and which of them it is for."""
    every = dict.fromkeys(adapter for model in models for adapter in model.adapters)
    for adapter in every:
        suits = ", ".join(model.id for model in models if adapter in model.adapters)
        what = f"{shown(adapter.title)}, {adapter.kind.value} for {shown(suits)}"
        terminal.result(f"{shown(adapter.id)}  {what}")


def as_data(model: Model) -> dict[str, object]:
    """``model`` as JSON values; "bytes" is what it takes on disk."""
    return {
        "id": model.id,
        "title": model.title,
        "family": model.family.value,
        "bytes": folder_bytes(Path(model.folder)),
        "folder": model.folder,
        "built_in": model.built_in,
        "converted_from": None if model.twin is None else model.twin.id,
        "size": [model.limits.native.width, model.limits.native.height],
        "schedulers": [scheduler.value for scheduler in model.limits.schedulers],
        "features": sorted(feature.value for feature in model.limits.features),
        "adapters": [
            {"id": one.id, "title": one.title, "kind": one.kind.value} for one in model.adapters
        ],
    }


def folder_bytes(folder: Path) -> int:
    """The bytes of all files in ``folder``."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            file = Path(place) / name
            total += file.stat().st_size if file.is_file() else 0
    return total
