"""File names are readable, short enough and safe in any script."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import TemplateProblem
from app.core.recipe import Scheduler, Size
from app.library.file_names import MAX_BYTES, PLACEHOLDERS, Template, slug
from tests.library.examples import AWKWARD, recipe


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


CREATED = datetime(2026, 11, 23, 14, 5, 59, tzinfo=UTC)
PROMPTS = st.one_of(st.text(), st.text("苹🍎é-a ", max_size=400), st.sampled_from(AWKWARD))


@given(
    PROMPTS,
    st.integers(0, 2**32 - 1),
    st.sampled_from(
        [
            "{date}/{words}-{seed}",
            "{words}",
            "{words}{words}{words}{seed}",
            "{model}/{scheduler}/{size}-{steps}-{guidance}-{time}",
            "x" * 150 + "{words}{seed}",
            "苹" * 66 + "{seed}",
        ]
    ),
)
def test_any_prompt_gives_a_name_that_every_file_system_takes(
    prompt: str, seed: int, template: str
) -> None:
    of = recipe(prompt if prompt.replace("\0", " ").strip() else "a", seed)
    folder, stem = Template(template).name(of, CREATED)
    for part in (*folder.parts, stem):
        assert len(f"{part} 99999.jpeg".encode()) <= MAX_BYTES
        assert part.strip(". ") == part != ""
        assert not part.startswith("-")
        assert not set(part) & set('/\\:*?"<>|\0\n\r\t ')
        assert unicodedata.is_normalized("NFC", part)


def test_by_itself_a_picture_lies_under_its_day_with_its_words_and_seed() -> None:
    of = recipe("A red apple!", 17)
    assert Template().name(of, CREATED) == (Path("2026-11-23"), "a-red-apple-17")


def test_every_placeholder_says_its_part() -> None:
    of = recipe(
        "Red",
        17,
        size=Size(512, 768),
        steps=20,
        guidance=7.5,
        scheduler=Scheduler.EULER_A,
    )
    text = "/".join(f"{{{name}}}" for name in PLACEHOLDERS[:8])
    assert Template(text).name(of, CREATED) == (
        Path("2026-11-23/14-05-59/2026/11/23/red/17"),
        "m",
    )
    assert Template("{size} {steps} {guidance} {scheduler}").name(of, CREATED)[1] == (
        "512x768 20 7.5 euler-a"
    )


def test_a_long_prompt_is_cut_between_words() -> None:
    _, stem = Template().name(recipe("wonderful " * 100, 1), CREATED)
    assert stem == "wonderful-" * 7 + "wonderful-1"


def test_the_seed_is_whole_however_long_the_words_are() -> None:
    _, stem = Template("{words}-{seed}").name(recipe("苹" * 400, 2**32 - 1), CREATED)
    assert stem.endswith("-4294967295")


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("", "empty name"),
        ("{date}/", "empty name"),
        ("/{seed}", "empty name"),
        ("../{seed}", "empty name"),
        ("a/./{seed}", "empty name"),
        (".hidden/{seed}", "dot or space"),
        ("{seed} ", "dot or space"),
        ("{colour}", "placeholder"),
        ("{}", "placeholder"),
        ("{0}", "placeholder"),
        ("{seed.real}", "placeholder"),
        ("{seed!r}", "braces"),
        ("{seed:99999999999}", "character"),
        ("{seed", "braces"),
        ("seed}", "braces"),
        ("C:{seed}", "character"),
        ("a\n{seed}", "character"),
        ("a\0{seed}", "character"),
        ("always", "always the same"),
        ("x" * 300 + "{seed}", "too long"),
        ("a/" * 20 + "{seed}", "too long"),
    ],
)
def test_what_is_no_template_is_a_typed_error(template: str, reason: str) -> None:
    with pytest.raises(TemplateProblem) as caught:
        Template(template)
    assert caught.value == TemplateProblem(template[:200], reason)


@given(st.text("{}datewordsseed/.- \0é", max_size=40))
def test_any_text_is_a_template_or_a_typed_error(text: str) -> None:
    try:
        template = Template(text)
    except TemplateProblem:
        return
    folder, stem = template.name(recipe(), CREATED)
    assert stem
    assert not folder.is_absolute()
    assert ".." not in folder.parts
