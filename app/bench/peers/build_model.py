"""Builds a Stable Diffusion folder with random weights from the real configurations.

    PYTHONPATH=. python app/bench/peers/build_model.py FOLDER --scale full --out RESULT

``full`` is Stable Diffusion 1.5: 860 million parameters in the UNet. ``small`` keeps its blocks
and has a quarter of the channels; ``tiny`` keeps what a test needs. Seeded: the same call
gives the same bytes. Needs no network: the tokenizer has the real one's size and made-up merges.
"""

# mypy: disable-error-code="no-untyped-call,attr-defined"

from __future__ import annotations

import argparse
import itertools
import json
import string
import sys
import warnings
from pathlib import Path
from typing import Any

from app.bench.watch import write

VOCABULARY = 49408
BEGIN, END = "<|startoftext|>", "<|endoftext|>"

UNETS: dict[str, dict[str, Any]] = {
    "full": {
        "block_out_channels": (320, 640, 1280, 1280),
        "attention_head_dim": 8,
        "cross_attention_dim": 768,
        "sample_size": 64,
    },
    "small": {
        "block_out_channels": (80, 160, 320, 320),
        "attention_head_dim": 4,
        "cross_attention_dim": 256,
        "norm_num_groups": 16,
        "sample_size": 32,
    },
    "tiny": {
        "block_out_channels": (32, 64),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "layers_per_block": 1,
        "attention_head_dim": 4,
        "cross_attention_dim": 32,
        "sample_size": 16,
    },
}
VAES: dict[str, dict[str, Any]] = {
    "full": {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2},
    "small": {"block_out_channels": (32, 64, 128, 128), "layers_per_block": 2},
    "tiny": {"block_out_channels": (32, 32, 32, 32), "layers_per_block": 1},
}
TEXTS: dict[str, dict[str, Any]] = {
    "full": {"hidden_size": 768, "layers": 12, "heads": 12},
    "small": {"hidden_size": 256, "layers": 4, "heads": 4},
    "tiny": {"hidden_size": 32, "layers": 2, "heads": 2},
}


def main(arguments: list[str]) -> int:
    asked = parse(arguments)
    # 1. libraries: here, so that a wrong argument is said at once
    import torch
    from diffusers import (
        AutoencoderKL,
        PNDMScheduler,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextModel, CLIPTokenizer

    warnings.simplefilter("ignore")
    torch.manual_seed(asked.seed)
    folder = Path(asked.folder)

    # 2. the tokenizer, as files and then as the class reads them
    words = folder / "tokenizer"
    write_tokenizer(words)
    tokenizer = CLIPTokenizer(
        str(words / "vocab.json"), str(words / "merges.txt"), model_max_length=77
    )

    # 3. the networks
    size = UNETS[asked.scale]["sample_size"]
    unet = UNet2DConditionModel(
        in_channels=4, out_channels=4, **{**real_unet_types(), **UNETS[asked.scale]}
    )
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        sample_size=size * 8,
        scaling_factor=0.18215,
        **VAES[asked.scale],
    )
    text = CLIPTextModel(text_config(**TEXTS[asked.scale]))

    # 4. the folder, in the layout every program reads
    pipeline = StableDiffusionPipeline(
        vae=vae,
        text_encoder=text,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=PNDMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            num_train_timesteps=1000,
            set_alpha_to_one=False,
            skip_prk_steps=True,
            steps_offset=1,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.to(getattr(torch, asked.dtype))
    pipeline.save_pretrained(str(folder), safe_serialization=True)
    parameters = sum(p.numel() for p in unet.parameters())
    write(asked.out, {"unet_parameters": parameters, "side": size * 8})
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--scale", choices=sorted(UNETS), default="small")
    parser.add_argument("--dtype", choices=("float16", "bfloat16", "float32"), default="float16")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", required=True)
    return parser.parse_args(arguments)


def real_unet_types() -> dict[str, Any]:
    """The blocks of Stable Diffusion 1.5."""
    return {
        "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        "layers_per_block": 2,
    }


def text_config(hidden_size: int, layers: int, heads: int) -> Any:
    """CLIP's text configuration at another width and depth."""
    from transformers import CLIPTextConfig

    return CLIPTextConfig(
        vocab_size=VOCABULARY,
        hidden_size=hidden_size,
        intermediate_size=hidden_size * 4,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        max_position_embeddings=77,
        hidden_act="quick_gelu",
        bos_token_id=VOCABULARY - 2,
        eos_token_id=VOCABULARY - 1,
        pad_token_id=VOCABULARY - 1,
    )


def write_tokenizer(folder: Path) -> None:
    """vocab.json and merges.txt of CLIP's form and size; the merges are letters in order."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = string.ascii_lowercase
    pairs = [(a, b) for a in letters for b in letters]
    triples = [(a + b, c) for a, b, c in itertools.product(letters, repeat=3)]
    quads = ((a + b + c, d) for a, b, c, d in itertools.product(letters, repeat=4))
    merges = [
        merge
        for head, tail in [*pairs, *triples]
        for merge in ((head, tail), (head, tail + "</w>"))
    ]
    single = byte_letters()
    tokens = [*single, *(letter + "</w>" for letter in single)]
    room = VOCABULARY - 2 - len(tokens) - len(merges)
    merges += list(itertools.islice(quads, room))
    tokens += ["".join(merge) for merge in merges] + [BEGIN, END]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(merge) for merge in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def byte_letters() -> list[str]:
    """One printable letter for each byte, as byte-level BPE has them (Radford et al. 2019)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(others))]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
