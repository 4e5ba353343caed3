"""A zip as Apple publishes it, of a model that draws: packages under Apple's names, and words.

Its text is as wide as Stable Diffusion 1.x's and its pictures are 8 pixels a latent, because that
is what a folder without coreml.json is understood by.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from app.core.coreml_manifest import STEMS, Part
from app.core.model import Model
from app.engine.model_folder import read_model
from tests.convert.coreml import tinier
from tests.jobs.tiny_conversions import SCHEDULE, convert_source

WIDTH = 768
STAGES = 4
_PARTS = (Part.UNET, Part.TEXT_ENCODER, Part.VAE_DECODER, Part.VAE_ENCODER)


def write_wide_source(folder: Path) -> Model:
    """A tiny model with the interface of Stable Diffusion 1.x."""
    import torch
    from diffusers import AutoencoderKL
    from transformers import CLIPTextConfig, CLIPTextModel

    def vae(family: str) -> object:  # noqa: ARG001
        torch.manual_seed(1)
        made = AutoencoderKL(
            block_out_channels=(8, 8, 8, 8),
            down_block_types=("DownEncoderBlock2D",) * STAGES,
            up_block_types=("UpDecoderBlock2D",) * STAGES,
            layers_per_block=1,
            norm_num_groups=4,
            latent_channels=4,
        )
        return tinier.randomised(made)

    def text(tokenizer: object, family: str, projected: bool = False) -> object:  # noqa: ARG001
        torch.manual_seed(2)
        known = len(tokenizer)  # type: ignore[arg-type]
        config = CLIPTextConfig(
            vocab_size=1024,  # a question with a known answer asks for any word below 1000
            hidden_size=WIDTH,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            projection_dim=WIDTH,
            bos_token_id=known - 2,
            eos_token_id=known - 1,
            pad_token_id=known - 1,
        )
        return tinier.randomised(CLIPTextModel(config))

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(tinier._UNETS["sd1"], "cross_attention_dim", WIDTH)
        patch.setattr(tinier, "_vae", vae)
        patch.setattr(tinier, "_text", text)
        tinier.write_tinier("sd1", folder)
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(SCHEDULE), "utf-8")
    return read_model(folder)


def published_zip(root: Path) -> bytes:
    """Made once below ``root``, which lasts as long as the tests of a run."""
    file = root / "published.zip"
    if not file.is_file():
        file.write_bytes(_made(root / "made for publishing"))
    return file.read_bytes()


def _made(work: Path) -> bytes:
    """``..._packages/*.mlpackage``, vocab.json and merges.txt; ``work`` is a new folder."""
    source = write_wide_source(work / "source")
    converted = Path(convert_source(source, work / "converted").folder)
    written = io.BytesIO()
    inside = "coreml-some-model-1_split_einsum_packages"
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as zipped:
        for part in _PARTS:
            package = converted / f"{STEMS[part]}.mlpackage"
            name = f"Stable_Diffusion_version_some_model-1_{part.value}.mlpackage"
            for file in sorted(package.rglob("*")):
                if file.is_file():
                    place = file.relative_to(package).as_posix()
                    zipped.write(file, f"{inside}/{name}/{place}")
        vocab, merges = _words(converted / "tokenizer")
        zipped.writestr(f"{inside}/vocab.json", vocab)
        zipped.writestr(f"{inside}/merges.txt", merges)
        zipped.writestr("__MACOSX/._Unet", b"what the Finder adds")
    return written.getvalue()


def _words(tokenizer: Path) -> tuple[str, str]:
    """The older pair of files, as Apple's folders have them."""
    if (tokenizer / "vocab.json").is_file():
        return (tokenizer / "vocab.json").read_text(), (tokenizer / "merges.txt").read_text()
    model = json.loads((tokenizer / "tokenizer.json").read_text("utf-8"))["model"]
    rows = (row if isinstance(row, str) else " ".join(row) for row in model["merges"])
    return json.dumps(model["vocab"]), "\n".join(["#version: 0.2", *rows, ""])
