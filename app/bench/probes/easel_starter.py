"""Draws the judge's prompts with the starter, through Easel's own engine, and has them judged.

    python easel_starter.py --judge models/training/judge.py --starter FOLDER --out RESULT

Fixed prompts times ``--seeds`` seeds, and prompts drawn at random from the vocabulary, one seed
each. Writes hits and tries of every score.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from PIL import Image

from app.bench.watch import write
from app.core.events import Finished, Task
from app.core.model import Model
from app.core.recipe import Draft
from app.core.resolve import resolve
from app.engine.contract import Engine
from app.engine.torch import make_engine

RANDOM_SEED = 7
SHARES = ("top1", "top5", "control_top5", "colour", "background")


def main(arguments: list[str]) -> int:
    asked = parse(arguments)
    warnings.simplefilter("ignore")  # the judge's packages are old
    # 1. the judge, the model, the engine
    judge = load(Path(asked.judge))
    model = read(Path(asked.shipped))
    engine = make_engine()
    # 2. both sets of prompts, drawn and judged
    fixed = judge.fixed_prompts()[: asked.prompts]
    drawn = judge.random_prompts(RANDOM_SEED, asked.prompts)
    numbers: dict[str, float] = {}
    for name, prompts, seeds in (("fixed", fixed, asked.seeds), ("random", drawn, 1)):
        many = [prompt for prompt in prompts for _ in range(seeds)]
        images = [
            draw(engine, model, prompt.text, seed) for prompt in prompts for seed in range(seeds)
        ]
        if asked.keep:
            keep(Path(asked.keep), name, many, images)
        numbers |= flat(name, judged(judge, images, many))
    engine.close()
    numbers["nouns"] = len(judge.load_prototypes()[0])
    write(asked.out, numbers)
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--judge", required=True)
    parser.add_argument("--shipped", required=True, help="the folder that holds models/starter")
    parser.add_argument("--prompts", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--keep", help="a folder to keep the pictures in")
    parser.add_argument("--out", required=True)
    return parser.parse_args(arguments)


def load(file: Path) -> ModuleType:
    """The judge: one file beside the training code, not a part of the program."""
    spec = importlib.util.spec_from_file_location("judge", file)
    if spec is None or spec.loader is None:
        raise SystemExit(f"cannot load {file}")
    module = importlib.util.module_from_spec(spec)
    sys.modules["judge"] = module
    spec.loader.exec_module(module)
    return module


def read(shipped: Path) -> Model:
    """The starter with its own limits."""
    from app.core.folders import Folders
    from app.engine.model_folder import starter

    return starter(Folders(shipped, shipped, shipped, shipped, shipped))


def draw(engine: Engine, model: Model, text: str, seed: int) -> Image.Image:
    """One picture, with everything but the prompt and the seed left to the model's defaults."""
    recipe = resolve(Draft(text, seed=seed), model)[0]
    task = Task(f"{text} {seed}", recipe, model, engine.placements()[0], previews=False)
    ending = engine.draw(task, lambda _: None, lambda: False)
    if not isinstance(ending, Finished):
        raise SystemExit(f"not finished: {ending}")
    pixels = ending.pixels
    return Image.frombytes("RGB", (pixels.width, pixels.height), pixels.rgb)


def judged(judge: ModuleType, images: Sequence[Image.Image], prompts: Sequence[Any]) -> Any:
    """The judge's scores."""
    return judge.judge(
        images,
        [prompt.noun for prompt in prompts],
        [prompt.colour for prompt in prompts],
        [prompt.background for prompt in prompts],
    )


def flat(name: str, scores: Any) -> dict[str, float]:
    """The scores as numbers: hits and tries of each share."""
    numbers = {f"{name}_chance": scores.chance_top5}
    for share in SHARES:
        found = getattr(scores, share)
        numbers |= {f"{name}_{share}_hits": found.hits, f"{name}_{share}_of": found.of}
    return numbers


def keep(folder: Path, name: str, prompts: Sequence[Any], images: Sequence[Image.Image]) -> None:
    """Save the pictures, so that a person can look at what the judge saw."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (prompt, image) in enumerate(zip(prompts, images, strict=True)):
        image.save(folder / f"{name}-{number:03d}-{prompt.text.replace(' ', '-')}.png")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
