"""From installed files to a picture, through the real child: LoRA, word, autoencoder, previews."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderTiny
from safetensors.torch import save_file

from app.compose import Easel, compose
from app.core.card import CardFile, Kind, Origin, Receipt
from app.core.events import PartlyUsed, Stepped
from app.core.model import Family
from app.core.recipe import Draft, LoraUse, Scheduler, Size
from app.jobs.events import Saved
from app.library.library import read_picture
from app.weights import receipts
from tests.engine.conftest import tiny_folder
from tests.engine.torch.lora_examples import Written
from tests.jobs.hearing import Heard
from tests.tiny_models import build_tiny

__all__ = ["tiny_folder"]

pytestmark = pytest.mark.slow


def settle(easel: Easel, id: str, kind: Kind, fill: Callable[[Path], object]) -> None:
    """Install what ``fill`` writes."""
    place = easel.folders.installed / id / "file"
    place.mkdir(parents=True)
    fill(place)
    files = tuple(
        CardFile(file.relative_to(place).as_posix(), file.stat().st_size, "0" * 64)
        for file in sorted(place.rglob("*"))
        if file.is_file()
    )
    now = "2026-11-25T12:00:00+00:00"
    receipts.write(place, Receipt(id, id, kind, Family.SD1, Origin.FILE, "mine", files, now))


def test_all_of_it_together(
    easel_home: Path, tiny_folder: Callable[..., Path], tmp_path: Path
) -> None:
    # 1. A model, and one of each kind beside it
    easel = compose({"EASEL_HOME": str(easel_home)})
    source = tiny_folder("sd1")
    ink, strange = Written(source, "kohya", ("unet", "text_encoder")), {"odd": torch.ones(1)}
    vae, taesd = tmp_path / "vae", AutoencoderTiny(latent_channels=4)
    shutil.copytree(build_tiny("sd1", tmp_path / "other", seed=3) / "vae", vae)
    settle(
        easel, "tiny", Kind.DIFFUSERS, lambda at: shutil.copytree(source, at, dirs_exist_ok=True)
    )
    settle(easel, "ink", Kind.LORA, lambda at: ink.save(at / "lora.safetensors", **strange))
    settle(easel, "clear", Kind.VAE, lambda at: shutil.copytree(vae, at, dirs_exist_ok=True))
    settle(easel, "taesd", Kind.PREVIEWER, taesd.save_pretrained)
    words = {"emb_params": torch.randn(3, 32)}
    settle(easel, "zebu", Kind.EMBEDDING, lambda at: save_file(words, at / "e.safetensors"))
    model = easel.model("tiny")
    assert len(model.adapters) == 4
    # 2. Drawn with and without
    heard = Heard()
    session = easel.make_session(heard)
    plain = Draft("a zebu", size=Size(128, 128), steps=2, seed=1, scheduler=Scheduler.LCM)
    drafts = (
        plain,
        replace(plain, loras=(LoraUse("ink", 0.8),)),
        replace(plain, vae="clear"),
        replace(plain, prompt="a zebra"),
        plain,
    )
    jobs = [session.submit(draft, model)[0] for draft in drafts]
    saved = [heard.wait(Saved, lambda event, job=job: event.job.id == job.id) for job in jobs]
    session.close()
    # 3. Each changes the picture, the recipe says so, and nothing stays behind
    pictures = [one.pixels.rgb for one in saved]
    assert pictures[0] == pictures[-1]
    assert len(set(pictures)) == 4
    recipe = read_picture(saved[1].picture.file).recipe
    assert recipe.loras == (LoraUse("ink", 0.8),)
    assert read_picture(saved[2].picture.file).recipe.vae == "clear"
    assert heard.wait(PartlyUsed).title == "ink"
    assert heard.wait(Stepped, lambda step: step.preview is not None).preview.width == 64
