"""Training pictures: drawings, plain or recoloured, composited calmly on coloured backgrounds."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.training.captions import Scene
from models.training.drawings import SIZE, load_nouns
from models.training.palette import BACKGROUNDS, OBJECT_COLOURS, natural_colour, recolour

_NOUNS = tuple(load_nouns())
_NUMBER = {noun.word: number for number, noun in enumerate(_NOUNS)}

KEEP_COLOURS = frozenset({"rainbow", "earth"})
"""Nouns that are nothing without their own colours."""


@dataclass(frozen=True)
class Wardrobe:
    """Every look of every noun, premultiplied: float16 [looks, 4, 128, 128] in [0, 1]."""

    pictures: Tensor
    looks: dict[tuple[int, str | None], int]
    natural: dict[int, str | None]


def premultiplied(drawings: NDArray[np.uint8]) -> Tensor:
    """uint8 RGBA [n, size, size, 4] -> float32 [n, 4, size, size] with colour times alpha."""
    pictures = torch.from_numpy(drawings.astype(np.float32) / 255).permute(0, 3, 1, 2)
    return torch.cat([pictures[:, :3] * pictures[:, 3:], pictures[:, 3:]], dim=1)


def dress(drawings: dict[int, NDArray[np.uint8]]) -> Wardrobe:
    """Recolour each drawing in each palette colour that is not already its own."""
    looks: dict[tuple[int, str | None], int] = {}
    natural: dict[int, str | None] = {}
    rows: list[NDArray[np.uint8]] = []
    for number, drawing in drawings.items():
        natural[number] = natural_colour(drawing)
        for colour in (None, *OBJECT_COLOURS):
            if colour and (colour == natural[number] or _NOUNS[number].word in KEEP_COLOURS):
                continue
            looks[number, colour] = len(rows)
            rows.append(drawing if colour is None else recolour(drawing, colour))
    return Wardrobe(premultiplied(np.stack(rows)).half(), looks, natural)


def imagine(wardrobe: Wardrobe, draw: random.Random) -> Scene:
    """Draw a scene: 75 % keep their own colour, 70 % stand on white."""
    number = draw.choice(tuple(wardrobe.natural))
    natural = wardrobe.natural[number]
    wanted = draw.choice(tuple(OBJECT_COLOURS)) if draw.random() < 0.25 else None
    colour = wanted if (number, wanted) in wardrobe.looks else None
    taken = {colour or natural}
    coloured = [name for name in BACKGROUNDS if name != "white" and name not in taken]
    background = "white" if draw.random() < 0.7 else draw.choice(coloured)
    return Scene(_NOUNS[number], colour, natural, background)


def paint(wardrobe: Wardrobe, scenes: list[Scene], draw: random.Random) -> Tensor:
    """Composite scenes: float32 [n, 3, 128, 128] in [0, 1]."""
    rows = [wardrobe.looks[_NUMBER[scene.noun.word], scene.colour] for scene in scenes]
    backs = torch.tensor([BACKGROUNDS[s.background] for s in scenes], dtype=torch.float32) / 255
    return place(wardrobe.pictures[rows].float(), backs, draw)


def place(pictures: Tensor, backs: Tensor, draw: random.Random) -> Tensor:
    """Premultiplied [n, 4, s, s] on plain colours [n, 3], scaled and shifted a little."""
    poses = torch.zeros(len(pictures), 2, 3)
    for pose in poses:
        pose[0, 0] = pose[1, 1] = 1 / draw.uniform(0.82, 0.92)
        pose[0, 2], pose[1, 2] = draw.uniform(-0.05, 0.05), draw.uniform(-0.05, 0.05)
    grid = functional.affine_grid(poses, [len(pictures), 4, SIZE, SIZE], align_corners=False)
    moved = functional.grid_sample(pictures, grid, align_corners=False)
    painted = moved[:, :3] + backs[:, :, None, None] * (1 - moved[:, 3:])
    assert painted.dtype == torch.float32
    return painted.clamp(0, 1)
