"""The bundled configurations are those of the published models, to the last parameter."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch
from transformers import CLIPTokenizer

from app.convert import networks, single_file
from app.core.model import Family
from tests.convert.ldm_layout import clip, open_clip, unet_name, vae_state

CONFIGS = Path(__file__).resolve().parents[2] / "resources" / "configs"

PARAMETERS = {
    "sd1": {"unet": 859_520_964, "vae": 83_653_863, "text_encoder": 123_060_480},
    "sd2": {"unet": 865_910_724, "vae": 83_653_863, "text_encoder": 340_387_840},
    "sdxl": {
        "unet": 2_567_463_684,
        "vae": 83_653_863,
        "text_encoder": 123_060_480,
        "text_encoder_2": 694_659_840,
    },
}
"""As counted in the published models."""


def components(kind: str) -> dict[str, tuple[single_file._Component, dict[str, object]]]:
    return {
        part.name: (part, json.loads((CONFIGS / kind / part.name / "config.json").read_text()))
        for part in single_file._COMPONENTS[Family(kind)]
    }


@pytest.mark.parametrize("kind", PARAMETERS)
def test_every_network_has_the_published_number_of_parameters(kind: str) -> None:
    for name, (_, config) in components(kind).items():
        network = networks.build(config)
        count = sum(parameter.numel() for parameter in network.parameters())
        assert count == PARAMETERS[kind][name], name


@pytest.mark.parametrize("kind", PARAMETERS)
def test_a_checkpoint_of_full_size_fits(kind: str) -> None:
    """Names and shapes of the real size, without a byte of weights."""
    for name, (part, config) in components(kind).items():
        network = networks.build(config)
        wanted: dict[str, torch.Tensor] = network.state_dict()
        if part.clip == "openclip":
            original = open_clip(wanted, part.prefix)
        elif part.clip:
            original = clip(wanted, part.prefix)
        elif name == "unet":
            attended = [block.startswith("Cross") for block in config["up_block_types"]]  # type: ignore[attr-defined]
            original = {part.prefix + unet_name(key, 2, attended): wanted[key] for key in wanted}
        else:
            original = {part.prefix + key: tensor for key, tensor in vae_state(wanted).items()}
        original = {key: tensor.to("meta") for key, tensor in original.items()}

        renamed = single_file._renamed(network, original, part, config)
        fitted = networks.fitted("file", network, renamed)

        assert {key: tensor.shape for key, tensor in fitted.items()} == {
            key: tensor.shape for key, tensor in wanted.items()
        }


def test_the_tokenizer_is_byte_for_byte_the_published_one() -> None:
    hashes = {
        "merges.txt": "9fd691f7c8039210e0fced15865466c65820d09b63988b0174bfe25de299051a",
        "vocab.json": "e089ad92ba36837a0d31433e555c8f45fe601ab5c221d4f607ded32d9f7a4349",
    }
    for name, expected in hashes.items():
        assert hashlib.sha256((CONFIGS / "clip" / name).read_bytes()).hexdigest() == expected


@pytest.mark.parametrize(
    ("kind", "name", "padding"),
    [
        ("sd1", "tokenizer", 49407),
        ("sd2", "tokenizer", 0),
        ("sdxl", "tokenizer", 49407),
        ("sdxl", "tokenizer_2", 0),
    ],
)
def test_each_tokenizer_pads_as_its_family_was_trained(
    kind: str, name: str, padding: int, tmp_path: Path
) -> None:
    single_file._copy_tokenizer(CONFIGS / "clip", CONFIGS / kind / name, tmp_path / name)
    tokenizer = CLIPTokenizer.from_pretrained(str(tmp_path / name), local_files_only=True)

    ids = tokenizer("a red Apple", padding="max_length", max_length=77).input_ids

    assert ids[:5] == [49406, 320, 736, 3055, 49407]
    assert ids[5:] == [padding] * 72
