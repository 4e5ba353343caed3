"""Receipts and the folders they are of, for tests."""

from __future__ import annotations

import hashlib
from pathlib import Path

from app.core.card import Acceptance, CardFile, Kind, Origin, Receipt
from app.core.model import Family

LICENCE = "You may.\n\nAttachment A\n\nBut not that.\n"
ACCEPTANCE = Acceptance(
    "openrail-m", hashlib.sha256(LICENCE.encode()).hexdigest(), "2026-11-25T12:00:00+00:00"
)
CONTENT = {
    "model_index.json": b"{}",
    "unet/diffusion_pytorch_model.safetensors": b"weights" * 40_000,
    "unet/empty.txt": b"",
    "вес/モデル.bin": b"\x00" * 10,
}


def card_file(path: str, data: bytes) -> CardFile:
    return CardFile(path, len(data), hashlib.sha256(data).hexdigest())


RECEIPT = Receipt(
    id="tiny",
    title="Tiny, für Tests",
    kind=Kind.DIFFUSERS,
    family=Family.SD1,
    origin=Origin.HUB,
    source="org/tiny@main",
    files=tuple(card_file(path, data) for path, data in CONTENT.items()),
    installed="2026-11-25T12:00:01+00:00",
    acceptance=ACCEPTANCE,
    memory=1000,
    needs=("sd-1.5",),
)


def put_files(folder: Path) -> Path:
    """Everything of ``RECEIPT`` but the receipt."""
    for path, data in CONTENT.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder
