"""Token ids are those of transformers' CLIPTokenizer, padding and cut included."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.coreml_manifest import FeatureSpec, Part
from app.engine.coreml.prompt import PROMPTS_KEPT, ClipTokens, Prompts
from app.engine.coreml.runtime import Array
from tests.tiny_models import tiny_tokenizer

LENGTH = 77


@pytest.fixture(scope="module")
def padded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[ClipTokens, Any]]:
    """Our tokens and transformers' from one folder, padding with the token asked for."""
    made: dict[str, tuple[ClipTokens, Any]] = {}

    def make(pad: str) -> tuple[ClipTokens, Any]:
        if pad not in made:
            folder = tmp_path_factory.mktemp("tokens")
            tokenizer = tiny_tokenizer(LENGTH)
            tokenizer.pad_token = pad
            tokenizer.save_pretrained(folder / "tokenizer")
            stock = type(tokenizer).from_pretrained(folder / "tokenizer", local_files_only=True)
            made[pad] = ClipTokens(folder, Part.TEXT_ENCODER), stock
        return made[pad]

    return make


@pytest.mark.parametrize("pad", ["<|endoftext|>", "!"])
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
@example(text="")
@example(text="a red apple " * 40)
@example(text="a <|endoftext|> apple <|startoftext|>!")
@example(text="Ünïcödé 日本 🐘 (a:1.3) [b] \n\t")
def test_ids_are_those_of_the_stock_tokenizer(
    pad: str, text: str, padded: Callable[[str], tuple[ClipTokens, Any]]
) -> None:
    ours, stock = padded(pad)
    wanted = stock(text, padding="max_length", max_length=LENGTH, truncation=True).input_ids
    found = ours.ids(text, LENGTH)
    assert (found.dtype, found.shape) == (np.int32, (1, LENGTH))
    assert found[0].tolist() == wanted


def test_a_padding_named_in_the_older_file_is_used_too(tmp_path: Path) -> None:
    tiny_tokenizer(LENGTH).save_pretrained(tmp_path / "tokenizer")
    (tmp_path / "tokenizer" / "tokenizer_config.json").unlink()
    said = {"pad_token": {"content": "!", "normalized": False}}
    (tmp_path / "tokenizer" / "special_tokens_map.json").write_text(json.dumps(said))
    tokens = ClipTokens(tmp_path, Part.TEXT_ENCODER)
    assert (
        tokens.ids("a", LENGTH)[0, -1] == tokens.ids("!", LENGTH)[0, -1] != tokens.ids("a", 3)[0, 2]
    )


class Encoder:
    """Answers with the ids themselves, ``wide`` times; counts."""

    outputs: dict[str, FeatureSpec] = {}  # noqa: RUF012

    def __init__(self, wide: int) -> None:
        self.inputs = {"input_ids": FeatureSpec("input_ids", (1, LENGTH), "int32")}
        self.asked = 0
        self._wide = wide

    def predict(self, values: dict[str, Array]) -> dict[str, Array]:
        self.asked += 1
        ids = values["input_ids"].astype(np.float32)
        hidden = np.repeat(ids[:, :, None], self._wide, axis=2) * np.arange(1, self._wide + 1)
        pooled = np.full((1, self._wide), ids.sum(), np.float32)
        return {"hidden_embeds": hidden.astype(np.float32), "pooled_outputs": pooled}

    def close(self) -> None:
        pass


def test_two_encoders_answers_are_joined_and_laid_out_for_the_unet(tmp_path: Path) -> None:
    for name in ("tokenizer", "tokenizer_2"):
        tiny_tokenizer(LENGTH).save_pretrained(tmp_path / name)
    prompts = Prompts(tmp_path, (Part.TEXT_ENCODER, Part.TEXT_ENCODER_2))
    encoders = [Encoder(2), Encoder(3)]
    found = prompts.encoded("a red apple", encoders)
    ids = ClipTokens(tmp_path, Part.TEXT_ENCODER).ids("a red apple", LENGTH)[0]
    assert found.hidden.shape == (1, 5, 1, LENGTH)
    for row, factor in enumerate((1, 2, 1, 2, 3)):
        assert (found.hidden[0, row, 0] == ids * factor).all()
    assert found.pooled is not None
    assert found.pooled.shape == (1, 3), "the last encoder's"
    assert not found.nothing().hidden.any()
    assert not found.nothing().pooled.any()


def test_prompts_are_encoded_once_and_the_oldest_forgotten(tmp_path: Path) -> None:
    tiny_tokenizer(LENGTH).save_pretrained(tmp_path / "tokenizer")
    prompts = Prompts(tmp_path, (Part.TEXT_ENCODER,))
    encoder = Encoder(1)
    for _ in range(2):
        for i in range(PROMPTS_KEPT):
            prompts.encoded(str(i), [encoder])
    assert encoder.asked == PROMPTS_KEPT
    prompts.encoded("0", [encoder])
    prompts.encoded("one more", [encoder])
    assert prompts.known("0", "one more")
    assert not prompts.known("1")


def test_both_of_sdxls_tokenizers_read_the_one_vocabulary_of_a_published_folder(
    tmp_path: Path,
) -> None:
    tokenizer = tiny_tokenizer(LENGTH)
    tokenizer.save_pretrained(tmp_path / "whole")
    words = json.loads((tmp_path / "whole" / "tokenizer.json").read_text("utf-8"))["model"]
    (tmp_path / "vocab.json").write_text(json.dumps(words["vocab"]), "utf-8")
    merges = "\n".join(row if isinstance(row, str) else " ".join(row) for row in words["merges"])
    (tmp_path / "merges.txt").write_text(f"#version: 0.2\n{merges}\n", "utf-8")
    first = ClipTokens(tmp_path, Part.TEXT_ENCODER).ids("a red apple", LENGTH)[0]
    second = ClipTokens(tmp_path, Part.TEXT_ENCODER_2).ids("a red apple", LENGTH)[0]
    assert (first[:5] == second[:5]).all()
    assert first[-1] == tokenizer.eos_token_id
    assert second[-1] == words["vocab"]["!"]
    assert first[4] == second[4] == tokenizer.eos_token_id
