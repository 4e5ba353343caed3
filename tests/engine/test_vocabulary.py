"""The words a model folder says it knows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.core.model import Vocabulary
from app.engine.model_folder import vocabulary
from tests.engine.numpy_engine import numpy_model


def read(folder: Path, content: object) -> Vocabulary:
    (folder / "vocabulary.json").write_text(json.dumps(content), encoding="utf-8")
    return vocabulary(numpy_model(folder))


def test_a_noun_is_a_word_or_an_object_with_its_other_names(tmp_path: Path) -> None:
    known = read(
        tmp_path,
        {
            "nouns": ["apple", {"word": "cat", "synonyms": ["kitty", "cat"], "group": "animals"}],
            "colours": ["red"],
            "synonyms": [["crimson", "red"]],
        },
    )
    assert known.nouns == ("apple", "cat")
    assert known.synonyms == (("kitty", "cat"), ("crimson", "red"))
    assert known.colours == ("red",)


@pytest.mark.parametrize("content", [{}, [], "words", {"nouns": 7}, {"nouns": [{"group": "x"}, 3]}])
def test_what_is_no_vocabulary_is_an_empty_one(tmp_path: Path, content: object) -> None:
    assert read(tmp_path, content).nouns == ()


def test_a_model_without_the_file_knows_every_word(tmp_path: Path) -> None:
    assert vocabulary(numpy_model(tmp_path)) == Vocabulary()
