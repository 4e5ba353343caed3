"""The LoRAs, embeddings and autoencoders among what is installed, as a model can use them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from app.core.adapter import KINDS, Adapter
from app.core.card import Kind
from app.core.errors import ModelDamaged
from app.files.safetensors_header import read_header
from app.weights.receipts import Installed

_FOLDERS = frozenset({Kind.VAE, Kind.PREVIEWER})


def adapters(installed: Iterable[Installed]) -> tuple[Adapter, ...]:
    """Those of ``installed`` that change others, in their order. Raises nothing.

    One without weights, and an embedding that cannot be read, is left out.
    """
    found = (_adapter(one) for one in installed if one.receipt.kind in KINDS)
    return tuple(adapter for adapter in found if adapter is not None)


def _adapter(one: Installed) -> Adapter | None:
    receipt, folder = one.receipt, one.folder.absolute()
    weights = [folder / file.path for file in receipt.files if file.path.endswith(".safetensors")]
    if not weights:
        return None
    vectors = _vectors(weights[0]) if receipt.kind is Kind.EMBEDDING else 0
    if vectors is None:
        return None
    path = weights[0].parent if receipt.kind in _FOLDERS else weights[0]
    return Adapter(receipt.id, receipt.title, receipt.kind, receipt.family, str(path), vectors)


def _vectors(file: Path) -> int | None:
    """How many tokens an embedding takes: one, or its rows."""
    try:
        shapes = read_header(file).shapes.values()
    except (ModelDamaged, OSError):
        return None
    return max((shape[0] if len(shape) == 2 else 1) for shape in shapes)
