"""File names are readable, short enough and safe in any script."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.library.file_names import MAX_BYTES, picture_stem, slug
from tests.library.examples import AWKWARD


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("A red apple", "a-red-apple"),
        ("  a,  red/../apple!!  ", "a-red-apple"),
        ("don't", "dont"),
        ("تفاحة حمراء", "تفاحة-حمراء"),
        ("苹果 と りんご", "苹果-と-りんご"),
        ("हिन्दी में", "हिन्दी-में"),
        ("🍎🍏", "picture"),
        ("...", "picture"),
        ("\u202ea\u200db", "ab"),
        ("cafe\u0301", "café"),
    ],
)
def test_the_slug_keeps_letters_of_any_script(prompt: str, name: str) -> None:
    assert slug(prompt) == name


@given(
    st.one_of(st.text(), st.text("苹🍎é-a ", max_size=400), st.sampled_from(AWKWARD)),
    st.integers(0, 2**32 - 1),
)
def test_any_prompt_gives_a_name_that_every_file_system_takes(prompt: str, seed: int) -> None:
    stem = picture_stem(prompt, seed)
    assert len(f"{stem} 99999.png".encode()) <= MAX_BYTES
    assert stem.endswith(f"-{seed}")
    assert not stem.startswith((".", "-", " "))
    assert not set(stem) & set('/\\:*?"<>|\0\n\r\t ')
    assert unicodedata.is_normalized("NFC", stem)


def test_a_long_prompt_is_cut_between_words() -> None:
    stem = picture_stem("wonderful " * 100, 1)
    assert stem == "wonderful-" * 7 + "wonderful-1"
