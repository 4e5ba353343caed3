"""Tokens are counted as the model's own tokenizer counts them."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import ModelDamaged, ModelIncomplete
from app.core.model import Model
from app.engine.prompt_tokens import TokenCounter
from tests.engine.conftest import TinyModel

TEXTS = (
    "",
    "a red apple",
    "  A  RED\n\tapple's  123 !!! ",
    "\U0001f34e\U0001f469\u200d\U0001f680",
    "مرحبا بالعالم שלום",
    "<|endoftext|> a<|startoftext|>b <|END",
    "e\u0301 café ﬁ Ⅷ İ",
    "x\0y\ufeff",
    "!a! b!",
    "a red apple " * 3_334,
)


@pytest.fixture(scope="module", params=["tokenizer.json", "vocab.json and merges.txt"])
def model(
    request: pytest.FixtureRequest,
    tiny_model: TinyModel,
    tmp_path_factory: pytest.TempPathFactory,
) -> Model:
    """A tiny model with its tokenizer in the new form, and in the older pair of files."""
    whole = tiny_model("starter")
    if request.param == "tokenizer.json":
        return whole
    folder = tmp_path_factory.mktemp("pair") / "model"
    shutil.copytree(whole.folder, folder)
    place = folder / "tokenizer"
    data = json.loads((place / "tokenizer.json").read_text("utf-8"))
    (place / "tokenizer.json").unlink()
    (place / "vocab.json").write_text(json.dumps(data["model"]["vocab"]), "utf-8")
    rows = ["#version: 0.2", *(" ".join(pair) for pair in data["model"]["merges"])]
    (place / "merges.txt").write_text("\n".join(rows) + "\n", "utf-8")
    settings = json.loads((place / "tokenizer_config.json").read_text("utf-8"))
    (place / "tokenizer_config.json").write_text(json.dumps(settings | {"pad_token": "!"}))
    return dataclasses.replace(whole, folder=str(folder))


@pytest.fixture(scope="module")
def stock(model: Model) -> Any:
    """The tokenizer that draws."""
    from transformers import CLIPTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    return CLIPTokenizer.from_pretrained(f"{model.folder}/tokenizer", local_files_only=True)


@pytest.fixture(scope="module")
def counter(model: Model) -> TokenCounter:
    return TokenCounter(model)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:12]))
def test_it_counts_what_the_tokenizer_that_draws_counts(
    text: str, counter: TokenCounter, stock: Any
) -> None:
    assert counter.count(text) == len(stock(text).input_ids) - 2


@given(text=st.text(max_size=60))
def test_it_agrees_on_any_text(text: str, counter: TokenCounter, stock: Any) -> None:
    plain = text.encode("utf-8", "ignore").decode("utf-8")
    assert counter.count(plain) == len(stock(plain).input_ids) - 2


@given(text=st.text(st.characters(), max_size=60))
def test_the_part_before_the_cut_fits_and_one_more_character_would_not(
    text: str, counter: TokenCounter
) -> None:
    long = text + " apple" * 25
    cut = counter.cut_at(long)
    assert cut is not None
    assert counter.cut_at(long[:cut]) is None
    assert counter.count(long[: cut + 1]) >= counter.count(long[:cut])


def test_what_fits_is_not_cut(counter: TokenCounter) -> None:
    assert counter.cut_at("") is None
    assert counter.cut_at("apple " * 22) is None


def test_the_cut_is_at_the_first_character_that_will_not_be_read(counter: TokenCounter) -> None:
    assert counter.cut_at("apple " * 23) == len("apple " * 22)
    assert counter.cut_at("apple " * 10_000) == len("apple " * 22)


def test_half_a_surrogate_pair_is_counted_and_does_not_shift_the_cut(counter: TokenCounter) -> None:
    assert counter.count("\ud83c") > 0
    many = "\ud83c " + "apple " * 30
    assert counter.cut_at(many) == counter.cut_at("\ufffd " + "apple " * 30)


def test_a_tokenizer_that_cannot_be_read_is_named(
    tiny_folder: Callable[..., Path], tiny_model: TinyModel, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_folder("starter"), tmp_path / "model"))
    model = dataclasses.replace(tiny_model("starter"), folder=str(folder))
    for content in ('{"model": {}}', '{"model": {"vocab": {"a": "b"}, "merges": [["x", "y"]]}}'):
        (folder / "tokenizer" / "tokenizer.json").write_text(content)
        with pytest.raises(ModelDamaged):
            TokenCounter(model)
    (folder / "tokenizer" / "tokenizer.json").unlink()
    with pytest.raises(ModelIncomplete):
        TokenCounter(model)
