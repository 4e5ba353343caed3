"""Scoring the folder that ships: `python -m models.training.score --work DIR`.

Draws the fixed and the random prompts with four seeds each through the stock pipeline, lets the
judge look at them, measures how near they come to the drawings the model learned, and leaves
contact sheets and `scores.json` in DIR.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image, ImageDraw

from models.training import drawings, packages
from models.training.judge import (
    Prompt,
    Scores,
    features,
    fixed_prompts,
    judge,
    load_prototypes,
    random_prompts,
)

STARTER = Path(__file__).parents[1] / "starter"
_BATCH = 12
_SIDE = 128


@dataclass(frozen=True)
class Settings:
    """How the pictures are drawn."""

    steps: int = 20
    guidance: float = 4.0
    seeds: int = 4


def load_pipeline(folder: Path) -> Any:
    """The shipped pipeline in float32 on the CPU."""
    build: Any = StableDiffusionPipeline
    pipeline = build.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def draw(pipeline: Any, texts: list[str], settings: Settings) -> list[Image.Image]:
    """Pictures of every text with seeds 0, 1, ...: all texts of seed 0 first."""
    jobs = [(seed, text) for seed in range(settings.seeds) for text in texts]
    pictures: list[Image.Image] = []
    for start in range(0, len(jobs), _BATCH):
        batch = jobs[start : start + _BATCH]
        pictures += pipeline(
            [text for _, text in batch],
            num_inference_steps=settings.steps,
            guidance_scale=settings.guidance,
            generator=[torch.Generator().manual_seed(seed) for seed, _ in batch],
        ).images
    return pictures


def score(pictures: list[Image.Image], prompts: list[Prompt]) -> Scores:
    """The judge's opinion of pictures that go round the prompts one or more times."""
    rounds = len(pictures) // len(prompts)
    asked = prompts * rounds
    return judge(
        pictures,
        [prompt.noun for prompt in asked],
        [prompt.colour for prompt in asked],
        [prompt.background for prompt in asked],
    )


def sheet(pictures: list[Image.Image], prompts: list[Prompt], path: Path, across: int = 15) -> None:
    """A contact sheet: prompts across, their seeds below one another."""
    rounds, side = len(pictures) // len(prompts), 96
    rows = (len(prompts) + across - 1) // across
    canvas = Image.new("RGB", (across * side, rows * (rounds * side + 14)), "white")
    pen = ImageDraw.Draw(canvas)
    for place, prompt in enumerate(prompts):
        x, y = place % across * side, place // across * (rounds * side + 14)
        for turn in range(rounds):
            picture = pictures[turn * len(prompts) + place]
            canvas.paste(picture.resize((side, side)), (x, y + turn * side))
        pen.text((x, y + rounds * side), prompt.text[:17], fill=0)
    canvas.save(path)


def nearest_lesson(
    pictures: list[Image.Image], nouns: list[str], lessons: dict[str, Image.Image]
) -> dict[str, float]:
    """Median cosine of a picture to its noun's training drawing; how often no other is nearer."""
    taught = dict(zip(lessons, features(list(lessons.values())), strict=True))
    drawn = features(pictures)
    same = [float(row @ taught[noun]) for row, noun in zip(drawn, nouns, strict=True)]
    matrix = np.stack(list(taught.values()))
    nearest = [list(taught)[int(np.argmax(matrix @ row))] for row in drawn]
    hits = sum(found == noun for found, noun in zip(nearest, nouns, strict=True))
    pixels = [_pixel_distance(p, lessons[n]) for p, n in zip(pictures, nouns, strict=True)]
    return {
        "median_cosine_to_own_lesson": float(np.median(same)),
        "nearest_lesson_is_own_noun": hits / len(nouns),
        "median_rms_to_own_lesson": float(np.median(pixels)),
    }


def _pixel_distance(picture: Image.Image, lesson: Image.Image) -> float:
    drawn = np.asarray(picture.convert("RGB").resize((_SIDE, _SIDE)), dtype=np.float32)
    taught = np.asarray(lesson.convert("RGB"), dtype=np.float32)
    return float(np.sqrt(np.square((drawn - taught) / 255).mean()))


def lessons_on_white(work: Path) -> dict[str, Image.Image]:
    """The teacher's drawing of each noun, as it stands on most training pictures."""
    found = drawings.render_nouns(packages.fetch(work), drawings.TEACHER)
    names = load_prototypes()[0]
    side = round(_SIDE * 0.87)
    pictures = {}
    for number, pixels in found.items():
        drawing = Image.fromarray(pixels).resize((side, side))
        canvas = Image.new("RGB", (_SIDE, _SIDE), "white")
        canvas.paste(drawing, ((_SIDE - side) // 2, (_SIDE - side) // 2), drawing)
        pictures[names[number]] = canvas
    return pictures


def main() -> None:
    """Draw, judge, write the sheets and the numbers."""
    parser = argparse.ArgumentParser(prog="python -m models.training.score")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--folder", type=Path, default=STARTER)
    parser.add_argument("--guidance", type=float, default=Settings.guidance)
    parser.add_argument("--steps", type=int, default=Settings.steps)
    parser.add_argument("--seeds", type=int, default=Settings.seeds)
    parser.add_argument("--seed-of-prompts", type=int, default=2026)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    settings = Settings(asked.steps, asked.guidance, asked.seeds)
    pipeline, lessons = load_pipeline(asked.folder), lessons_on_white(asked.work)
    ceiling = judge(list(lessons.values()), list(lessons))
    print(f"the teacher's own drawings\n{ceiling.summary()}", flush=True)
    report: dict[str, Any] = {"settings": vars(settings), "ceiling": ceiling._asdict()}
    for name, prompts in (
        ("fixed", fixed_prompts()),
        ("random", random_prompts(asked.seed_of_prompts)),
    ):
        pictures = draw(pipeline, [prompt.text for prompt in prompts], settings)
        sheet(pictures, prompts, asked.work / f"sheet-{name}.png")
        scores = score(pictures, prompts)
        print(f"{name} prompts\n{scores.summary()}", flush=True)
        plain = [i for i in range(len(pictures)) if not any(prompts[i % len(prompts)][2:])]
        nouns = [prompts[i % len(prompts)].noun for i in plain]
        near = nearest_lesson([pictures[i] for i in plain], nouns, lessons)
        print(near, flush=True)
        report[name] = {**scores._asdict(), "near": near}
    (asked.work / "scores.json").write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
