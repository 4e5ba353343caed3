"""What is installed beside models, as it lies on the disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file

from app.core.adapter import Adapter
from app.core.card import CardFile, Kind
from app.core.model import Family
from app.weights.adapters import adapters
from app.weights.receipts import Installed
from tests.weights.receipt_examples import RECEIPT


def installed(folder: Path, kind: Kind, *paths: str, shape: tuple[int, ...] = (2, 8)) -> Installed:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if path.endswith(".safetensors"):
            save_file({"a": torch.zeros(shape)}, folder / path)
        else:
            (folder / path).write_text("{}")
    files = tuple(CardFile(path, (folder / path).stat().st_size, "0" * 64) for path in paths)
    receipt = replace(RECEIPT, id=folder.name, title="It", kind=kind, files=files)
    return Installed(folder, receipt)


def test_a_file_or_a_folder_as_its_kind_needs_it(tmp_path: Path) -> None:
    found = adapters(
        (
            installed(tmp_path / "model", Kind.DIFFUSERS, "model_index.json"),
            installed(tmp_path / "ink", Kind.LORA, "pytorch_lora_weights.safetensors"),
            installed(tmp_path / "vae", Kind.VAE, "config.json", "diffusion_x.safetensors"),
            installed(tmp_path / "tiny", Kind.PREVIEWER, "config.json", "d.safetensors"),
        )
    )
    ink = tmp_path / "ink" / "pytorch_lora_weights.safetensors"
    assert found == (
        Adapter("ink", "It", Kind.LORA, Family.SD1, str(ink)),
        Adapter("vae", "It", Kind.VAE, Family.SD1, str(tmp_path / "vae")),
        Adapter("tiny", "It", Kind.PREVIEWER, Family.SD1, str(tmp_path / "tiny")),
    )


def test_an_embedding_says_how_many_tokens_it_takes(tmp_path: Path) -> None:
    many = installed(tmp_path / "many", Kind.EMBEDDING, "e.safetensors", shape=(7, 768))
    one = installed(tmp_path / "one", Kind.EMBEDDING, "e.safetensors", shape=(768,))
    assert [adapter.vectors for adapter in adapters((many, one))] == [7, 1]


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    broken = installed(tmp_path / "broken", Kind.EMBEDDING, "e.safetensors")
    (tmp_path / "broken" / "e.safetensors").write_bytes(b"not much")
    gone = installed(tmp_path / "gone", Kind.EMBEDDING, "e.safetensors")
    (tmp_path / "gone" / "e.safetensors").unlink()
    bare = installed(tmp_path / "bare", Kind.LORA, "readme.txt")
    assert adapters((broken, gone, bare)) == ()
