"""The JSON form of a recipe loses nothing and refuses what it does not know."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.recipe import LoraUse, Recipe
from app.core.recipe_json import from_dict, from_json, to_dict, to_json
from tests.library.examples import recipe, recipes


@given(of=recipes())
def test_any_recipe_comes_back(of: Recipe) -> None:
    text = to_json(of)
    assert from_json(text) == of
    assert text.isascii()
    assert "\n" not in text
    assert to_json(from_json(text)) == text


def test_equal_recipes_give_equal_text_whatever_the_order_of_keys() -> None:
    data = to_dict(recipe())
    turned = dict(reversed(data.items()))
    assert to_json(from_dict(turned)) == to_json(recipe())


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


_KEYS = [*sorted(to_dict(recipe())), "start", "loras", "vae", "parent"]


@given(key=st.sampled_from(_KEYS), value=_JSON)
def test_a_changed_field_gives_a_recipe_or_a_value_error(key: str, value: object) -> None:
    data = to_dict(recipe()) | {key: value}
    with contextlib.suppress(ValueError):
        assert isinstance(from_json(json.dumps(data)), Recipe)


def test_what_an_older_easel_wrote_is_read_and_it_reads_ours() -> None:
    """The version stays: a recipe without the new field has no key that an older one lacks."""
    plain = recipe()
    assert "vae" not in to_dict(plain)
    assert from_dict(to_dict(plain)) == plain
    chosen = replace(plain, vae="clear", loras=(LoraUse("ink", -0.5),))
    assert from_json(to_json(chosen)) == chosen
    assert from_dict(to_dict(chosen) | {"vae": None}) == replace(chosen, vae=None)


@given(data=_JSON)
def test_anything_else_is_a_value_error(data: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_dict(data)


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", '"easel"', "[" * 100_000, '{"easel": 2}', '{"easel": 1}']
)
def test_text_that_is_no_recipe_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(text)


@pytest.mark.parametrize(
    "change",
    [
        {"size": [0, 64]},
        {"size": [64, 10**9]},
        {"size": [64]},
        {"steps": 0},
        {"steps": 10**9},
        {"seed": -1},
        {"seed": 2**32},
        {"guidance": float("nan")},
        {"guidance": 1e999},
        {"scheduler": "magic"},
        {"start": {"file": "a", "sha256": "b", "strength": 7}},
        {"loras": [{"id": "a", "weight": float("inf")}]},
        {"easel": 2},
    ],
    ids=str,
)
def test_a_recipe_that_no_model_can_draw_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(json.dumps(to_dict(recipe()) | change))
