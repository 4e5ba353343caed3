"""Errors are data: they compare, print and cross a pipe whole."""

from __future__ import annotations

import copy
import pickle

import pytest

from app.core.errors import Bug, EaselError, ModelIncomplete, OutOfMemory, WorldError
from tests.test_messages import EXAMPLES, leaves


@pytest.mark.parametrize("error", EXAMPLES, ids=str)
def test_every_error_survives_pickling_and_copying(error: EaselError) -> None:
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is type(error)
        assert again == error
        assert hash(again) == hash(error)
        assert str(again) == str(error)


def test_an_error_prints_its_name_and_data() -> None:
    assert str(ModelIncomplete("/m", ("a",))) == "ModelIncomplete(folder='/m', missing=('a',))"
    assert OutOfMemory(1) != OutOfMemory(2)


def test_every_leaf_but_two_is_the_worlds_doing() -> None:
    ours = {leaf.__name__ for leaf in leaves() if not issubclass(leaf, WorldError)}
    assert ours == {"RecipeProblem", "Bug"}


def test_a_bug_holds_the_traceback_of_what_caused_it() -> None:
    def fails() -> None:
        raise KeyError("the key")

    with pytest.raises(KeyError) as caught:
        fails()
    bug = Bug.of(caught.value)
    assert "in fails" in bug.traceback
    assert "KeyError: 'the key'" in bug.traceback


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    from app.core import errors

    drawn = errors.__doc__ or ""
    for leaf in leaves():
        assert f" {leaf.__name__}" in drawn
