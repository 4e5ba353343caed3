"""Counts a prompt's tokens as the model's own tokenizer will, with the ``tokenizers`` library.

CLIP's byte-level BPE (Radford et al. 2021) is built from the vocabulary and merges of the model
folder as transformers builds it, so that the counts agree; transformers itself is never imported.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.adapter import of_kind, pieces
from app.core.card import Kind
from app.core.errors import ModelDamaged, ModelIncomplete
from app.core.model import Model
from app.engine.model_folder import read_json

if TYPE_CHECKING:
    from tokenizers import Tokenizer

START, END = "<|startoftext|>", "<|endoftext|>"

_PIECES = (
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
)
_SURROGATE = re.compile("[\ud800-\udfff]")


class TokenCounter:
    """Counts for one model; 10,000 words take some ten milliseconds.

    A word of one of the model's embeddings counts as many tokens as that has vectors. Raises
    ModelIncomplete, ModelDamaged when the model has no tokenizer that can be read.
    """

    def __init__(self, model: Model) -> None:
        folder = Path(model.folder)
        self._most = model.limits.max_tokens
        self._embeddings = of_kind(model.adapters, Kind.EMBEDDING)
        place = folder / "tokenizer"
        place = place if place.is_dir() else folder  # where published Core ML models have it
        try:
            self._tokenizer = clip_tokenizer(folder, place)
        except (ModelIncomplete, ModelDamaged):
            raise
        except Exception as error:  # the library raises bare Exception
            raise ModelDamaged(str(place), "mismatch") from error

    def count(self, text: str) -> int:
        """How many tokens ``text`` is, without the begin and end marks."""
        return sum(
            piece.embedding.vectors if piece.embedding else len(self._encode(piece.text).ids)
            for piece in pieces(text, self._embeddings)
        )

    def cut_at(self, text: str) -> int | None:
        """The index of the first character that the model will not read; None when all fits."""
        at, room = 0, self._most
        for piece in pieces(text, self._embeddings):
            if piece.embedding is not None:
                begins = [0] * piece.embedding.vectors
            else:
                begins = [int(begin) for begin, _ in self._encode(piece.text).offsets]
            if len(begins) > room:
                return at + begins[room]
            at, room = at + len(piece.text), room - len(begins)
        return None

    def _encode(self, text: str) -> Any:
        return self._tokenizer.encode(encodable(text), add_special_tokens=False)


def encodable(text: str) -> str:
    """``text`` with a mark for each half of a surrogate pair, which has no UTF-8."""
    return _SURROGATE.sub("\ufffd", text)


def clip_tokenizer(folder: Path, place: Path) -> Tokenizer:
    """The tokenizer in ``place`` of the model in ``folder``, without marks, padding or a limit.

    Raises ModelIncomplete, ModelDamaged, and what the library raises: bare Exception.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

    vocab, merges, special = _vocabulary(folder, place)
    tokenizer = Tokenizer(
        models.BPE(
            vocab=vocab,
            merges=merges,
            continuing_subword_prefix="",
            end_of_word_suffix="</w>",
            unk_token=END,
        )
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    known = [AddedToken(token, special=True, normalized=False) for token in special]
    tokenizer.add_special_tokens(known)
    return tokenizer


def _vocabulary(
    folder: Path, place: Path
) -> tuple[dict[str, int], list[tuple[str, str]], list[str]]:
    """Vocabulary, merges and special tokens: from tokenizer.json, else the older pair of files."""
    whole = place / "tokenizer.json"
    if whole.is_file():
        data = read_json(whole, folder)
        model = data["model"]
        rows = (row.split(" ") if isinstance(row, str) else row for row in model["merges"])
        special = [token["content"] for token in data.get("added_tokens", ())]
        known = dict.fromkeys([*special, *_named(place, folder)])
        return model["vocab"], [(left, right) for left, right in rows], list(known)
    vocab = read_json(place / "vocab.json", folder)
    lines = (place / "merges.txt").read_text("utf-8").splitlines()
    pairs = [line.split() for line in lines if not line.startswith("#version")]
    return vocab, [(pair[0], pair[1]) for pair in pairs if len(pair) == 2], _named(place, folder)


def _named(place: Path, folder: Path) -> list[str]:
    """The special tokens that tokenizer_config.json and special_tokens_map.json name."""
    found = [START, END]
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        if not (place / name).is_file():
            continue
        data = read_json(place / name, folder)
        for key in ("bos_token", "eos_token", "unk_token", "pad_token"):
            token = data.get(key)
            found.append(str(token.get("content") if isinstance(token, dict) else token or END))
    return list(dict.fromkeys(found))
