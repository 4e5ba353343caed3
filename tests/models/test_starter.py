"""The folder that ships: small, whole, honest about its words, and drawn by stock pipelines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from models.training import export
from models.training.drawings import load_nouns

STARTER = Path(__file__).parents[2] / "models" / "starter"
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def pipeline() -> Any:
    """The stock text-to-image pipeline on the shipped weights."""
    from diffusers import StableDiffusionPipeline
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # or loading leaves a thread behind
    loaded = StableDiffusionPipeline.from_pretrained(
        STARTER, local_files_only=True, dtype=torch.float32
    )
    loaded.set_progress_bar_config(disable=True)
    return loaded


def drawn(pipeline: Any, seed: int = 0, **asked: Any) -> np.ndarray:
    generator = torch.Generator().manual_seed(seed)
    (picture,) = pipeline("a red apple", generator=generator, **asked).images
    return np.asarray(picture)


def test_it_is_small_and_in_half_precision() -> None:
    files = [path for path in STARTER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 25 * MEGABYTE
    for path in STARTER.rglob("*.safetensors"):
        with safe_open(path, "pt") as opened:
            kinds = {opened.get_slice(key).get_dtype() for key in opened.keys()}  # noqa: SIM118
        assert kinds <= {"F16", "I64"}, path


def test_its_settings_name_no_place_of_the_machine_that_made_it() -> None:
    for path in STARTER.rglob("*.json"):
        content = json.loads(path.read_text("utf-8"))
        assert "_name_or_path" not in content
        assert "safety_checker" not in content or content["safety_checker"] == [None, None]


def test_card_and_notice_are_there() -> None:
    notice = (STARTER / "NOTICE.md").read_text("utf-8")
    for owed in ("Noto Emoji", "Apache License", "Twemoji", "CC-BY-4.0", "MIT License", "Unicode"):
        assert owed in notice
    card = (STARTER / "README.md").read_text("utf-8")
    assert "top-5" in card


def test_it_draws_128_pixels_and_the_same_for_the_same_seed(pipeline: Any) -> None:
    first = drawn(pipeline, num_inference_steps=6)
    assert first.shape == (128, 128, 3)
    assert (first == drawn(pipeline, num_inference_steps=6)).all()
    assert (first != drawn(pipeline, seed=1, num_inference_steps=6)).any()


def test_a_red_apple_is_red_on_white(pipeline: Any) -> None:
    picture = drawn(pipeline, num_inference_steps=12, guidance_scale=4.0).astype(int)
    red, green, blue = picture[44:84, 44:84].reshape(-1, 3).mean(0)
    assert red > 150 > green
    assert red > blue + 60
    assert picture[:6, :6].mean() > 230


def test_a_picture_can_be_the_start(pipeline: Any) -> None:
    from diffusers import StableDiffusionImg2ImgPipeline

    start = Image.new("RGB", (128, 128), (84, 160, 240))
    other = StableDiffusionImg2ImgPipeline(**pipeline.components, requires_safety_checker=False)
    picture = drawn(other, image=start, strength=0.6, num_inference_steps=8)
    assert picture.shape == (128, 128, 3)
    assert picture.std() > 5


def test_stock_inpainting_refuses_eight_channels(pipeline: Any) -> None:
    """Known and stated on the model card: diffusers' inpainting takes 4 or 9 channels only."""
    from diffusers import StableDiffusionInpaintPipeline

    other = StableDiffusionInpaintPipeline(**pipeline.components, requires_safety_checker=False)
    start, mask = Image.new("RGB", (128, 128)), Image.new("L", (128, 128), 255)
    with pytest.raises(ValueError, match="should have either 4 or 9 input channels"):
        drawn(other, image=start, mask_image=mask, height=128, width=128, num_inference_steps=2)


def test_the_encoder_is_exact_in_the_shipped_precision(pipeline: Any) -> None:
    preview = json.loads((STARTER / "preview.json").read_text("utf-8"))
    plain = torch.full((1, 3, 128, 128), 0.5)
    with torch.no_grad():
        latents = pipeline.vae.encode(plain).latents
    shown = torch.einsum("nchw,cd->ndhw", latents, torch.tensor(preview["matrix"]))
    shown = shown + torch.tensor(preview["bias"])[:, None, None]
    assert (shown - 0.75).abs().max() < 0.02


def test_the_vocabulary_is_the_recipes() -> None:
    content = json.loads((STARTER / "vocabulary.json").read_text("utf-8"))
    assert content == export.vocabulary()
    assert [row["word"] for row in content["nouns"]] == [noun.word for noun in load_nouns()]


def test_every_word_of_the_vocabulary_is_a_token_or_two(pipeline: Any) -> None:
    content = json.loads((STARTER / "vocabulary.json").read_text("utf-8"))
    words = [row["word"] for row in content["nouns"]] + content["colours"] + content["backgrounds"]
    for word in words:
        pieces = pipeline.tokenizer(word).input_ids[1:-1]
        assert len(pieces) <= 2 * len(word.split()), word
