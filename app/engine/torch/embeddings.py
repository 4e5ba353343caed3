"""Words that a model was not trained with: textual inversion (Gal et al. 2022).

An embedding is a few vectors that stand in the prompt where a word's would. Neither tokenizer nor
network is changed: a tokenizer in front of the model's own gives such a word ids below zero, and
where the model looks ids up, those find the vectors.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from app.core.adapter import Adapter, pieces
from app.core.errors import ModelDamaged, RecipeProblem
from app.files.safetensors_header import read_header

FITTING = "an embedding for this kind of model"
"""What ``RecipeProblem.allowed`` says of one that does not fit."""

MAX_BYTES = 1 << 27
_BY_ENCODER = {"text_encoder": "clip_l", "text_encoder_2": "clip_g"}
"""What a file for SDXL calls the vectors for each."""


@contextmanager
def spoken(parts: dict[str, Any], embeddings: tuple[Adapter, ...]) -> Iterator[dict[str, Any]]:
    """``parts`` (tokenizers and text encoders, by their names) that know the words too.

    Outside of it, all is as it was. Raises RecipeProblem, ModelDamaged.
    """
    if not embeddings:
        yield parts
        return
    files = [(embedding, _read(embedding)) for embedding in embeddings]
    with ExitStack() as borrowed:
        knowing = dict(parts)
        for name in [name for name in parts if name.startswith("text_encoder")]:
            if not isinstance(parts[name], torch.nn.Module):
                continue
            table, ids = _table(name, parts[name], files)
            tokenizer = name.replace("text_encoder", "tokenizer")
            knowing[tokenizer] = KnowingTokenizer(parts[tokenizer], ids)
            borrowed.enter_context(_looked_up(parts[name], table))
        yield knowing


class KnowingTokenizer:
    """``tokenizer`` that gives the words of ``ids`` these ids; in all else it is that tokenizer."""

    def __init__(self, tokenizer: Any, ids: dict[Adapter, list[int]]) -> None:
        self._tokenizer = tokenizer
        self._ids = ids

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def __call__(
        self,
        text: str | list[str],
        padding: str = "longest",
        max_length: int | None = None,
        truncation: bool = False,
        **_named: Any,
    ) -> Any:
        """As a CLIPTokenizer does: begin mark, tokens, end mark, padded to equal length."""
        from transformers import BatchEncoding

        most = max_length or int(self._tokenizer.model_max_length)
        rows = [self._encoded(one) for one in ([text] if isinstance(text, str) else text)]
        if truncation:
            rows = [row[: most - 2] for row in rows]
        begin, end = self._tokenizer.bos_token_id, self._tokenizer.eos_token_id
        rows = [[begin, *row, end] for row in rows]
        wide = most if padding == "max_length" else max(len(row) for row in rows)
        pad = self._tokenizer.pad_token_id
        ids = torch.tensor([row + [pad] * (wide - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (wide - len(row)) for row in rows])
        return BatchEncoding({"input_ids": ids, "attention_mask": mask})

    def batch_decode(self, *_: Any, **__: Any) -> list[str]:
        """Only ever asked for what is left out, for a line in a log."""
        return [""]

    def _encoded(self, text: str) -> list[int]:
        row: list[int] = []
        for piece in pieces(text, tuple(self._ids)):
            if piece.embedding is not None:
                row += self._ids[piece.embedding]
            else:
                row += self._tokenizer(piece.text, add_special_tokens=False).input_ids
        return row


class _LookedUp(torch.nn.Module):
    """A token embedding in which id -1 - n is row n of ``table``."""

    def __init__(self, known: torch.nn.Module, table: torch.Tensor) -> None:
        super().__init__()
        self._known = known
        self._table = table

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        found = self._known(ids.clamp(min=0))
        ours = self._table[(-1 - ids).clamp(min=0)]
        return torch.where(ids[..., None] < 0, ours, found)


@contextmanager
def _looked_up(encoder: Any, table: torch.Tensor) -> Iterator[None]:
    known = encoder.get_input_embeddings()
    encoder.set_input_embeddings(_LookedUp(known, table))
    try:
        yield
    finally:
        encoder.set_input_embeddings(known)


def _table(
    name: str, encoder: Any, files: list[tuple[Adapter, dict[str, torch.Tensor]]]
) -> tuple[torch.Tensor, dict[Adapter, list[int]]]:
    """All vectors for the text encoder ``name``, and the ids of each word's."""
    weight = encoder.get_input_embeddings().weight
    rows: list[torch.Tensor] = []
    ids: dict[Adapter, list[int]] = {}
    for embedding, tensors in files:
        vectors = tensors.get(_BY_ENCODER[name])
        if vectors is None and len(tensors) == 1 and name == "text_encoder":
            vectors = next(iter(tensors.values()))
        if vectors is None or vectors.ndim not in (1, 2) or vectors.shape[-1] != weight.shape[1]:
            raise RecipeProblem("prompt", embedding.title[:80], FITTING)
        vectors = vectors.reshape(-1, vectors.shape[-1]).to(weight.device, weight.dtype)
        if not bool(torch.isfinite(vectors).all()):
            raise ModelDamaged(embedding.path, "not finite")
        ids[embedding] = [-1 - n for n in range(len(rows), len(rows) + len(vectors))]
        rows += vectors
    return torch.stack(rows), ids


def _read(embedding: Adapter) -> dict[str, torch.Tensor]:
    file = Path(embedding.path)
    if read_header(file).data_bytes > MAX_BYTES:
        raise ModelDamaged(embedding.path, "mismatch")
    try:
        return load_file(file)
    except (SafetensorError, ValueError) as error:
        raise ModelDamaged(embedding.path, "mismatch") from error
