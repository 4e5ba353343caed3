"""Making the judge's prototypes: drawings of each noun by artists the model never saw."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import save_file

from models.training import judge
from models.training.drawings import TEACHER, WITNESSES, load_nouns, render_nouns
from models.training.palette import BACKGROUNDS, natural_colour, recolour
from models.training.scenes import place, premultiplied

_BACKDROPS = ("white", "white", "blue", "yellow", "grey")
_PAINTS = (None, None, None, "green", "purple")


def make(packages: dict[str, Path], folder: Path) -> None:
    """Write the prototypes (float16) and their names beside the judge."""
    nouns = load_nouns()
    sums = np.zeros((len(nouns), 1280), np.float32)
    counts = np.zeros((len(nouns), 1), np.float32)
    draw = random.Random(3)
    for artist in WITNESSES:
        for number, drawing in render_nouns(packages, artist).items():
            found = judge.raw_features(_looks(drawing, draw))
            sums[number] += found.mean(0)
            counts[number] += 1
    means = sums / counts
    mean = means.mean(0)
    centred = means - mean
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    tensors = {"prototypes": unit.astype(np.float16), "mean": mean.astype(np.float16)}
    save_file(tensors, folder / judge.PROTOTYPES.name)
    own = render_nouns(packages, TEACHER)
    table = {
        "nouns": [noun.word for noun in nouns],
        "colours": {nouns[number].word: natural_colour(own[number]) for number in own},
    }
    (folder / judge.NAMES.name).write_text(json.dumps(table, indent=1) + "\n", "utf-8")


def _looks(drawing: np.ndarray, draw: random.Random) -> list[Image.Image]:
    """One drawing on a few backgrounds and in a few colours, so that neither decides."""
    painted = [drawing if colour is None else recolour(drawing, colour) for colour in _PAINTS]
    backs = torch.tensor([BACKGROUNDS[name] for name in _BACKDROPS], dtype=torch.float32) / 255
    scenes = place(premultiplied(np.stack(painted)), backs, draw)
    pixels = (scenes.permute(0, 2, 3, 1) * 255).round().byte().numpy()
    return [Image.fromarray(picture) for picture in pixels]
