"""Captions say what is on the picture, in English."""

from __future__ import annotations

import random

import pytest

from models.training.captions import Scene, article, describe
from models.training.drawings import Noun, load_nouns
from models.training.judge import fixed_prompts, load_prototypes

APPLE = Noun("apple", ("pippin",), "food", "red apple")


def said(scene: Scene, times: int = 300) -> list[str]:
    draw = random.Random(1)
    return [describe(scene, draw) for _ in range(times)]


@pytest.mark.parametrize(
    ("words", "wanted"), [("apple", "an"), ("ufo", "a"), ("umbrella", "an"), ("unicorn", "a")]
)
def test_articles(words: str, wanted: str) -> None:
    assert article(words) == wanted


def test_a_painted_colour_is_always_said() -> None:
    captions = said(Scene(APPLE, "blue", "red", "white"))
    assert all("blue" in caption and "red" not in caption for caption in captions)


def test_its_own_colour_is_said_now_and_then() -> None:
    captions = said(Scene(APPLE, None, "red", "white"))
    assert 0.15 < sum("red" in caption for caption in captions) / len(captions) < 0.5


def test_a_coloured_background_is_always_said_and_white_seldom() -> None:
    assert all("green background" in caption for caption in said(Scene(APPLE, None, None, "green")))
    white = [caption for caption in said(Scene(APPLE, None, None, "white")) if "white" in caption]
    assert 0 < len(white) < 100


def test_synonyms_and_articles_occur() -> None:
    captions = said(Scene(APPLE, None, None, "white"))
    assert any("pippin" in caption for caption in captions)
    assert {"apple", "an apple"} <= set(captions)


def test_nouns_are_distinct_and_the_judge_knows_them_all() -> None:
    words = [noun.word for noun in load_nouns()]
    assert len(words) == len(set(words)) >= 60
    assert words == load_prototypes()[0]


def test_no_synonym_is_another_noun() -> None:
    nouns = load_nouns()
    words = {noun.word for noun in nouns}
    others = [other for noun in nouns for other in noun.also]
    assert not words & set(others)
    assert len(others) == len(set(others))


def test_the_fixed_prompts_ask_for_known_nouns() -> None:
    prompts = fixed_prompts()
    assert len({prompt.text for prompt in prompts}) == 60
    assert {prompt.noun for prompt in prompts} <= {noun.word for noun in load_nouns()}
