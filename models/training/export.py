"""The folder that ships: a diffusers pipeline in fp16, with its vocabulary and preview matrix."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from transformers import CLIPTokenizer

from models.training.captions import STYLES
from models.training.codec import Code
from models.training.diffusion import Nets
from models.training.drawings import load_nouns
from models.training.networks import build_scheduler
from models.training.palette import BACKGROUNDS, OBJECT_COLOURS, SPELLINGS

OTHER_SCHEDULERS: dict[str, object] = {"clip_sample": False, "set_alpha_to_one": False}
"""Read by schedulers that are built from this one's settings; DDIM would clip latents at 1."""

EXAMPLES = (
    "a red apple",
    "a cat",
    "a blue car",
    "a house",
    "a yellow star on a blue background",
    "a penguin",
    "a green umbrella",
    "a rocket on a black background",
    "a pizza",
    "a purple butterfly",
    "a rose",
    "a castle on a pink background",
)


def export(
    nets: Nets, autoencoder: Any, tokenizer: CLIPTokenizer, code: Code, folder: Path
) -> None:
    """Write the pipeline and its two side files; other files of the folder stay."""
    build: Any = StableDiffusionPipeline
    pipeline = build(
        vae=autoencoder,
        text_encoder=nets.text_encoder,
        tokenizer=tokenizer,
        unet=nets.unet,
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).to(dtype=torch.float16)
    staged = folder.with_name(folder.name + ".new")
    shutil.rmtree(staged, ignore_errors=True)
    pipeline.save_pretrained(staged, safe_serialization=True)
    _adjust(staged / "scheduler" / "scheduler_config.json", OTHER_SCHEDULERS)
    _adjust(staged / "vae" / "config.json", {"block_out_channels": None})
    for path in staged.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    _write_json(staged / "preview.json", preview(code))
    _write_json(staged / "vocabulary.json", vocabulary())
    folder.mkdir(parents=True, exist_ok=True)
    for part in sorted(staged.iterdir()):
        _replace(part, folder / part.name)
    staged.rmdir()


def _replace(new: Path, old: Path) -> None:
    if old.is_dir():
        shutil.rmtree(old)
    new.replace(old)


def _adjust(path: Path, changes: dict[str, object]) -> None:
    """Set keys of a JSON object; None takes a key out."""
    content = json.loads(path.read_text("utf-8"))
    merged = {**content, **changes}
    _write_json(path, {key: value for key, value in merged.items() if value is not None})


def preview(code: Code) -> dict[str, list[list[float]] | list[float]]:
    """RGB in [0, 1] of a latent pixel: `latent @ matrix + bias`; exact, as the code is linear."""
    matrix = code.expand.reshape(3, 16, -1).mean(1).T
    bias = code.mean.reshape(3, 16).mean(1)
    return {
        "matrix": [[round(number, 5) for number in row] for row in matrix.tolist()],
        "bias": [round(number, 5) for number in bias.tolist()],
    }


def vocabulary() -> dict[str, object]:
    """The words the model knows, for completion and for random prompts."""
    nouns = [
        {"word": noun.word, "synonyms": list(noun.also), "group": noun.group}
        for noun in load_nouns()
    ]
    return {
        "nouns": nouns,
        "colours": list(OBJECT_COLOURS),
        "backgrounds": list(BACKGROUNDS),
        "styles": list(STYLES),
        "examples": list(EXAMPLES),
        "synonyms": [
            [spelling, colour] for colour, others in SPELLINGS.items() for spelling in others
        ],
    }


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
