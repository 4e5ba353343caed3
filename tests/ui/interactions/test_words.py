"""What the built-in model is said to understand."""

from __future__ import annotations

import random

import pytest

from app.core.model import Vocabulary
from app.ui.words import Group, KnownWords, about_unknown, phrase_of


def offered(words: KnownWords, text: str) -> list[str]:
    return [offer.text for offer in words.completions(text, len(text)).offers]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("re", ["red"]),
        ("a ki", ["kitty"]),
        ("a red hot d", ["hot dog"]),
        ("bl", ["blue", "black", "blue background", "black background"]),
        ("a cat on a bl", ["blue background", "black background", "blue", "black"]),
        ("a", []),
        ("apple", []),
        ("zebra", []),
        ("", []),
        ("red ", []),
    ],
)
def test_the_word_at_the_cursor_is_completed(
    words: KnownWords, text: str, expected: list[str]
) -> None:
    assert offered(words, text) == expected


def test_nothing_is_offered_inside_a_word(words: KnownWords) -> None:
    assert words.completions("banana", 3).offers == ()


def test_a_completion_says_which_letters_it_replaces(words: KnownWords) -> None:
    found = words.completions("a red hot d on", 11)
    assert ("a red hot d on"[found.start : found.end], found.offers[0].text) == ("hot d", "hot dog")


def test_a_synonym_says_what_it_means(words: KnownWords) -> None:
    assert words.completions("ki", 2).offers[0].means == "cat"


@pytest.mark.parametrize("seed", range(40))
def test_a_surprise_uses_only_known_words(words: KnownWords, seed: int) -> None:
    prompt = words.surprise(random.Random(seed))
    assert words.unknown(prompt) == ()
    assert words.says_a_noun(prompt)


def test_surprises_differ_and_repeat_with_their_seed(words: KnownWords) -> None:
    prompts = [words.surprise(random.Random(seed)) for seed in range(20)]
    assert len(set(prompts)) > 10
    assert prompts == [words.surprise(random.Random(seed)) for seed in range(20)]


def test_a_surprise_never_paints_a_thing_on_its_own_colour(words: KnownWords) -> None:
    for seed in range(60):
        prompt = words.surprise(random.Random(seed))
        for colour in ("blue", "black"):
            assert prompt.count(colour) <= 1, prompt


def test_articles_fit_the_words(words: KnownWords) -> None:
    prompts = " ; ".join(words.surprise(random.Random(seed)) for seed in range(300))
    for wrong in ("a apple", "an red", "a orange", "a grapes", "an ice cream on an white"):
        assert f"{wrong} " not in f"{prompts} "
    assert "an apple" in prompts


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("a red apple on a blue background", []),
        ("Two RED apples, cats and a HOT DOG!", ["Two"]),
        ("a dragonfly", ["dragonfly"]),
        ("hot sand", ["hot", "sand"]),
        ("a hot dog", []),
        ("\u0634\u062c\u0631\u0629 \U0001f34e 3 000", ["\u0634\u062c\u0631\u0629"]),
    ],
)
def test_words_the_model_was_never_shown_are_found(
    words: KnownWords, text: str, unknown: list[str]
) -> None:
    found = words.unknown(text)
    assert [span.word for span in found] == unknown
    assert all(text[span.start : span.start + len(span.word)] == span.word for span in found)


def test_the_word_being_typed_is_not_called_unknown(words: KnownWords) -> None:
    assert words.unknown("a ban", cursor=5) == ()
    assert [span.word for span in words.unknown("a ban ", cursor=6)] == ["ban"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a red apple", ""),
        (
            "a bannana",
            "The built-in model does not know “bannana”. Did you mean “banana”?",
        ),
        (
            "a shiny red apple",
            "The built-in model does not know “shiny”; it draws the rest.",
        ),
        (
            "dragonfly",
            "The built-in model does not know “dragonfly”; it draws simple things, such as a cat, "
            "a hot dog or a bus.",
        ),
        (
            "one apple of two three four five",
            "The built-in model does not know “one”, “two”, “three” and 2 more words; it draws "
            "the rest.",
        ),
    ],
)
def test_one_sentence_names_what_is_not_known(words: KnownWords, text: str, sentence: str) -> None:
    assert about_unknown(words, text) == sentence


def test_a_model_without_a_vocabulary_knows_every_word() -> None:
    words = KnownWords(Vocabulary())
    assert not words
    assert words.unknown("anything at all") == ()
    assert words.completions("an", 2).offers == ()


def test_a_background_is_inserted_as_part_of_a_sentence() -> None:
    assert phrase_of("orange background", Group.BACKGROUND) == "on an orange background"
    assert phrase_of("apple", Group.NOUN) == "apple"
