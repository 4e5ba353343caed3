"""Draws one picture with the starter wherever this Mac can draw, and holds it against the CPU's.

    python packaging/compare_placements.py [FOLDER]

The starter is converted to Core ML first. The pictures go into FOLDER (build/placements), and what
was found is printed as JSON. Exit 1 where a picture is another one. Elsewhere the interpreter of
packages stands in for Core ML, which proves the script and not the Mac.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from app.convert.coreml.converting import ConversionOptions  # noqa: E402
from app.core.errors import EaselError  # noqa: E402
from app.core.events import Finished, Pixels, Task  # noqa: E402
from app.core.model import Model  # noqa: E402
from app.core.placement import Placement  # noqa: E402
from app.core.recipe import Draft, Recipe  # noqa: E402
from app.core.resolve import resolve  # noqa: E402
from app.engine.contract import Engine  # noqa: E402
from app.engine.coreml.model import read_coreml_model  # noqa: E402
from app.engine.model_folder import starter  # noqa: E402
from app.engine.torch import make_engine  # noqa: E402
from app.jobs import converting, engines  # noqa: E402
from app.library import png  # noqa: E402
from app.places import find_folders  # noqa: E402

DRAFT = Draft("a red apple", seed=7)
LEAST_DB = 25.0
"""PSNR with the CPU's picture. The interpreter reaches 51; another picture has about 10."""


def psnr(found: Pixels, wanted: Pixels) -> float:
    """Peak signal to noise of two pictures in dB; minus infinity for another size."""
    if (found.width, found.height) != (wanted.width, wanted.height):
        return -math.inf
    squares = sum((a - b) ** 2 for a, b in zip(found.rgb, wanted.rgb, strict=True))
    return 10 * math.log10(255**2 * len(found.rgb) / squares) if squares else math.inf


def draw(engine: Engine, model: Model, recipe: Recipe, placement: Placement) -> Finished:
    """One picture. Raises EaselError."""
    task = Task("compared", replace(recipe, model=model.id), model, placement, previews=False)
    ending = engine.draw(task, lambda _: None, lambda: False)
    assert isinstance(ending, Finished)  # nobody stops it
    return ending


def convert_starter(folder: Path) -> Model:
    """The starter as Core ML in ``folder``, unless it is there. Raises EaselError."""
    target = folder / "starter-coreml"
    if not target.is_dir():
        options = ConversionOptions(bits=16, title="Starter")
        model = starter(find_folders())
        converting.convert(Path(model.folder), target, options, lambda _: None, lambda: False)
    return read_coreml_model(target.absolute())


def core_ml(folder: Path) -> Engine:
    """Core ML's engine on a Mac, the interpreter's elsewhere."""
    if sys.platform == "darwin":
        return engines.on_this_mac(folder / "compiled")
    return engines.interpreted()


def pictures(folder: Path) -> Iterator[tuple[str, Finished | EaselError]]:
    """Each placement's picture of the same recipe and seed, the CPU's first.

    An error stands for a picture. Raises EaselError where the starter cannot be converted.
    """
    model = starter(find_folders())
    (recipe,) = resolve(DRAFT, model)
    converted = convert_starter(folder)
    made: tuple[tuple[str, Callable[[], Engine], Model], ...] = (
        ("torch", make_engine, model),
        ("Core ML's engine", functools.partial(core_ml, folder), converted),
    )
    for name, make, drawn_with in made:
        engine = make()
        try:
            for placement in sorted(engine.placements(), key=lambda one: one is not Placement.CPU):
                try:
                    yield f"{name}, {placement}", draw(engine, drawn_with, recipe, placement)
                except EaselError as error:
                    yield f"{name}, {placement}", error
        finally:
            engine.close()


def compare(folder: Path) -> list[dict[str, object]]:
    """A row for each placement; its picture in ``folder``. Raises EaselError, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, object]] = []
    wanted: Pixels | None = None
    for name, ending in pictures(folder):
        if not isinstance(ending, Finished):
            rows.append({"placement": name, "ok": False, "error": repr(ending)})
            continue
        wanted = wanted or ending.pixels
        near = psnr(ending.pixels, wanted)
        file = folder / f"{name.lower().replace(',', '').replace(' ', '-')}.png"
        file.write_bytes(png.write(ending.pixels, ()))
        rows.append(
            {
                "placement": name,
                "ok": near > LEAST_DB,
                "db": round(near, 1) if math.isfinite(near) else None,
                "seconds": round(ending.seconds, 2),
            }
        )
    return rows


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "build" / "placements")
    rows = compare(parser.parse_args(arguments).folder)
    print(json.dumps(rows, indent=2))
    return 0 if all(row["ok"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
